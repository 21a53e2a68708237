import type { EntityRef, EventRef } from "../../features/event-log.ts";

/** Pure. $1–$5 of what adds contributions. */
export const contributionParams = (contributions: readonly (EntityRef & EventRef)[]) =>
  [
    contributions.map(({ tenant }) => tenant),
    contributions.map(({ entity }) => entity),
    contributions.map(({ key }) => key),
    contributions.map(({ source }) => source),
    contributions.map(({ eventId }) => eventId),
  ] as const;

/**
 * Sets stored events (tenant, source, event_id) aside for the registered feeds of their sources that
 * the parameter does not name. Registering a feed waits for the statements under way that read this
 * table, so that no event is stored without being given by it, set aside, or seen by a backfill.
 */
export const setAside = (stored: string, feeds: string): string => `
  INSERT INTO missed_events (tenant, source, event_id, feeds)
  SELECT s.tenant, s.source, s.event_id,
         ARRAY(SELECT f.name FROM feeds f WHERE f.source = s.source AND f.name <> ALL (${feeds}::text[]))
    FROM ${stored} s
   WHERE (s.source IN (SELECT f.source FROM feeds f WHERE f.name <> ALL (${feeds}::text[]))) IS TRUE
  ON CONFLICT DO NOTHING`;

/** Sources whose feeds are all among the parameter, and were given all past events. */
const ownSources = (feeds: string): string => `ARRAY(
    SELECT f.source FROM feeds f GROUP BY f.source
    HAVING bool_and(f.complete AND f.name = ANY (${feeds}::text[])))`;

/** Whether the feeds for which m is set aside are among the parameter, and no backfill is under way. */
export const isOwn = (feeds: string): string => `NOT EXISTS (
    SELECT FROM feeds f
     WHERE f.source = m.source AND (NOT f.complete OR
           f.name = ANY (m.feeds) AND (f.name = ANY (${feeds}::text[])) IS NOT TRUE) OFFSET 0)`;

/** $1 feeds that the caller knows, $2 how many. LATERAL … OFFSET 0: see APPEND. */
export const findMissed = (columns: string): string => `
SELECT array_to_json(m.feeds)::text AS feeds, ${columns}
  FROM (SELECT * FROM missed_events m
         WHERE m.source = ANY (${ownSources("$1")})
         ORDER BY tenant, source, event_id LIMIT $2::int) AS m
 CROSS JOIN LATERAL (
    SELECT * FROM events e
     WHERE e.tenant = m.tenant AND e.source = m.source AND e.event_id = m.event_id OFFSET 0
  ) AS e
 ORDER BY m.tenant, m.source, m.event_id`;

/**
 * What of `missed` (below) is folded for its entity already, where sources do not meet: each log is
 * looked through once, whatever is missed. OFFSET 0: one by one, and IN within an expression: hashed;
 * see APPEND.
 */
export const logged = (missed: string): string => `logged AS MATERIALIZED (
  SELECT k.tenant, k.entity, k.entity_key, l.source, l.event_id
    FROM (SELECT DISTINCT tenant, entity, entity_key FROM ${missed}
           WHERE strpos(entity, '@') = 0) AS k
   CROSS JOIN LATERAL (
      SELECT l.source, l.event_id FROM entity_log l
       WHERE l.tenant = k.tenant AND l.entity = k.entity AND l.entity_key = k.entity_key OFFSET 0
    ) AS l
   WHERE ((k.tenant, k.entity, k.entity_key, l.source, l.event_id) IN (
            SELECT tenant, entity, entity_key, source, event_id FROM ${missed})) IS TRUE
)`;

/**
 * What an event adds to pending that is neither pending nor folded for its entity yet, nor erased:
 * rows of `missed` (tenant, entity, entity_key, source, event_id, known_at), after `logged`. An append
 * commits an event with its contributions, and a commit moves one from pending to the log: so one
 * snapshot that holds the event tells for certain whether it was contributed. Where sources meet, a log
 * of any length is looked up by the event's time.
 */
export const contribute = (missed: string, now: string): string => `
INSERT INTO pending (tenant, entity, entity_key, source, event_id, since, known_at)
SELECT m.tenant, m.entity, m.entity_key, m.source, m.event_id, ${now}::bigint, m.known_at
  FROM ${missed} m CROSS JOIN LATERAL (
    SELECT e.event_time, e.ingest_time FROM events e
     WHERE e.tenant = m.tenant AND e.source = m.source AND e.event_id = m.event_id OFFSET 0
  ) AS e
 WHERE NOT EXISTS (SELECT FROM pending p
                    WHERE p.tenant = m.tenant AND p.entity = m.entity
                      AND p.entity_key = m.entity_key
                      AND p.source = m.source AND p.event_id = m.event_id OFFSET 0)
   AND NOT CASE WHEN strpos(m.entity, '@') = 0 THEN
                  ((m.tenant, m.entity, m.entity_key, m.source, m.event_id) IN (
                     SELECT * FROM logged)) IS TRUE
                ELSE EXISTS (SELECT FROM entity_log l
                              WHERE l.tenant = m.tenant AND l.entity = m.entity
                                AND l.entity_key = m.entity_key
                                AND l.source = m.source AND l.event_id = m.event_id
                                AND l.event_time = e.event_time OFFSET 0) END
   AND NOT EXISTS (SELECT FROM erasures x
                    WHERE x.tenant = m.tenant AND x.entity = m.entity
                      AND x.entity_key = m.entity_key AND e.ingest_time <= x.erased_at OFFSET 0)
 ORDER BY m.tenant COLLATE "C", m.entity COLLATE "C", m.entity_key COLLATE "C"
ON CONFLICT DO NOTHING
RETURNING event_id`;

/** $1–$5 contributions (tenant, entity, key, source, event id), $6 now, $7 known at. */
export const ADD_CONTRIBUTIONS = `
WITH missed AS MATERIALIZED (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $7::bigint[])
    AS m(tenant, entity, entity_key, source, event_id, known_at)
), ${logged("missed")}${contribute("missed", "$6")}`;

/**
 * $1–$6 as above, $7–$9 events that are set aside (tenant, source, event id), $10 feeds. One that
 * somebody else holds is given by that one: whoever waits for it finds it given.
 */
export const GIVE_MISSED = `
WITH held AS MATERIALIZED (
  SELECT m.ctid AS row_id
    FROM missed_events m JOIN unnest($7::text[], $8::text[], $9::text[])
      AS i(tenant, source, event_id) USING (tenant, source, event_id)
   WHERE ${isOwn("$10")}
   ORDER BY m.tenant, m.source, m.event_id FOR UPDATE OF m
), taken AS (
  DELETE FROM missed_events m WHERE m.ctid = ANY (ARRAY(SELECT row_id FROM held))
  RETURNING m.tenant, m.source, m.event_id
), missed AS MATERIALIZED (
  SELECT m.*, NULL::bigint AS known_at
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
      AS m(tenant, entity, entity_key, source, event_id) JOIN taken USING (tenant, source, event_id)
), ${logged("missed")}${contribute("missed", "$6")}`;
