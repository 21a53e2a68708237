import type { SqlClient } from "../../src/platform/neon/sql-client.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/time.ts";
import { END } from "../history/load.ts";

/** Length and hop of each window. */
const WINDOWS = {
  "1h": [HOUR_MS, 5 * MINUTE_MS],
  "1d": [DAY_MS, HOUR_MS],
  "7d": [7 * DAY_MS, HOUR_MS],
  "30d": [30 * DAY_MS, DAY_MS],
} as const;

function over(expression: string, window: keyof typeof WINDOWS): string {
  const [length, hop] = WINDOWS[window];
  const start = Math.floor((END - length) / hop) * hop;
  return `${expression} FILTER (WHERE event_time >= ${start})`;
}

const FEATURES = (["1h", "1d", "7d", "30d"] as const)
  .flatMap((window) => [over("count(*)", window), over("sum(amount)", window)])
  .concat(over("max(amount)", "7d"), over("avg(amount)", "30d"))
  .map((expression, i) => `${expression} AS f${i}`)
  .join(", ");

const FROM_LOG = `
SELECT e.body ->> 'customer_id' AS customer_id, e.event_time, (e.body ->> 'amount')::numeric AS amount
  FROM entity_log l JOIN events e USING (tenant, source, event_id) WHERE l.entity = 'customer'`;

/**
 * The least that computing ten features of every entity can take: one statement, for one instant,
 * which keeps no tiles and so cannot slide on, from the same log or from a table made for it.
 */
export async function groupBy(sql: SqlClient, from: "log" | "table"): Promise<number> {
  const rows = from === "log" ? FROM_LOG : "SELECT * FROM plain_payments";
  const begun = performance.now();
  await sql.query(
    `CREATE TABLE plain_built AS SELECT customer_id, ${FEATURES} FROM (${rows}) AS r
      GROUP BY customer_id`,
    [],
  );
  const ms = performance.now() - begun;
  await sql.query("DROP TABLE plain_built", []);
  return ms;
}
