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
  SELECT s.tenant, s.source, s.event_id, ARRAY[f.name]
    FROM ${stored} s CROSS JOIN LATERAL (
      SELECT f.name FROM feeds f
       WHERE f.source = s.source AND f.name <> ALL (${feeds}::text[]) OFFSET 0) AS f
   WHERE (s.source IN (SELECT f.source FROM feeds f WHERE f.name <> ALL (${feeds}::text[]))) IS TRUE
   ORDER BY s.tenant COLLATE "C", s.source COLLATE "C", s.event_id COLLATE "C", f.name COLLATE "C"
  ON CONFLICT DO NOTHING`;

/**
 * Whether the feeds for which m is set aside are among these, and were given all past events: a
 * backfill relies on it that nobody else gives what was not given when it was stored.
 */
const isOwn = (feeds: string): string => `NOT EXISTS (
    SELECT FROM feeds f
     WHERE f.name = ANY (m.feeds)
       AND (NOT f.complete OR (f.name = ANY (${feeds})) IS NOT TRUE) OFFSET 0)`;

/** $1 feeds that the caller knows, $2 how many. LATERAL … OFFSET 0: see APPEND. */
export const findMissed = (columns: string): string => `
SELECT array_to_json(m.feeds)::text AS feeds, ${columns}
  FROM (SELECT * FROM missed_events m WHERE m.feeds && $1::text[] AND ${isOwn("$1::text[]")}
         ORDER BY tenant, source, event_id, feeds LIMIT $2::int) AS m
 CROSS JOIN LATERAL (
    SELECT * FROM events e
     WHERE e.tenant = m.tenant AND e.source = m.source AND e.event_id = m.event_id OFFSET 0
  ) AS e
 ORDER BY m.tenant, m.source, m.event_id, m.feeds`;

/**
 * Takes events (`named`: tenant, source, event_id, feeds) out of what is set aside, as `taken`, as far
 * as they still are and the feeds were given all past events. One that somebody else holds is given by
 * that one: whoever waits for it finds it given. Rows are never updated.
 */
export const takeMissed = (named: string): string => `found AS MATERIALIZED (
  SELECT o.row_id FROM ${named} n CROSS JOIN LATERAL (
    SELECT m.ctid AS row_id FROM missed_events m
     WHERE m.tenant = n.tenant AND m.source = n.source AND m.event_id = n.event_id
       AND m.feeds && n.feeds AND ${isOwn("n.feeds")} OFFSET 0
  ) AS o
), held AS MATERIALIZED (
  SELECT m.ctid AS row_id FROM missed_events m
   WHERE m.ctid = ANY (ARRAY(SELECT row_id FROM found))
   ORDER BY m.tenant, m.source, m.event_id, m.feeds FOR UPDATE OF m
), taken AS (
  DELETE FROM missed_events m WHERE m.ctid = ANY (ARRAY(SELECT row_id FROM held))
  RETURNING m.tenant, m.source, m.event_id, m.feeds
), taken_by AS MATERIALIZED (
  SELECT t.tenant, t.source, t.event_id, f.feed FROM taken t CROSS JOIN unnest(t.feeds) AS f(feed)
)`;

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
 * $1–$6 as above, $7 the contributions' feeds, $8–$11 events that are set aside (tenant, source, event
 * id, feed).
 */
export const GIVE_MISSED = `
WITH named AS MATERIALIZED (
  SELECT tenant, source, event_id, array_agg(feed) AS feeds
    FROM unnest($8::text[], $9::text[], $10::text[], $11::text[])
      AS n(tenant, source, event_id, feed)
   GROUP BY tenant, source, event_id
), ${takeMissed("named")}, missed AS MATERIALIZED (
  SELECT DISTINCT m.tenant, m.entity, m.entity_key, m.source, m.event_id, NULL::bigint AS known_at
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $7::text[])
      AS m(tenant, entity, entity_key, source, event_id, feed)
   WHERE ((m.tenant, m.source, m.event_id, m.feed) IN (SELECT * FROM taken_by)) IS TRUE
), ${logged("missed")}${contribute("missed", "$6")}`;
