/**
 * $1–$3 feeds: names, sources, whether new. The lock waits for the statements under way that read this
 * table, and keeps others until they see the feeds: so whatever the backfill does not read knows them.
 */
export const REGISTER_FEEDS = [
  "LOCK TABLE feeds IN ACCESS EXCLUSIVE MODE",
  `INSERT INTO feeds (name, source, complete)
   SELECT name, source, NOT is_new
     FROM unnest($1::text[], $2::text[], $3::boolean[]) AS f(name, source, is_new)
   ON CONFLICT (name) DO UPDATE SET complete = feeds.complete AND excluded.complete`,
  "SELECT name FROM feeds WHERE NOT complete AND name = ANY ($1::text[])",
] as const;

/** $1 names. What is set aside for others is given to nobody: they are new when they return. */
export const COMPLETE_FEEDS = [
  "DELETE FROM feeds WHERE name <> ALL ($1::text[])",
  "UPDATE feeds SET complete = true WHERE NOT complete AND name = ANY ($1::text[])",
  "DELETE FROM missed_events WHERE NOT feeds && ARRAY(SELECT name FROM feeds)",
] as const;

/**
 * At most $1 contributions to joins that no registered view reads. Those that somebody is about to
 * fold are left: they wait no longer.
 */
export const FORGET_JOINS = `
DELETE FROM pending p WHERE p.ctid = ANY (ARRAY(
  SELECT w.ctid FROM pending w
   WHERE strpos(w.entity, '@') > 0 AND w.entity NOT IN (
     SELECT v.spec #>> '{source,pairs}' FROM feature_views v
      WHERE v.retired_at IS NULL AND v.spec #>> '{source,pairs}' IS NOT NULL)
   LIMIT $1::int FOR UPDATE SKIP LOCKED))
RETURNING p.event_id`;
