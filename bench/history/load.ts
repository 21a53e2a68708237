import type { SqlClient } from "../../src/platform/neon/sql-client.ts";
import { DAY_MS } from "../../src/time.ts";

export const TENANT = "bench";
/** Payments happen in the ninety days before this. */
export const END = Date.UTC(2026, 10, 1);
const SPAN = 90 * DAY_MS;

/** Each entity has about a hundred payments; a twentieth of them is known only within a day. */
export const EVENTS_EACH = 100;

/** A whole number from 0 that looks random and is the same each time. */
const drawn = (of: string, salt: number, below: number): string =>
  `(hashint8extended(${of}, ${salt}) & 9007199254740991) % ${below}`;

const EVENTS = `
INSERT INTO events (tenant, source, event_id, event_time, ingest_time, known_at, sign, order_key,
                    body_hash, body)
SELECT '${TENANT}', 'payments', p.id, p.at, p.at + 200, p.at + 200 + p.late, 1, p.id,
       decode(md5(p.id), 'hex'),
       format('{"amount":"%s.%s","country":"DE","customer_id":"c%s","email":"t1_%s","merchant_id":"m%s","paid_at":"%s","payment_id":"%s"}',
              p.cents / 100, lpad((p.cents % 100)::text, 2, '0'), p.customer, left(md5(p.id), 22),
              p.cents % 500, to_char(to_timestamp(p.at / 1000.0), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
              p.id)::json
  FROM (SELECT 'pay_' || i AS id,
               ${END} - 1 - ${drawn("i", 1, SPAN)} AS at,
               CASE WHEN ${drawn("i", 2, 20)} = 0 THEN ${drawn("i", 3, DAY_MS)} ELSE 0 END AS late,
               ${drawn("i", 4, 20_000)} AS cents,
               ${drawn("i", 5, 1_000_000_007)} % $3::bigint AS customer
          FROM generate_series($1::bigint, $2::bigint) AS i) AS p`;

/** What folding would have written: each customer's payments in the order of their commits. */
const LOG = `
INSERT INTO entity_log (tenant, entity, entity_key, version, known_at, source, event_id)
SELECT '${TENANT}', 'customer', e.body ->> 'customer_id',
       row_number() OVER (PARTITION BY e.body ->> 'customer_id' ORDER BY e.known_at, e.event_id),
       e.known_at, e.source, e.event_id
  FROM events e WHERE e.tenant = '${TENANT}'`;

const HEADS = `
INSERT INTO entity_heads (tenant, entity, entity_key, previous, version, builds)
SELECT tenant, entity, entity_key, 0, max(version), 0 FROM entity_log GROUP BY 1, 2, 3`;

/** What one would ask without Freshet: a table made for it, with the index that it needs. */
const PLAIN = `
CREATE TABLE plain_payments AS
SELECT e.body ->> 'customer_id' AS customer_id, e.event_time, l.known_at,
       (e.body ->> 'amount')::numeric AS amount
  FROM entity_log l JOIN events e USING (tenant, source, event_id)`;

const CHUNK = 50_000;

/** Fills a database with payments and their log, as if they had been committed one by one. */
export async function loadPayments(
  sql: SqlClient,
  events: number,
  eventsEach = EVENTS_EACH,
): Promise<void> {
  for (let from = 1; from <= events; from += CHUNK) {
    const to = Math.min(events, from + CHUNK - 1);
    await sql.query(EVENTS, [from, to, Math.ceil(events / eventsEach)]);
  }
  for (const statement of [
    LOG,
    HEADS,
    PLAIN,
    "CREATE INDEX ON plain_payments (customer_id, event_time) INCLUDE (known_at, amount)",
    "ANALYZE",
  ]) {
    await sql.query(statement, []);
  }
}
