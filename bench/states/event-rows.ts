import type { Payment } from "../../local/demo/payments.ts";
import type { SqlClient, SqlRow } from "../../src/platform/neon/sql-client.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/time.ts";
import { keyColumn } from "./crowds.ts";
import type { View } from "./views.ts";

/** Length and hop of each window. */
const WINDOWS = {
  "10m": [10 * MINUTE_MS, 30_000],
  "1h": [HOUR_MS, 5 * MINUTE_MS],
  "1d": [DAY_MS, HOUR_MS],
  "7d": [7 * DAY_MS, HOUR_MS],
  "30d": [30 * DAY_MS, DAY_MS],
} as const;

type Length = keyof typeof WINDOWS;

const since = (window: Length): string => {
  const [length, hop] = WINDOWS[window];
  return `($2::bigint - ${length}) / ${hop} * ${hop}`;
};

const over = (expression: string, window: Length): string =>
  `${expression} FILTER (WHERE p.event_time >= ${since(window)})`;

/** The column of the first or last row, found by the index; of a window, if it begins before it. */
const edge = (view: View, column: string, order: "ASC" | "DESC", window?: Length): string =>
  `(SELECT q.${column} FROM plain_payments q
     WHERE q.${keyColumn(view)} = k.key AND q.event_time < $2::bigint
           ${window === undefined ? "" : `AND q.event_time >= ${since(window)}`}
     ORDER BY q.event_time ${order}, q.payment_id ${order} LIMIT 1)`;

const from = (view: View, window?: Length): string =>
  `FROM plain_payments p WHERE p.${keyColumn(view)} = k.key AND p.event_time < $2::bigint
     ${window === undefined ? "" : `AND p.event_time >= ${since(window)}`}`;

const WIDE_WINDOWS = ["1h", "1d", "7d", "30d"] as const;

/**
 * The features of the entity k.key at the instant $2 as one would ask for them without Freshet. A
 * view whose windows end at a month scans a month; a lifetime needs all rows, but for first and last.
 */
export const QUERIES: Readonly<Record<View, string>> = {
  customer_spend: `
SELECT ${over("count(*)", "1h")} AS payments_1h, ${over("count(*)", "1d")} AS payments_1d,
       ${over("sum(amount)", "1h")} AS amount_sum_1h, ${over("sum(amount)", "7d")} AS amount_sum_7d,
       ${over("max(amount)", "1d")} AS amount_max_1d, avg(amount) AS amount_mean_30d,
       count(*) FILTER (WHERE country IN ('DE', 'AT', 'CH')) AS payments_nearby_30d,
       ${edge("customer_spend", "country", "DESC")} AS last_country
  ${from("customer_spend", "30d")}`,
  customer_lifetime: `
SELECT count(*) AS payments, sum(amount) AS amount_sum, min(amount) AS amount_min,
       max(amount) AS amount_max, ${edge("customer_lifetime", "paid_at", "ASC")} AS first_paid_at,
       ${edge("customer_lifetime", "merchant_id", "DESC")} AS last_merchant
  ${from("customer_lifetime")}`,
  merchant_activity: `
SELECT ${over("count(*)", "10m")} AS payments_10m, ${over("count(*)", "1d")} AS payments_1d,
       ${over("sum(amount)", "1d")} AS amount_sum_1d, avg(amount) AS amount_mean_7d,
       max(amount) AS amount_max_7d, ${edge("merchant_activity", "paid_at", "DESC")} AS last_paid_at
  ${from("merchant_activity", "7d")}`,
  wide: `
SELECT ${WIDE_WINDOWS.flatMap((window) => [
    `${over("count(*)", window)} AS n_${window}`,
    `${over("sum(amount)", window)} AS sum_${window}`,
    `${over("max(amount)", window)} AS max_${window}`,
    `nullif(${over("count(DISTINCT merchant_id)", window)}, 0) AS merchants_${window}`,
    `${edge("wide", "country", "DESC", window)} AS last_${window}`,
  ]).join(", ")},
       count(*) AS n, sum(amount) AS sum, max(amount) AS max,
       nullif(count(DISTINCT merchant_id), 0) AS merchants, ${edge("wide", "country", "DESC")} AS last
  ${from("wide")}`,
};

/** Stores each payment as a row, with the columns that features need and an index for each entity. */
export async function storeRows(sql: SqlClient, payments: readonly Payment[]): Promise<void> {
  await sql.query(
    `CREATE TABLE plain_payments (
       payment_id text COLLATE "C" PRIMARY KEY, customer_id text COLLATE "C",
       merchant_id text COLLATE "C", event_time bigint, amount numeric, country text, paid_at text)`,
    [],
  );
  await sql.query(
    `INSERT INTO plain_payments
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[]::numeric[],
                          $6::text[], $7::text[])`,
    [
      payments.map((payment) => payment.payment_id),
      payments.map((payment) => payment.customer_id),
      payments.map((payment) => payment.merchant_id),
      payments.map((payment) => Date.parse(payment.paid_at)),
      payments.map((payment) => payment.amount),
      payments.map((payment) => payment.country),
      payments.map((payment) => payment.paid_at),
    ],
  );
  for (const column of ["customer_id", "merchant_id"]) {
    await sql.query(`CREATE INDEX ON plain_payments (${column}, event_time)`, []);
  }
  await sql.query("VACUUM (ANALYZE) plain_payments", []);
}

/** Bytes of a row: of the heap, of the key, and of the index of one entity. */
export async function bytesPerRow(sql: SqlClient, rows: number): Promise<number> {
  const [row] = await sql.query(
    `SELECT (pg_total_relation_size('plain_payments')
             - pg_relation_size('plain_payments_merchant_id_event_time_idx'))::text AS bytes`,
    [],
  );
  return Number(row?.["bytes"]) / rows;
}

/** The features of entities, each by a look of its own at their rows, in one statement. */
export const queryFeatures = (
  sql: SqlClient,
  view: View,
  keys: readonly string[],
  asOf: number,
): Promise<readonly SqlRow[]> =>
  sql.query(
    `SELECT f.* FROM unnest($1::text[]) WITH ORDINALITY AS k(key, position),
            LATERAL (${QUERIES[view]}) AS f ORDER BY k.position`,
    [keys, asOf],
  );
