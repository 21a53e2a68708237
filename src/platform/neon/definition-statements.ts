import { LOG_EVENT_COLUMNS, NO_EVENT_COLUMNS } from "./log-event.ts";

export const LIST = `
SELECT name, version, state_id, spec_hash, spec::text AS spec, entity,
       complete AND NOT withdrawn AS complete,
       retired_at IS NOT NULL AS retired, join_plan::text AS join_plan
  FROM feature_views ORDER BY name, version`;

/** $1 state ids that stay. */
export const WITHDRAW = `
UPDATE feature_views SET withdrawn = true
 WHERE retired_at IS NULL AND state_id <> ALL ($1::text[])
RETURNING state_id`;

/** $1 state ids that stay, $2 now. */
export const RETIRE = `
UPDATE feature_views SET retired_at = $2::bigint
 WHERE retired_at IS NULL AND state_id <> ALL ($1::text[])`;

/** $1 state ids. Nobody folded into the states of a view while it was retired. */
export const FORGET_STATES = `
DELETE FROM entity_states s USING feature_views v
 WHERE v.retired_at IS NOT NULL AND v.state_id = ANY ($1::text[])
   AND s.entity = v.entity AND s.state_id = v.state_id`;

/**
 * Before views are registered, in the same transaction: waits for the commits under way, which read
 * this table, and keeps others until they see the views.
 */
export const KEEP_COMMITS = "LOCK TABLE feeds IN ACCESS EXCLUSIVE MODE";

/**
 * Before that table is locked: all consumers wait behind a lock that waits. Whoever reads it for long,
 * as a backup does, is to hold up the registering alone, which is sent again (store-error.ts).
 */
export const BE_BRIEF = { text: "SET LOCAL lock_timeout = '4s'", params: [] } as const;

/**
 * $1 state ids, $2 plans of joins. One that was withdrawn alone has been folded into all the time. A
 * view that was registered before joins were kept is given its own.
 */
export const RETURN = `
UPDATE feature_views f
   SET retired_at = NULL, complete = complete AND retired_at IS NULL, withdrawn = false,
       join_plan = coalesce(f.join_plan, v.join_plan::json)
  FROM unnest($1::text[], $2::text[]) AS v(state_id, join_plan)
 WHERE f.state_id = v.state_id
   AND (f.retired_at IS NOT NULL OR f.withdrawn
        OR f.join_plan IS NULL AND v.join_plan IS NOT NULL)`;

/** Leaves out what is there. */
export const REGISTER = `
INSERT INTO feature_views (name, version, spec_hash, state_id, spec, entity, join_plan, complete,
                           registered_at)
SELECT v.name,
       coalesce((SELECT max(version) FROM feature_views f WHERE f.name = v.name), 0)
         + row_number() OVER (PARTITION BY v.name ORDER BY v.position),
       v.spec_hash, v.state_id, v.spec::json, v.entity, v.join_plan::json,
       NOT EXISTS (SELECT FROM entity_heads h WHERE h.entity = v.entity AND h.version > 0), $7::bigint
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
    WITH ORDINALITY AS v(name, spec_hash, state_id, spec, entity, join_plan, position)
 WHERE NOT EXISTS (SELECT FROM feature_views f WHERE f.state_id = v.state_id)
 ORDER BY v.name COLLATE "C", v.position
ON CONFLICT DO NOTHING`;

/**
 * Versions have no gaps, so that they tell how many events an entity has. LATERAL … OFFSET 0 looks
 * each of these few up, whatever the planner believes of the log's size; see APPEND. An entity's
 * events are peers of each other: the sum of bytes is that up to its end. The row without an event
 * is the first entity, whether it fits or not.
 */
export const READ_HISTORIES = `
WITH next AS MATERIALIZED (
  SELECT tenant, entity, entity_key, version FROM entity_heads
   WHERE entity = $1 AND version > 0 AND (tenant, entity_key) > ($2::text, $3::text)
   ORDER BY tenant, entity_key LIMIT $4::int
), counted AS (
  SELECT *, sum(version) OVER (ORDER BY tenant, entity_key) AS events FROM next
), sized AS (
  SELECT page.tenant AS entity_tenant, page.entity_key, page.version, l.number, e.*,
         sum(octet_length(e.body::text)) OVER (ORDER BY page.tenant, page.entity_key) AS bytes
    FROM (SELECT * FROM counted WHERE events <= $5::bigint) AS page
   CROSS JOIN LATERAL (
      SELECT l.tenant, l.source, l.event_id, l.version AS number FROM entity_log l
       WHERE l.tenant = page.tenant AND l.entity = page.entity AND l.entity_key = page.entity_key
      OFFSET 0
    ) AS l
   CROSS JOIN LATERAL (
      SELECT * FROM events e
       WHERE e.tenant = l.tenant AND e.source = l.source AND e.event_id = l.event_id OFFSET 0
    ) AS e
)
SELECT e.entity_tenant, e.entity_key, e.version, e.number, ${LOG_EVENT_COLUMNS}
  FROM sized AS e WHERE e.bytes <= $6::bigint
UNION ALL
(SELECT tenant, entity_key, version, NULL, ${NO_EVENT_COLUMNS}
   FROM next ORDER BY tenant, entity_key LIMIT 1)
 ORDER BY 1, 2, 4`;

/**
 * $1–$3 entity, $4 versions, $5 bytes. The row without an event tells the head, and how many of the
 * versions come before the first that does not fit.
 */
export const READ_VERSIONS = `
WITH head AS MATERIALIZED (
  SELECT version FROM entity_heads WHERE tenant = $1 AND entity = $2 AND entity_key = $3
), sized AS (
  SELECT v.position::int AS position, v.version AS number, e.*,
         coalesce(sum(octet_length(e.body::text)) OVER (
           ORDER BY v.position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
    FROM unnest($4::bigint[]) WITH ORDINALITY AS v(version, position)
   CROSS JOIN LATERAL (
      SELECT l.source, l.event_id FROM entity_log l
       WHERE l.tenant = $1 AND l.entity = $2 AND l.entity_key = $3 AND l.version = v.version
      OFFSET 0
    ) AS l
   CROSS JOIN LATERAL (
      SELECT * FROM events e
       WHERE e.tenant = $1 AND e.source = l.source AND e.event_id = l.event_id OFFSET 0
    ) AS e
   WHERE v.version <= (SELECT version FROM head)
)
SELECT e.position, NULL AS head, NULL AS covered, e.number, ${LOG_EVENT_COLUMNS}
  FROM sized AS e WHERE e.before < $5::bigint
UNION ALL
SELECT 0, (SELECT version FROM head), (SELECT min(position) - 1 FROM sized WHERE before >= $5::bigint),
       NULL, ${NO_EVENT_COLUMNS}
 ORDER BY 1`;

/**
 * The head's lock keeps the version until the state is written; a commit that was folded without
 * the state, and waits for the lock, then finds another number of builds and is lost.
 */
export const PUT_STATES = `
WITH input AS MATERIALIZED (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[])
    WITH ORDINALITY AS i(tenant, entity, entity_key, version, state_id, bytes, position)
), current AS MATERIALIZED (
  SELECT i.position FROM input i JOIN entity_heads h USING (tenant, entity, entity_key)
   WHERE h.version = i.version
   ORDER BY h.tenant, h.entity, h.entity_key FOR UPDATE OF h
), counted AS (
  UPDATE entity_heads h SET builds = h.builds + 1 FROM current JOIN input i USING (position)
   WHERE h.tenant = i.tenant AND h.entity = i.entity AND h.entity_key = i.entity_key
), saved AS (
  INSERT INTO entity_states (tenant, entity, entity_key, state_id, version, bytes)
  SELECT tenant, entity, entity_key, state_id, version, decode(bytes, 'base64')
    FROM current JOIN input USING (position)
   ORDER BY tenant COLLATE "C", entity COLLATE "C", entity_key COLLATE "C", state_id COLLATE "C"
  ON CONFLICT (tenant, entity, entity_key, state_id) DO UPDATE
     SET version = excluded.version, bytes = excluded.bytes
)
SELECT position::int FROM current`;

export const READ_EVENTS = `
SELECT ${LOG_EVENT_COLUMNS} FROM events e
 WHERE e.tenant = $1 AND e.source = $2 AND e.event_id > $3 ORDER BY e.event_id LIMIT $4::int`;
