/**
 * Folds of many entities, each all or nothing: $1–$5 commits (tenant, entity, key, version read,
 * how many were folded), $6–$9 references (commit, number from 1 or null for poison, source, event
 * id), $10–$12 states (commit, state id, base64), $13 now, $14 builds seen by each commit. Answers the
 * positions that won.
 *
 * A state that was built meanwhile lacks what this fold adds: so builds are compared as well.
 *
 * The lock on the head orders everything below it. Stale heads are left out first, because a lost
 * ON CONFLICT … WHERE would lock them as well. A folded reference that no longer waits gets a null
 * known_at, which refuses the whole statement: it is counted already, or was set aside as poison.
 *
 * The planner believes a queue that was analysed while empty to be empty; see APPEND.
 */
export const COMMIT = `
WITH input AS MATERIALIZED (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::int[], $14::bigint[])
    WITH ORDINALITY AS i(tenant, entity, entity_key, read_version, folded, builds, position)
), stale AS MATERIALIZED (
  SELECT i.position FROM input i LEFT JOIN LATERAL (
    SELECT h.version, h.builds FROM entity_heads h
     WHERE h.tenant = i.tenant AND h.entity = i.entity AND h.entity_key = i.entity_key OFFSET 0
  ) AS h ON true
   WHERE coalesce(h.version, 0) <> i.read_version OR coalesce(h.builds, 0) <> i.builds
), won AS (
  INSERT INTO entity_heads AS h (tenant, entity, entity_key, previous, version, builds)
  SELECT tenant, entity, entity_key, read_version, read_version + folded, builds
    FROM input WHERE position NOT IN (SELECT position FROM stale)
   ORDER BY tenant COLLATE "C", entity COLLATE "C", entity_key COLLATE "C"
  ON CONFLICT (tenant, entity, entity_key) DO UPDATE
     SET previous = excluded.previous, version = excluded.version
   WHERE h.version = excluded.previous AND h.builds = excluded.builds
  RETURNING tenant, entity, entity_key
), winner AS MATERIALIZED (
  SELECT position, tenant, entity, entity_key, read_version, read_version + folded AS version
    FROM input WHERE ((tenant, entity, entity_key) IN (SELECT * FROM won)) IS TRUE
), reference AS MATERIALIZED (
  SELECT w.tenant, w.entity, w.entity_key, w.read_version + r.number AS version,
         r.source, r.event_id, waiting.row_id
    FROM unnest($6::int[], $7::int[], $8::text[], $9::text[]) AS r(commit, number, source, event_id)
    JOIN winner w ON w.position = r.commit
    LEFT JOIN LATERAL (
      SELECT p.ctid AS row_id FROM pending p
       WHERE p.tenant = w.tenant AND p.entity = w.entity AND p.entity_key = w.entity_key
         AND p.source = r.source AND p.event_id = r.event_id OFFSET 0
    ) AS waiting ON true
), removed AS (
  -- Rows of pending are never updated, so that their place names them within the snapshot.
  DELETE FROM pending p WHERE p.ctid = ANY (ARRAY(SELECT row_id FROM reference)) RETURNING p.ctid
), numbered AS (
  INSERT INTO entity_log (tenant, entity, entity_key, version, known_at, source, event_id)
  SELECT r.tenant, r.entity, r.entity_key, r.version,
         CASE WHEN r.row_id IN (SELECT ctid FROM removed)
              THEN (SELECT least(e.known_at, $13::bigint) FROM events e
                     WHERE e.tenant = r.tenant AND e.source = r.source AND e.event_id = r.event_id)
         END, r.source, r.event_id
    FROM reference r WHERE r.version IS NOT NULL
   ORDER BY r.tenant COLLATE "C", r.entity COLLATE "C", r.entity_key COLLATE "C", r.version
), saved AS (
  INSERT INTO entity_states (tenant, entity, entity_key, state_id, version, bytes)
  SELECT w.tenant, w.entity, w.entity_key, s.state_id, w.version, decode(s.bytes, 'base64')
    FROM unnest($10::int[], $11::text[], $12::text[]) AS s(commit, state_id, bytes)
    JOIN winner w ON w.position = s.commit
   ORDER BY w.tenant COLLATE "C", w.entity COLLATE "C", w.entity_key COLLATE "C", s.state_id
  ON CONFLICT (tenant, entity, entity_key, state_id) DO UPDATE
     SET version = excluded.version, bytes = excluded.bytes
), queued AS (
  INSERT INTO outbox (tenant, entity, entity_key, version, since, changed_at)
  SELECT tenant, entity, entity_key, version, $13::bigint, $13::bigint
    FROM winner WHERE version > read_version
   ORDER BY tenant COLLATE "C", entity COLLATE "C", entity_key COLLATE "C"
  ON CONFLICT (tenant, entity, entity_key) DO UPDATE
     SET version = excluded.version, changed_at = excluded.changed_at
)
SELECT position::int FROM winner`;
