import type { IndexQuery, IndexRef } from "../../retrieval/document-index.ts";
import { filterSql } from "./filter-sql.ts";
import { fusionSql } from "./fusion-sql.ts";
import { halfvec, vectorParam } from "./vector-index.ts";
import type { SqlParam, SqlStatement } from "./sql-client.ts";

/**
 * When the vectors of all matching chunks are compared, which finds the nearest for certain: few
 * of them, or a small part of the index, where HNSW would give up before it has met enough. The
 * part that a filter leaves is estimated from a sample: counting would cost as much as comparing.
 */
const EXACT = { always: 5_000, atMost: 20_000, ofIndex: 0.05 };
const SAMPLE = 200;
/** HNSW is asked for more than the hits, since it is approximate; and for no fewer than this. */
const NEAREST = { perHit: 4, least: 40 };
const EF_SEARCH = { least: 100, most: 1_000, perCandidate: 2 };

/**
 * Pure. How HNSW searches, for the statement that follows in the same transaction, and whether the
 * index is complete. Sorting all vectors is what the planner prefers to HNSW where it has no
 * statistics yet; other sorts have no alternative and stay.
 */
export function searchSettings({ indexId }: IndexRef, { depth, vector }: IndexQuery): SqlStatement {
  const wanted = Math.max(EF_SEARCH.least, depth * EF_SEARCH.perCandidate);
  return {
    text: `
SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true),
       set_config('hnsw.ef_search', $1, true), set_config('enable_sort', $2, true),
       EXISTS (SELECT FROM search_indexes
                WHERE index_id = $3 AND complete AND retired_at IS NULL) AS complete`,
    params: [String(Math.min(EF_SEARCH.most, wanted)), vector === null ? "on" : "off", indexId],
  };
}

/**
 * Pure. One statement for a whole search: both rankings, each with `depth` candidates at most,
 * fused as `fuse` defines it, and texts of the best k alone. See APPEND for LATERAL … OFFSET 0.
 */
export function searchStatement(index: IndexRef, query: IndexQuery): SqlStatement {
  const params: SqlParam[] = [index.tenant, index.indexId, index.collection, query.now];
  const add = (value: SqlParam): string => `$${params.push(value)}`;
  const unexpired = "(c.expires_at IS NULL OR c.expires_at > $4::bigint)";
  const matching =
    query.filter === null ? unexpired : `${unexpired} AND ${filterSql(query.filter, add)}`;
  const part: Part = { index, query, matching, add, depth: `${add(query.depth)}::int` };
  const { keyword, vector } = query;
  const legs = [
    ...(vector === null ? [] : [vectorSql(part, vector)]),
    ...(keyword === null ? [] : [keywordSql(part, keyword)]),
  ];
  const title = query.titleField === null ? "NULL" : `d.body ->> ${add(query.titleField)}::text`;
  const text = `
WITH space AS MATERIALIZED (
  SELECT s.space, s.next_ord, s.texts, s.vectors, s.tokens FROM search_spaces s
   WHERE s.tenant = $1 AND s.index_id = $2
), ${[...legs, fusionSql(query, add)].join(", ")}
SELECT b.document_id, b.position, b.score, b.bm25, b.similarity, c.text, c.fields::text AS fields,
       ${title} AS title
  FROM (SELECT * FROM fused ORDER BY score DESC, document_id, position
         LIMIT ${add(query.k)}::int) AS b
 CROSS JOIN LATERAL (
   SELECT c.text, c.fields FROM search_chunks c
    WHERE c.tenant = $1 AND c.index_id = $2 AND c.ord = b.ord OFFSET 0) AS c
 CROSS JOIN LATERAL (
   SELECT d.body FROM documents d
    WHERE d.tenant = $1 AND d.collection = $3 AND d.document_id = b.document_id OFFSET 0) AS d
 ORDER BY b.score DESC, b.document_id, b.position`;
  return { text, params };
}

const IN_INDEX = "c.tenant = $1 AND c.index_id = $2";

interface Part {
  readonly index: IndexRef;
  readonly query: IndexQuery;
  /** Which chunks `c` of the index may be found. */
  readonly matching: string;
  readonly add: (value: SqlParam) => string;
  readonly depth: string;
}

/**
 * `keyword` (ord, document_id, position, score): as `scoreBm25` defines it, with statistics of the
 * whole space, whatever the filter. Chunks are looked up in the order of their scores, and no more
 * than are needed; where the vectors of all matching chunks are compared, those alone.
 */
function keywordSql(
  { query, matching, add, depth }: Part,
  { terms, k1, b }: NonNullable<IndexQuery["keyword"]>,
): string {
  const words = add(terms.map(({ term }) => term));
  const counts = add(terms.map(({ count }) => count));
  const [k1Param, bParam] = [`${add(k1)}::float8`, `${add(b)}::float8`];
  const compared =
    query.vector === null || query.filter === null
      ? ""
      : "WHERE (SELECT exact FROM choice) IS NOT TRUE OR s.ord IN (SELECT ord FROM compared)";
  return `term AS MATERIALIZED (
  SELECT s.space, q.term, (s.tokens::float8 / s.texts)::real::float8 AS average,
         q.count * ln(1 + (s.texts - t.df + 0.5::float8) / (t.df + 0.5::float8))::real::float8
           AS weight
    FROM space s CROSS JOIN unnest(${words}::text[], ${counts}::float8[]) AS q(term, count)
   CROSS JOIN LATERAL (
     SELECT d.df FROM search_terms d WHERE d.space = s.space AND d.term = q.term OFFSET 0) AS t
), scored AS MATERIALIZED (
  SELECT p.ord,
         sum((t.weight * p.tf
              / (p.tf + ${k1Param} * (1 - ${bParam} + ${bParam} * (p.length / t.average)))
             )::real::float8) AS score
    FROM term t CROSS JOIN LATERAL (
      SELECT p.ord, p.tf, p.length FROM search_postings p
       WHERE p.space = t.space AND p.term = t.term OFFSET 0) AS p
   GROUP BY p.ord
), keyword AS MATERIALIZED (
  SELECT * FROM (
    SELECT s.ord, c.document_id, c.position, s.score
      FROM (SELECT * FROM scored s ${compared} ORDER BY score DESC OFFSET 0) AS s CROSS JOIN LATERAL (
        SELECT c.document_id, c.position FROM search_chunks c
         WHERE ${IN_INDEX} AND c.ord = s.ord AND ${matching} OFFSET 0) AS c
     ORDER BY s.score DESC FETCH FIRST (${depth}) ROWS WITH TIES) AS best
   ORDER BY score DESC, document_id, position LIMIT ${depth}
)`;
}

/**
 * `vector` (ord, document_id, position, score): cosine similarity, of all matching chunks or of
 * those that HNSW finds. Of the two branches, one runs; only the second can use the HNSW index.
 */
function vectorSql(
  { index, query, matching, add, depth }: Part,
  vector: readonly number[],
): string {
  const type = halfvec(index.dimensions);
  const distance = `(c.embedding::${type} <=> ${add(vectorParam(vector))}::${type})`;
  const columns = `c.ord, c.document_id, c.position, ${distance} AS distance`;
  const wanted = Math.max(query.depth, query.k * NEAREST.perHit, NEAREST.least);
  // One of each stretch of chunks, at no regular distance: documents may come in a regular order.
  const share = `(SELECT avg((${matching})::int) FROM generate_series(0, ${SAMPLE - 1}) AS i
      CROSS JOIN (SELECT greatest(s.next_ord, 1)::bigint AS total) AS n
      CROSS JOIN LATERAL (
        SELECT c.fields, c.expires_at FROM search_chunks c
         WHERE ${IN_INDEX}
           AND c.ord >= (i * n.total + (hashint4(i) & 2147483647) % n.total) / ${SAMPLE}
         ORDER BY c.ord LIMIT 1) AS c)`;
  return `estimate AS MATERIALIZED (
  SELECT CASE WHEN s.vectors <= ${EXACT.always} THEN s.vectors
              ELSE s.vectors * ${query.filter === null ? 1 : share} END AS chunks FROM space s
), choice AS MATERIALIZED (
  SELECT CASE WHEN e.chunks <= ${EXACT.always} THEN true
              WHEN e.chunks > ${EXACT.atMost} THEN false
              ELSE e.chunks < ${EXACT.ofIndex} * (
                SELECT sum(i.vectors) FROM search_spaces i WHERE i.index_id = $2)
         END AS exact
    FROM estimate e
), compared AS MATERIALIZED (
  SELECT ${columns} FROM search_chunks c
   WHERE (SELECT exact FROM choice) AND ${IN_INDEX} AND ${matching}
), nearest AS MATERIALIZED (
  SELECT * FROM (
    SELECT ${columns} FROM search_chunks c
     WHERE ${IN_INDEX} AND ${matching} ORDER BY ${distance} LIMIT ${add(wanted)}::int) AS n
   WHERE (SELECT NOT exact FROM choice)
), vector AS MATERIALIZED (
  SELECT ord, document_id, position, 1 - distance AS score
    FROM (SELECT * FROM compared UNION ALL SELECT * FROM nearest) AS n
   WHERE distance < 'NaN' ORDER BY distance, document_id, position LIMIT ${depth}
)`;
}
