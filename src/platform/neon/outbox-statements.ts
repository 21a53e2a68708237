/**
 * Forgets what is visible online: $1–$4 tenant, entity, key, version. A row that somebody holds is
 * skipped: a commit holds it, and gives it a newer version. Where a newer one waits already, it
 * waits from now on since the newest commit. A row that changes meanwhile moves to another place
 * and is no longer found, so that no newer version is ever forgotten.
 */
export const SETTLE = `
WITH projected AS MATERIALIZED (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
    AS p(tenant, entity, entity_key, visible)
), found AS MATERIALIZED (
  SELECT o.row_id, o.version <= p.visible AS done FROM projected p CROSS JOIN LATERAL (
    SELECT q.ctid AS row_id, q.version FROM outbox q
     WHERE q.tenant = p.tenant AND q.entity = p.entity AND q.entity_key = p.entity_key OFFSET 0
  ) AS o
), held AS MATERIALIZED (
  SELECT o.ctid AS row_id FROM outbox o WHERE o.ctid = ANY (ARRAY(SELECT row_id FROM found))
     FOR UPDATE SKIP LOCKED
), forgotten AS (
  DELETE FROM outbox o WHERE o.ctid = ANY (ARRAY(
    SELECT row_id FROM found WHERE done AND (row_id IN (SELECT row_id FROM held)) IS TRUE))
), renewed AS (
  UPDATE outbox o SET since = o.changed_at WHERE o.since < o.changed_at AND o.ctid = ANY (ARRAY(
    SELECT row_id FROM found WHERE NOT done AND (row_id IN (SELECT row_id FROM held)) IS TRUE))
)
SELECT count(*)::int AS held FROM held`;

/** Kinds of entities where sources meet (with an `@`) only if among $3, unless that is null. */
const IS_OWN = "(strpos(entity, '@') = 0 OR $3::text[] IS NULL OR entity = ANY ($3::text[]))";

/** Entities with work left since before $1, oldest first, at most $2. */
export const FIND_UNFINISHED = `
SELECT tenant, entity, entity_key FROM (
  (SELECT tenant, entity, entity_key, since FROM outbox WHERE since < $1::bigint
    ORDER BY since LIMIT $2::int)
  UNION ALL
  (SELECT tenant, entity, entity_key, min(since) FROM pending
    WHERE since < $1::bigint AND ${IS_OWN}
    GROUP BY tenant, entity, entity_key ORDER BY min(since) LIMIT $2::int)
) AS unfinished
GROUP BY tenant, entity, entity_key
ORDER BY min(since), tenant, entity, entity_key LIMIT $2::int`;

/** The same in an order that $4 decides: all of them are looked at. */
export const FIND_ANY_UNFINISHED = `
SELECT tenant, entity, entity_key FROM (
  SELECT tenant, entity, entity_key FROM outbox WHERE since < $1::bigint
  UNION
  SELECT tenant, entity, entity_key FROM pending WHERE since < $1::bigint AND ${IS_OWN}
) AS unfinished
ORDER BY hashtextextended(concat_ws(E'\\n', tenant, entity, entity_key), $4::bigint) LIMIT $2::int`;
