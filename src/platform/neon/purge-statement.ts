import { CHANGE_FREQUENCIES, CHUNK_COUNTS, REMOVE_CHUNKS } from "./remove-chunks-sql.ts";

/**
 * Removes up to $4 chunks of documents that are in another index now, after LOCK_COLLECTION in the
 * same transaction: $1 tenant, $2 collection, $3 index. Answers how many. A document that somebody
 * wrote into this index meanwhile keeps all of its chunks.
 */
export const PURGE_CHUNKS = `
WITH removed AS MATERIALIZED (
  SELECT s.space, c.* FROM search_spaces s CROSS JOIN LATERAL (
    SELECT c.ord, c.terms, c.ctid AS row_id, ${CHUNK_COUNTS} FROM search_chunks c
     WHERE c.tenant = $1 AND c.index_id = $3
       AND $3 IS DISTINCT FROM (
         SELECT d.index_id FROM documents d
          WHERE d.tenant = $1 AND d.collection = $2 AND d.document_id = c.document_id)
     LIMIT $4::int) AS c
   WHERE s.tenant = $1 AND s.index_id = $3
), counted AS (
  UPDATE search_spaces s
     SET texts = s.texts - r.texts, vectors = s.vectors - r.vectors, tokens = s.tokens - r.tokens
    FROM (SELECT sum(texts) AS texts, sum(vectors) AS vectors, sum(tokens) AS tokens
            FROM removed HAVING count(*) > 0) AS r
   WHERE s.tenant = $1 AND s.index_id = $3
), change AS MATERIALIZED (
  SELECT r.space, t.term, -count(*)::int AS difference
    FROM removed r CROSS JOIN LATERAL unnest(r.terms) AS t(term) GROUP BY r.space, t.term
), ${REMOVE_CHUNKS}, ${CHANGE_FREQUENCIES}
SELECT count(*)::int AS removed FROM removed`;

/** Forgets a tenant's part of an index that has no chunks, after LOCK_COLLECTION: $1 tenant, $2 index. */
export const TIDY_SPACE = `
DELETE FROM search_spaces s
 WHERE s.tenant = $1 AND s.index_id = $2
   AND NOT EXISTS (SELECT FROM search_chunks c WHERE c.tenant = $1 AND c.index_id = $2)`;
