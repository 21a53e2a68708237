import type { LogEvent } from "../../src/features/event-log.ts";
import type { SqlClient } from "../../src/platform/neon/sql-client.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../../src/time.ts";

/** What one would write without Freshet: one statement that takes a batch of events. */
export type PlainWrite = (events: readonly LogEvent[]) => Promise<void>;

const EVENT_COLUMNS = `
  event_id text COLLATE "C", event_time bigint, ingest_time bigint, body_hash bytea, body json`;

const EVENTS = `
  SELECT e.event_id, e.event_time, e.ingest_time, decode(e.body_hash, 'hex') AS body_hash,
         e.body::json AS body
    FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[])
      AS e(event_id, event_time, ingest_time, body_hash, body)`;

const eventParams = (events: readonly LogEvent[]) => [
  events.map(({ eventId }) => eventId),
  events.map(({ eventTime }) => eventTime),
  events.map(({ ingestTime }) => ingestTime),
  events.map(({ bodyHash }) => bodyHash),
  events.map(({ body }) => body),
];

/** Stores each event as a row, once, and computes nothing. */
export async function openRows(sql: SqlClient): Promise<PlainWrite> {
  await sql.query(`CREATE TABLE plain_rows (${EVENT_COLUMNS}, PRIMARY KEY (event_id))`, []);
  const statement = `
    INSERT INTO plain_rows (event_id, event_time, ingest_time, body_hash, body) ${EVENTS}
     ORDER BY e.event_id COLLATE "C"
    ON CONFLICT DO NOTHING`;
  return async (events) => void (await sql.query(statement, eventParams(events)));
}

/** The tiles of the example's views: a payment falls into four of its customer, six of its merchant. */
const TILES = [
  ...[5 * MINUTE_MS, HOUR_MS, DAY_MS, 2 ** 52].map((sizeMs) => ["customer_id", sizeMs] as const),
  ...[30 * SECOND_MS, MINUTE_MS, 5 * MINUTE_MS, HOUR_MS, DAY_MS, 2 ** 52].map(
    (sizeMs) => ["merchant_id", sizeMs] as const,
  ),
];

/**
 * Stores each event as a row, once, and has SQL merge it into a row for each of its tiles: count,
 * sum and maximum. Less than the example's features need, in Postgres alone.
 */
export async function openTiles(sql: SqlClient): Promise<PlainWrite> {
  await sql.query(`CREATE TABLE plain_events (${EVENT_COLUMNS}, PRIMARY KEY (event_id))`, []);
  await sql.query(
    `CREATE TABLE plain_tiles (
       entity text COLLATE "C", entity_key text COLLATE "C", size_ms bigint, start_ms bigint,
       n bigint, total numeric, largest numeric, PRIMARY KEY (entity, entity_key, size_ms, start_ms)
     ) WITH (fillfactor = 80)`,
    [],
  );
  const sizes = TILES.map(([entity, sizeMs]) => `('${entity}', ${sizeMs}::bigint)`).join(", ");
  const statement = `
    WITH accepted AS (
      INSERT INTO plain_events (event_id, event_time, ingest_time, body_hash, body) ${EVENTS}
       ORDER BY e.event_id COLLATE "C"
      ON CONFLICT DO NOTHING RETURNING event_time, body
    )
    INSERT INTO plain_tiles AS t (entity, entity_key, size_ms, start_ms, n, total, largest)
    SELECT entity, entity_key, size_ms, start_ms, count(*), sum(amount), max(amount)
      FROM (SELECT s.entity, a.body ->> s.entity AS entity_key, s.size_ms,
                   a.event_time / s.size_ms * s.size_ms AS start_ms,
                   (a.body ->> 'amount')::numeric AS amount
              FROM accepted a CROSS JOIN (VALUES ${sizes}) AS s(entity, size_ms)) AS tile
     GROUP BY entity, entity_key, size_ms, start_ms
     ORDER BY entity COLLATE "C", entity_key COLLATE "C", size_ms, start_ms
    ON CONFLICT (entity, entity_key, size_ms, start_ms) DO UPDATE
       SET n = t.n + excluded.n, total = t.total + excluded.total,
           largest = greatest(t.largest, excluded.largest)`;
  return async (events) => void (await sql.query(statement, eventParams(events)));
}
