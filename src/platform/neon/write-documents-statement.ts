import { CHANGE_FREQUENCIES, CHUNK_COUNTS, REMOVE_CHUNKS } from "./remove-chunks-sql.ts";
import { halfvec } from "./vector-index.ts";

/**
 * Lets one transaction at a time write a tenant's collection, in whatever index: $1 tenant,
 * $2 collection. What it does next, in statements of their own, sees all that others wrote.
 */
export const LOCK_COLLECTION =
  "SELECT pg_advisory_xact_lock(hashtextextended($1::text || '/' || $2::text, 7319028))::text";

/**
 * Pure. The statement that writes documents, each all or not at all, after LOCK_COLLECTION in the
 * same transaction: $1 tenant, $2 collection, $3 index, $4 now; $5–$11 documents (id, expected
 * version, body or null for a delete, content hash, fields, expiry, number of chunks); $12–$20
 * chunks (document, position, hash, text or null to keep the one with the hash, length, quantised
 * length, vector, terms, counts). Answers position and version of the documents that won.
 *
 * The index that is written has all chunks of the document as it is now. Another index of the
 * collection keeps its chunks of a document that did not change, and loses those of one that did:
 * so whatever a search finds, in any index, is the present content.
 *
 * What is compared here: the version with the expected one, and the chunks to keep with those that
 * are there; a purge may have taken them since they were read. See REMOVE_CHUNKS for the plans.
 */
export const writeDocumentsStatement = (dimensions: number): string => `
WITH input AS MATERIALIZED (
  SELECT * FROM unnest($5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::bigint[],
                       $11::int[])
    WITH ORDINALITY AS i(document_id, expected, body, content_hash, fields, expires_at, chunks,
                         write)
), space AS MATERIALIZED (
  SELECT s.space, s.index_id, s.next_ord FROM search_spaces s
   WHERE s.tenant = $1 AND s.collection = $2
), candidate AS MATERIALIZED (
  SELECT i.*, d.content_hash IS DISTINCT FROM i.content_hash AS changed
    FROM input i LEFT JOIN LATERAL (
      SELECT d.version, d.content_hash FROM documents d
       WHERE d.tenant = $1 AND d.collection = $2 AND d.document_id = i.document_id OFFSET 0
    ) AS d ON true
   WHERE coalesce(d.version, 0) = i.expected
), given AS MATERIALIZED (
  SELECT * FROM unnest($12::int[], $13::int[], $14::text[], $15::text[], $16::int[], $17::int[],
                       $18::text[], $19::text[], $20::text[])
    WITH ORDINALITY AS g(write, position, hash, text, length, quantized, vector, terms, counts,
                         number)
), held AS MATERIALIZED (
  SELECT i.write, i.changed, s.space, s.index_id, c.*
    FROM candidate i CROSS JOIN space s CROSS JOIN LATERAL (
      SELECT c.ord, c.hash, c.terms, c.ctid AS row_id, ${CHUNK_COUNTS} FROM search_chunks c
       WHERE c.tenant = $1 AND c.index_id = s.index_id AND c.document_id = i.document_id OFFSET 0
    ) AS c
), matched AS MATERIALIZED (
  -- Chunks to keep beside those that are there: a join by grouping, which stays linear.
  SELECT m.write, max(m.position) AS position, max(m.ord) AS ord FROM (
    SELECT g.write, g.hash, g.position, NULL::int AS ord FROM given g WHERE g.text IS NULL
    UNION ALL
    SELECT h.write, h.hash, NULL, h.ord FROM held h WHERE h.index_id = $3
  ) AS m GROUP BY m.write, m.hash
), winner AS MATERIALIZED (
  SELECT i.*, CASE WHEN i.body IS NULL THEN i.expected
                   ELSE nextval('document_versions') END AS version
    FROM candidate i
   WHERE (i.write NOT IN (
           SELECT m.write FROM matched m WHERE m.ord IS NULL)) IS TRUE
), kept AS MATERIALIZED (
  SELECT m.ord, m.position, ($9::text[])[m.write]::jsonb AS fields,
         ($10::bigint[])[m.write] AS expires_at
    FROM matched m
   WHERE m.position IS NOT NULL AND (m.write IN (SELECT write FROM winner)) IS TRUE
), removed AS MATERIALIZED (
  SELECT h.* FROM held h
   WHERE (h.write IN (SELECT write FROM winner)) IS TRUE
     AND CASE WHEN h.index_id = $3 THEN (h.ord NOT IN (SELECT ord FROM kept)) IS TRUE
              ELSE h.changed END
), added AS MATERIALIZED (
  SELECT g.*, coalesce((SELECT next_ord FROM space WHERE index_id = $3), 0)
                + row_number() OVER (ORDER BY g.number)::int - 1 AS ord,
         g.vector::${halfvec(dimensions)} AS embedding
    FROM given g
   WHERE g.text IS NOT NULL AND (g.write IN (SELECT write FROM winner)) IS TRUE
), counted AS (
  INSERT INTO search_spaces AS s (tenant, collection, index_id, next_ord, texts, vectors, tokens)
  SELECT $1, $2, index_id, sum(ords), sum(texts), sum(vectors), sum(tokens) FROM (
    SELECT $3::text AS index_id, 1 AS ords, ${CHUNK_COUNTS} FROM added c
    UNION ALL
    SELECT index_id, 0, -texts, -vectors, -tokens FROM removed
  ) AS difference GROUP BY index_id
  ON CONFLICT (tenant, index_id) DO UPDATE
     SET next_ord = s.next_ord + excluded.next_ord, texts = s.texts + excluded.texts,
         vectors = s.vectors + excluded.vectors, tokens = s.tokens + excluded.tokens
  RETURNING s.space, s.index_id
), posting AS MATERIALIZED (
  SELECT (SELECT space FROM counted WHERE index_id = $3) AS space, t.term, a.ord, t.tf, a.quantized
    FROM added a CROSS JOIN LATERAL unnest(a.terms::text[], a.counts::int[]) AS t(term, tf)
), change AS MATERIALIZED (
  SELECT space, term, sum(difference)::int AS difference FROM (
    SELECT space, term, 1 AS difference FROM posting
    UNION ALL
    SELECT r.space, t.term, -1 FROM removed r CROSS JOIN LATERAL unnest(r.terms) AS t(term)
  ) AS differences GROUP BY space, term HAVING sum(difference) <> 0
), ${REMOVE_CHUNKS}, ${CHANGE_FREQUENCIES}, added_posting AS (
  INSERT INTO search_postings (space, term, ord, tf, length)
  SELECT space, term, ord, tf, quantized FROM posting ORDER BY term COLLATE "C", ord
), added_chunk AS (
  INSERT INTO search_chunks (tenant, index_id, ord, document_id, position, hash, text, fields,
                             expires_at, length, terms, embedding)
  SELECT $1, $3, a.ord, ($5::text[])[a.write], a.position, a.hash, a.text,
         ($9::text[])[a.write]::jsonb, ($10::bigint[])[a.write], a.length, a.terms::text[],
         a.embedding
    FROM added a ORDER BY a.ord
), changed AS MATERIALIZED (
  SELECT k.*, c.row_id FROM kept k CROSS JOIN LATERAL (
    SELECT c.ctid AS row_id FROM search_chunks c
     WHERE c.tenant = $1 AND c.index_id = $3 AND c.ord = k.ord
       AND (c.position, c.fields, c.expires_at)
           IS DISTINCT FROM (k.position, k.fields, k.expires_at) OFFSET 0) AS c
), changed_chunk AS (
  UPDATE search_chunks c
     SET position = n.position, fields = n.fields, expires_at = n.expires_at
    FROM changed n WHERE c.ctid = n.row_id
), put_document AS (
  INSERT INTO documents (tenant, collection, document_id, version, index_id, chunks, body,
                         content_hash, expires_at, updated_at)
  -- A body that jsonb refuses (a NUL, say) could not be read for its title, and fail every search.
  SELECT $1, $2, document_id, version, $3, chunks,
         CASE WHEN body::jsonb IS NOT NULL THEN body::json END, content_hash, expires_at, $4::bigint
    FROM winner WHERE body IS NOT NULL ORDER BY document_id COLLATE "C"
  ON CONFLICT (tenant, collection, document_id) DO UPDATE
     SET version = excluded.version, index_id = excluded.index_id, chunks = excluded.chunks,
         body = excluded.body, content_hash = excluded.content_hash,
         expires_at = excluded.expires_at, updated_at = excluded.updated_at
), deleted_document AS (
  DELETE FROM documents d
   WHERE d.tenant = $1 AND d.collection = $2
     AND d.document_id = ANY (ARRAY(SELECT document_id FROM winner WHERE body IS NULL))
)
SELECT write::int AS write, version FROM winner`;
