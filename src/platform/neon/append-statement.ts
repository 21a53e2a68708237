import { BYTES_AROUND } from "../../features/waiting-limits.ts";
import { setAside } from "./missed-sql.ts";
import { VIEWS_IN_USE } from "./views-in-use-sql.ts";

/**
 * Stores events and pending contributions and reads the touched entities, all in one snapshot:
 * $1–$11 and $20 events, $12–$14 contributions, $15–$17 touched entities, $18 state ids, $19 now,
 * $21–$26 moves of rows ($20 says which one an event is part of), $27 feeds that the caller knows,
 * $28–$31 how much of what waits is answered: events of each entity, in all beyond these, of one where
 * sources meet (its kind has an `@`), and bytes.
 *
 * The snapshot sees nothing of what the statement itself adds: the caller joins the verdicts (a
 * letter per event) with what it sent. Rows are locked in key order, everywhere, rows of
 * tables before events before contributions: no deadlocks.
 *
 * Queues are empty when they are analysed, and the planner then expects them to stay so. Hence
 * LATERAL … OFFSET 0, one look-up per row, and IN within an expression, which is always hashed.
 */
export const APPEND = `
WITH input AS MATERIALIZED (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[],
                       $7::bigint[], $8::smallint[], $9::text[], $10::text[], $11::text[],
                       $20::int[])
    WITH ORDINALITY AS i(tenant, source, event_id, event_time, original_event_time, ingest_time,
                         known_at, sign, order_key, body_hash, body, move, position)
), move AS MATERIALIZED (
  SELECT * FROM unnest($21::text[], $22::text[], $23::text[], $24::text[], $25::text[], $26::text[])
    WITH ORDINALITY AS m(tenant, source, row_key, from_order, to_order, event_id, position)
), moved AS (
  -- A row that has moved on is left out before it would be locked.
  INSERT INTO source_rows (tenant, source, row_key, order_key, previous, event_id)
  SELECT m.tenant, m.source, m.row_key, m.to_order, m.from_order, m.event_id
    FROM move m LEFT JOIN LATERAL (
      SELECT r.order_key FROM source_rows r
       WHERE r.tenant = m.tenant AND r.source = m.source AND r.row_key = m.row_key OFFSET 0
    ) AS present ON true
   WHERE present.order_key IS NOT DISTINCT FROM m.from_order
   ORDER BY m.tenant COLLATE "C", m.source COLLATE "C", m.row_key COLLATE "C"
  ON CONFLICT (tenant, source, row_key) DO UPDATE
     SET order_key = excluded.order_key, previous = excluded.previous, event_id = excluded.event_id
   WHERE source_rows.order_key = excluded.previous
  RETURNING tenant, source, row_key
), won AS MATERIALIZED (
  SELECT m.position FROM move m
   WHERE ((m.tenant, m.source, m.row_key) IN (SELECT tenant, source, row_key FROM moved)) IS TRUE
), known AS (
  -- A key is made without a database: a tenant may be heard of here first.
  INSERT INTO tenants (tenant, generation, revision, created_at)
  SELECT i.tenant, 'gen_' || translate(gen_random_uuid()::text, '-', ''), 0, $19::bigint
    FROM input i WHERE NOT EXISTS (SELECT FROM tenants t WHERE t.tenant = i.tenant)
   GROUP BY i.tenant ORDER BY i.tenant
  ON CONFLICT (tenant) DO NOTHING
), contribution AS MATERIALIZED (
  SELECT i.position, i.tenant, c.entity, c.entity_key, i.source, i.event_id, i.ingest_time
    FROM unnest($12::int[], $13::text[], $14::text[]) AS c(event, entity, entity_key)
    JOIN input i ON i.position = c.event
), touched AS MATERIALIZED (
  SELECT * FROM unnest($15::text[], $16::text[], $17::text[])
    WITH ORDINALITY AS t(tenant, entity, entity_key, position)
), erased AS MATERIALIZED (
  SELECT c.position FROM contribution c CROSS JOIN LATERAL (
    SELECT FROM erasures x
     WHERE x.tenant = c.tenant AND x.entity = c.entity AND x.entity_key = c.entity_key
       AND c.ingest_time <= x.erased_at OFFSET 0) AS tombstone
), accepted AS (
  INSERT INTO events (tenant, source, event_id, event_time, original_event_time, ingest_time,
                      known_at, sign, order_key, body_hash, body)
  SELECT tenant, source, event_id, event_time, original_event_time, ingest_time,
         known_at, sign, order_key, decode(body_hash, 'hex'), body::json
    FROM input
   WHERE (SELECT count(*) FROM won) >= 0 -- so that rows are locked before any event
     AND position NOT IN (SELECT position FROM erased)
     AND (move IS NULL OR move IN (SELECT position FROM won))
   ORDER BY tenant COLLATE "C", source COLLATE "C", event_id COLLATE "C"
  ON CONFLICT (tenant, source, event_id) DO NOTHING
  RETURNING tenant, source, event_id
), verdict AS MATERIALIZED (
  -- Neither inserted nor visible: another transaction wrote it after our snapshot.
  SELECT i.position,
         CASE WHEN (i.tenant, i.source, i.event_id)
                   IN (SELECT tenant, source, event_id FROM accepted) THEN 'a'
              WHEN i.move > 0 AND i.move NOT IN (SELECT position FROM won) THEN 'u'
              WHEN i.position IN (SELECT position FROM erased) THEN 'e'
              WHEN stored.body_hash IS NULL THEN 'u'
              WHEN stored.body_hash = decode(i.body_hash, 'hex') THEN 'd'
              ELSE 'c' END AS letter
    FROM input i LEFT JOIN LATERAL (
      SELECT s.body_hash FROM events s
       WHERE s.tenant = i.tenant AND s.source = i.source AND s.event_id = i.event_id OFFSET 0
    ) AS stored ON true
), added AS (
  INSERT INTO pending (tenant, entity, entity_key, source, event_id, since)
  SELECT c.tenant, c.entity, c.entity_key, c.source, c.event_id, $19::bigint
    FROM contribution c
   WHERE (c.position IN (SELECT v.position FROM verdict v WHERE v.letter = 'a')) IS TRUE
   ORDER BY c.tenant COLLATE "C", c.entity COLLATE "C", c.entity_key COLLATE "C"
  ON CONFLICT DO NOTHING
), missed AS (${setAside("accepted", "$27")}
  RETURNING event_id
), first AS MATERIALIZED (
  SELECT t.position, t.tenant, w.source, w.event_id, w.known_at, w.since, w.place
    FROM touched t CROSS JOIN LATERAL (
    SELECT p.source, p.event_id, p.known_at, p.since,
           row_number() OVER (ORDER BY p.source, p.event_id) AS place
      FROM pending p
     WHERE p.tenant = t.tenant AND p.entity = t.entity AND p.entity_key = t.entity_key
     ORDER BY p.source, p.event_id
     LIMIT least($28::int, CASE WHEN strpos(t.entity, '@') > 0 THEN $30::int END)
  ) AS w
), further AS MATERIALIZED (
  SELECT t.position, t.tenant, w.source, w.event_id, w.known_at, w.since, f.place + w.place AS place
    FROM first f JOIN touched t ON t.position = f.position CROSS JOIN LATERAL (
    SELECT p.source, p.event_id, p.known_at, p.since,
           row_number() OVER (ORDER BY p.source, p.event_id) AS place
      FROM pending p
     WHERE p.tenant = t.tenant AND p.entity = t.entity AND p.entity_key = t.entity_key
       AND (p.source, p.event_id) > (f.source, f.event_id)
     ORDER BY p.source, p.event_id
     LIMIT CASE WHEN strpos(t.entity, '@') > 0 THEN $30::int - f.place ELSE $29::int END
  ) AS w
   WHERE f.place = $28::int
   LIMIT $29::int
), waiting AS MATERIALIZED (
  SELECT * FROM first UNION ALL SELECT * FROM further
), fitting AS (
  -- The first of each entity before the second of any. What is stored, beside its header, is no larger
  -- than what it holds, and its size is known without reading it.
  SELECT e.*, sum(octet_length(e.body::text) + ${BYTES_AROUND}) OVER (
           ORDER BY e.place, e.source, e.event_id
           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM (
      SELECT w.place, s.*, sum(pg_column_size(s.body) - 4 + ${BYTES_AROUND}) OVER (
               ORDER BY w.place, s.source, s.event_id
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS stored_before
        FROM (SELECT tenant, source, event_id, min(place) AS place
                FROM waiting GROUP BY tenant, source, event_id) AS w
       CROSS JOIN LATERAL (
          SELECT * FROM events s
           WHERE s.tenant = w.tenant AND s.source = w.source AND s.event_id = w.event_id OFFSET 0
        ) AS s
    ) AS e WHERE coalesce(e.stored_before, 0) < $31::bigint
)
SELECT 'verdicts' AS kind, 0 AS position, string_agg(letter, '' ORDER BY position) AS a,
       NULL AS b, NULL AS c, NULL AS d, NULL AS e, NULL AS f FROM verdict
UNION ALL
SELECT 'moved', position, NULL, NULL, NULL, NULL, NULL, NULL FROM won
UNION ALL
SELECT 'head', t.position, h.version::text, h.builds::text, NULL, NULL, NULL, NULL
  FROM touched t CROSS JOIN LATERAL (
    SELECT h.version, h.builds FROM entity_heads h
     WHERE h.tenant = t.tenant AND h.entity = t.entity AND h.entity_key = t.entity_key OFFSET 0
  ) AS h
UNION ALL
SELECT 'erased', t.position, NULL, NULL, NULL, NULL, NULL, NULL
  FROM touched t CROSS JOIN LATERAL (
    SELECT FROM erasures x
     WHERE x.tenant = t.tenant AND x.entity = t.entity AND x.entity_key = t.entity_key OFFSET 0
  ) AS tombstone
UNION ALL
SELECT 'state', t.position, s.state_id, translate(encode(s.bytes, 'base64'), E'\\n', ''),
       NULL, NULL, NULL, NULL
  FROM touched t CROSS JOIN LATERAL (
    SELECT s.state_id, s.bytes FROM entity_states s
     WHERE s.tenant = t.tenant AND s.entity = t.entity AND s.entity_key = t.entity_key
       AND s.state_id = ANY ($18::text[]) OFFSET 0
  ) AS s
UNION ALL
SELECT 'complete', 0, v.state_id, NULL, NULL, NULL, NULL, NULL
  FROM feature_views v WHERE v.complete AND v.state_id = ANY ($18::text[])
UNION ALL
SELECT DISTINCT 'newer', 0, v.entity, NULL, NULL, NULL, NULL, NULL
  FROM feature_views v
 WHERE v.retired_at IS NULL AND v.entity = ANY ($16::text[]) AND v.state_id <> ALL ($18::text[])
UNION ALL
SELECT 'aside', 0, NULL, NULL, NULL, NULL, NULL, NULL WHERE EXISTS (SELECT FROM missed)
UNION ALL
SELECT 'views', 0, ${VIEWS_IN_USE}, NULL, NULL, NULL, NULL, NULL
UNION ALL
SELECT 'event', 0, s.tenant, s.source, s.event_id, s.order_key, s.body::text,
       concat_ws(',', s.event_time, coalesce(s.original_event_time::text, ''), s.ingest_time,
                 coalesce(s.known_at::text, ''), s.sign, encode(s.body_hash, 'hex'))
  FROM fitting s WHERE coalesce(s.before, 0) < $31::bigint
UNION ALL
SELECT 'waiting', w.position, w.tenant, w.source, w.event_id, w.known_at::text, w.since::text,
       w.place::text
  FROM waiting w`;
