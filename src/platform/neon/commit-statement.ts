import { contribute, logged, setAside, takeMissed } from "./missed-sql.ts";
import { VIEWS_IN_USE } from "./views-in-use-sql.ts";

/**
 * Folds of many entities, each all or nothing: $1–$5 commits (tenant, entity, key, version read,
 * how many were folded), $6–$9 references (commit, number from 1 or null for poison, source, event
 * id), $10–$12 states (commit, state id, base64), $13 now, $14 builds seen by each commit, $15 1
 * for an entity where sources meet: its log has times, and nothing is projected, $16 the views in use
 * that the append saw, or null. Answers the positions that won.
 *
 * A state that was built meanwhile lacks what this fold adds: so builds are compared as well. An
 * entity without a head has none, and what registers a view builds it for those that it finds: so a
 * fold made before that is lost too. It locks feeds, and so waits for the commits under way.
 *
 * The lock on the head orders everything below it. Stale heads are left out first, because a lost
 * ON CONFLICT … WHERE would lock them as well. A folded reference that no longer waits gets a null
 * known_at, which refuses the whole statement: it is counted already, or was set aside as poison.
 *
 * The planner believes a queue that was analysed while empty to be empty; see APPEND.
 */
const WINNERS = `
WITH input AS MATERIALIZED (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::int[], $14::bigint[],
                       $15::int[])
    WITH ORDINALITY AS i(tenant, entity, entity_key, read_version, folded, builds, meets, position)
), in_use AS MATERIALIZED (
  SELECT ${VIEWS_IN_USE} AS views WHERE (SELECT count(*) FROM feeds) >= 0
), stale AS MATERIALIZED (
  SELECT i.position FROM input i LEFT JOIN LATERAL (
    SELECT h.version, h.builds FROM entity_heads h
     WHERE h.tenant = i.tenant AND h.entity = i.entity AND h.entity_key = i.entity_key OFFSET 0
  ) AS h ON true
   WHERE coalesce(h.version, 0) <> i.read_version OR coalesce(h.builds, 0) <> i.builds
      OR $16::text <> (SELECT views FROM in_use)
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
  SELECT position, tenant, entity, entity_key, read_version, read_version + folded AS version, meets
    FROM input WHERE ((tenant, entity, entity_key) IN (SELECT * FROM won)) IS TRUE
), reference AS MATERIALIZED (
  SELECT w.tenant, w.entity, w.entity_key, w.read_version + r.number AS version,
         r.source, r.event_id, w.meets, waiting.row_id, waiting.known_at
    FROM unnest($6::int[], $7::int[], $8::text[], $9::text[]) AS r(commit, number, source, event_id)
    JOIN winner w ON w.position = r.commit
    LEFT JOIN LATERAL (
      SELECT p.ctid AS row_id, p.known_at FROM pending p
       WHERE p.tenant = w.tenant AND p.entity = w.entity AND p.entity_key = w.entity_key
         AND p.source = r.source AND p.event_id = r.event_id OFFSET 0
    ) AS waiting ON true
), removed AS (
  -- Rows of pending are never updated, so that their place names them within the snapshot.
  DELETE FROM pending p WHERE p.ctid = ANY (ARRAY(SELECT row_id FROM reference)) RETURNING p.ctid
), numbered AS (
  INSERT INTO entity_log (tenant, entity, entity_key, version, known_at, source, event_id, event_time)
  SELECT r.tenant, r.entity, r.entity_key, r.version,
         CASE WHEN r.row_id IN (SELECT ctid FROM removed)
              THEN least(coalesce(r.known_at, folded.known_at), $13::bigint) END,
         r.source, r.event_id, CASE WHEN r.meets = 1 THEN folded.event_time END
    FROM reference r LEFT JOIN LATERAL (
      SELECT e.known_at, e.event_time FROM events e
       WHERE e.tenant = r.tenant AND e.source = r.source AND e.event_id = r.event_id OFFSET 0
    ) AS folded ON true
   WHERE r.version IS NOT NULL
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
    FROM winner WHERE version > read_version AND meets = 0
   ORDER BY tenant COLLATE "C", entity COLLATE "C", entity_key COLLATE "C"
  ON CONFLICT (tenant, entity, entity_key) DO UPDATE
     SET version = excluded.version, changed_at = excluded.changed_at
)`;

const ANSWER = `
SELECT position::int FROM winner`;

/**
 * Where sources meet, of which versions the time was said with the contribution; imports say theirs
 * themselves.
 */
const PAST = `, past AS (
  INSERT INTO entity_log_past (tenant, entity, entity_key, version)
  SELECT tenant, entity, entity_key, version FROM reference
   WHERE meets = 1 AND known_at IS NOT NULL AND version IS NOT NULL
   ORDER BY tenant COLLATE "C", entity COLLATE "C", entity_key COLLATE "C", version
)`;

/**
 * What the winners' folds made: $17–$27 events (commit, source, id, event, ingest and known time, sign,
 * order key, hash, body, the event that it follows), $28–$30 to whom they are given (event, entity,
 * key), $31 feeds that the caller knows, $32 by which feed each is given. Such an event's id, and its
 * contributions', can only be written by whoever holds the head of the entity that made it: nobody ever
 * waits for these rows, so that they add no way to a deadlock.
 */
const DERIVED = `, derived AS MATERIALIZED (
  SELECT w.tenant, d.* FROM unnest(
           $17::int[], $18::text[], $19::text[], $20::bigint[], $21::bigint[], $22::bigint[],
           $23::smallint[], $24::text[], $25::text[], $26::text[], $27::text[])
    WITH ORDINALITY AS d(commit, source, event_id, event_time, ingest_time, known_at,
                         sign, order_key, body_hash, body, follows, position)
    JOIN winner w ON w.position = d.commit
), given AS MATERIALIZED (
  SELECT d.position, d.tenant, d.source, d.event_id, d.follows, d.ingest_time,
         g.entity, g.entity_key, g.feed
    FROM unnest($28::int[], $29::text[], $30::text[], $32::text[])
         AS g(derived, entity, entity_key, feed)
    JOIN derived d ON d.position = g.derived
), erased AS MATERIALIZED (
  SELECT g.position FROM given g CROSS JOIN LATERAL (
    SELECT FROM erasures x
     WHERE x.tenant = g.tenant AND x.entity = g.entity AND x.entity_key = g.entity_key
       AND g.ingest_time <= x.erased_at OFFSET 0) AS tombstone
), made AS (
  INSERT INTO events (tenant, source, event_id, event_time, original_event_time, ingest_time,
                      known_at, sign, order_key, body_hash, body)
  SELECT tenant, source, event_id, event_time, NULL, ingest_time, known_at, sign, order_key,
         decode(body_hash, 'hex'), body::json
    FROM derived
   WHERE follows IS NULL AND position NOT IN (SELECT position FROM erased)
   ORDER BY tenant COLLATE "C", source COLLATE "C", event_id COLLATE "C"
  ON CONFLICT (tenant, source, event_id) DO NOTHING
  RETURNING tenant, source, event_id
), changed AS (
  -- What was refused because of an erasure is not taken back either.
  INSERT INTO events (tenant, source, event_id, event_time, original_event_time, ingest_time,
                      known_at, sign, order_key, body_hash, body)
  SELECT d.tenant, d.source, d.event_id, d.event_time, NULL, d.ingest_time, d.known_at, d.sign,
         d.order_key, decode(d.body_hash, 'hex'), d.body::json
    FROM derived d LEFT JOIN LATERAL (
      SELECT true AS stored FROM events e
       WHERE e.tenant = d.tenant AND e.source = d.source AND e.event_id = d.follows OFFSET 0
    ) AS followed ON true
   WHERE d.follows IS NOT NULL AND d.position NOT IN (SELECT position FROM erased)
     AND (followed.stored OR ((d.tenant, d.source, d.follows) IN (SELECT * FROM made))) IS TRUE
   ORDER BY d.tenant COLLATE "C", d.source COLLATE "C", d.event_id COLLATE "C"
  ON CONFLICT (tenant, source, event_id) DO NOTHING
  RETURNING tenant, source, event_id
), handed AS (
  INSERT INTO pending (tenant, entity, entity_key, source, event_id, since)
  SELECT g.tenant, g.entity, g.entity_key, g.source, g.event_id, $13::bigint
    FROM given g
   WHERE ((g.tenant, g.source, g.event_id) IN (SELECT * FROM made)
          OR (g.tenant, g.source, g.event_id) IN (SELECT * FROM changed)) IS TRUE
   ORDER BY g.tenant COLLATE "C", g.entity COLLATE "C", g.entity_key COLLATE "C"
  ON CONFLICT DO NOTHING
), named AS MATERIALIZED (
  -- Whoever missed a pair is given it together with what takes it back.
  SELECT tenant, source, follows AS event_id, $31::text[] AS feeds
    FROM derived WHERE follows IS NOT NULL
), ${takeMissed("named")}, follow AS MATERIALIZED (
  SELECT DISTINCT g.tenant, g.entity, g.entity_key, g.source, g.follows AS event_id,
         NULL::bigint AS known_at
    FROM given g WHERE ((g.tenant, g.source, g.follows, g.feed) IN (SELECT * FROM taken_by)) IS TRUE
), ${logged("follow")}, followed AS (${contribute("follow", "$13")}
), missed AS (${setAside("(SELECT * FROM made UNION ALL SELECT * FROM changed)", "$31")}
)`;

/** The commit of folds of which none is of an entity where sources meet. */
export const COMMIT = WINNERS + ANSWER;

/** The commit of folds of which none made an event. */
export const COMMIT_MET = WINNERS + PAST + ANSWER;

/** The commit of folds of which some made events. */
export const COMMIT_DERIVED = WINNERS + PAST + DERIVED + ANSWER;
