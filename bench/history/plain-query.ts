import type { SqlClient, SqlRow } from "../../src/platform/neon/sql-client.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/time.ts";

/** A row of the spine. */
export interface SpineRow {
  readonly customer: string;
  readonly at: number;
}

/** Length and hop of each window. */
const WINDOWS = {
  "1h": [HOUR_MS, 5 * MINUTE_MS],
  "1d": [DAY_MS, HOUR_MS],
  "7d": [7 * DAY_MS, HOUR_MS],
  "30d": [30 * DAY_MS, DAY_MS],
} as const;

const since = (window: keyof typeof WINDOWS): string => {
  const [length, hop] = WINDOWS[window];
  return `(s.at - ${length}) / ${hop} * ${hop}`;
};
const over = (expression: string, window: keyof typeof WINDOWS): string =>
  `${expression} FILTER (WHERE p.event_time >= ${since(window)})`;

/** The ten features of one row, by one scan of the customer's last month. */
const FEATURES = `
SELECT ${over("count(*)", "1h")} AS n_1h, ${over("count(*)", "1d")} AS n_1d,
       ${over("count(*)", "7d")} AS n_7d, count(*) AS n_30d,
       ${over("sum(p.amount)", "1h")} AS sum_1h, ${over("sum(p.amount)", "1d")} AS sum_1d,
       ${over("sum(p.amount)", "7d")} AS sum_7d, sum(p.amount) AS sum_30d,
       ${over("max(p.amount)", "7d")} AS max_7d, avg(p.amount) AS mean_30d
  FROM plain_payments p
 WHERE p.customer_id = s.customer_id AND p.event_time < s.at AND p.known_at <= s.at
   AND p.event_time >= ${since("30d")}`;

const PER_ROW = `
SELECT f.* FROM (SELECT $1::text AS customer_id, $2::bigint AS at) AS s,
       LATERAL (${FEATURES}) AS f`;

const ALL_ROWS = `
SELECT f.* FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS s(customer_id, at, position),
       LATERAL (${FEATURES}) AS f ORDER BY s.position`;

/** A query per row. */
export async function queryEach(
  sql: SqlClient,
  rows: readonly SpineRow[],
): Promise<readonly SqlRow[]> {
  const answers: SqlRow[] = [];
  for (const { customer, at } of rows) {
    answers.push(...(await sql.query(PER_ROW, [customer, at])));
  }
  return answers;
}

/** One query, with a lateral join. */
export const queryAll = (sql: SqlClient, rows: readonly SpineRow[]): Promise<readonly SqlRow[]> =>
  sql.query(ALL_ROWS, [rows.map(({ customer }) => customer), rows.map(({ at }) => at)]);
