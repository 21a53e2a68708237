import { restOf, type FoldedEvent, type HistoryLog } from "../../features/history/history-log.ts";
import type { SqlClient } from "./sql-client.ts";

/** $1 tenant, $2 entity, $3 keys. */
const READ_HEADS = `
SELECT k.position::int AS position, h.version, x.entity_key IS NOT NULL AS erased
  FROM unnest($3::text[]) WITH ORDINALITY AS k(entity_key, position)
  LEFT JOIN LATERAL (
    SELECT h.version FROM entity_heads h
     WHERE h.tenant = $1 AND h.entity = $2 AND h.entity_key = k.entity_key OFFSET 0
  ) AS h ON true
  LEFT JOIN LATERAL (
    SELECT x.entity_key FROM erasures x
     WHERE x.tenant = $1 AND x.entity = $2 AND x.entity_key = k.entity_key OFFSET 0
  ) AS x ON true`;

/**
 * $1 tenant, $2 entity, $3–$5 slices (key, after, up to), $6 sources, $7–$8 event times from and
 * before, $9 bytes. LATERAL … OFFSET 0 looks each slice up in the log's index and each event in its
 * own, whatever the planner believes of the tables' sizes; see APPEND. The event with which there are
 * so many bytes is the last one, and tells that by a negative position.
 */
const READ_EVENTS = `
SELECT CASE WHEN e.so_far < $9::bigint THEN e.position ELSE -e.position END::int AS position,
       e.version, e.known_at, e.source, e.event_time, e.order_key, e.sign, e.body::text AS body
  FROM (
    SELECT s.position, l.version, l.known_at, l.source, e.event_time, e.order_key, e.sign, e.body,
           e.bytes, sum(e.bytes) OVER (
             ORDER BY s.position, l.version DESC ROWS UNBOUNDED PRECEDING) AS so_far
      FROM unnest($3::text[], $4::bigint[], $5::bigint[])
             WITH ORDINALITY AS s(entity_key, after, up_to, position)
     CROSS JOIN LATERAL (
        SELECT l.version, l.known_at, l.source, l.event_id FROM entity_log l
         WHERE l.tenant = $1 AND l.entity = $2 AND l.entity_key = s.entity_key
           AND l.version > s.after AND l.version <= s.up_to AND l.source = ANY ($6::text[]) OFFSET 0
      ) AS l
     CROSS JOIN LATERAL (
        SELECT e.event_time, e.order_key, e.sign, e.body, octet_length(e.body::text) AS bytes
          FROM events e
         WHERE e.tenant = $1 AND e.source = l.source AND e.event_id = l.event_id
           AND e.event_time >= $7::bigint AND e.event_time < $8::bigint OFFSET 0
      ) AS e
  ) AS e
 WHERE e.so_far - e.bytes < $9::bigint
 ORDER BY e.position, e.version DESC`;

/** Beyond every event time, and a whole number. */
const ALWAYS = 2 ** 52;
const bounded = (time: number): number => Math.max(-ALWAYS, Math.min(ALWAYS, time));

/** The folded events, in Postgres. */
export function createHistoryLog(client: SqlClient): HistoryLog {
  return {
    async readHeads(tenant, entity, keys) {
      const rows = await client.query(READ_HEADS, [tenant, entity, keys]);
      const heads = keys.map(() => ({ version: 0, erased: false }));
      for (const row of rows) {
        const version = Number(row["version"] ?? 0);
        heads[Number(row["position"]) - 1] = { version, erased: row["erased"] === true };
      }
      return heads;
    },

    async readEvents(tenant, entity, slices, { sources, from, before }, bytes) {
      const rows = await client.query(READ_EVENTS, [
        tenant,
        entity,
        slices.map(({ key }) => key),
        slices.map(({ after }) => after),
        slices.map(({ upTo }) => upTo),
        sources,
        bounded(from),
        bounded(before),
        bytes,
      ]);
      const events = rows.map((row): FoldedEvent => ({
        slice: Math.abs(Number(row["position"])) - 1,
        version: Number(row["version"]),
        knownAt: Number(row["known_at"]),
        source: String(row["source"]),
        eventTime: Number(row["event_time"]),
        orderKey: String(row["order_key"]),
        sign: Number(row["sign"]) < 0 ? -1 : 1,
        body: String(row["body"]),
      }));
      const last = Number(rows.at(-1)?.["position"] ?? 0) < 0 ? events.at(-1) : undefined;
      return { events, rest: last === undefined ? [] : restOf(slices, last) };
    },
  };
}
