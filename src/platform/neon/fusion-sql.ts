import type { IndexQuery } from "../../retrieval/document-index.ts";
import type { Fusion } from "../../retrieval/fuse.ts";
import type { AddParam } from "./filter-sql.ts";

/** Of one ranking alone. */
const ALONE = {
  keyword: `fused AS MATERIALIZED (
  SELECT ord, document_id, position, score, score AS bm25, NULL::float8 AS similarity FROM keyword
)`,
  vector: `fused AS MATERIALIZED (
  SELECT ord, document_id, position, score, NULL::float8 AS bm25, score AS similarity FROM vector
)`,
};

/** A candidate's score within its ranking, made comparable; see `fuse`. */
const NORMALISED: Readonly<Record<Fusion["method"], string>> = {
  relative_score: `CASE WHEN max(score) OVER () = min(score) OVER () THEN 1
    ELSE (score - min(score) OVER ()) / (max(score) OVER () - min(score) OVER ()) END`,
  rrf: `2::float8 / (60 + row_number() OVER (ORDER BY score DESC, document_id, position))`,
  dbsf: `CASE WHEN max(score) OVER () = min(score) OVER () OR stddev_samp(score) OVER () = 0
    THEN 0.5
    ELSE least(1, greatest(0, (score - avg(score) OVER () + 3 * stddev_samp(score) OVER ())
                              / (6 * stddev_samp(score) OVER ()))) END`,
};

/**
 * Pure. `fused` (ord, document_id, position, score, bm25, similarity) of the rankings `keyword` and
 * `vector` (ord, document_id, position, score), equal to what `fuse` makes of them. One of them
 * is there at least.
 */
export function fusionSql({ keyword, vector, fusion }: IndexQuery, add: AddParam): string {
  if (keyword === null) return ALONE.vector;
  if (vector === null) return ALONE.keyword;
  const normalised = NORMALISED[fusion.method];
  const alpha = `${add(fusion.alpha)}::float8`;
  return `fused AS MATERIALIZED (
  SELECT ord, max(document_id) AS document_id, max(position) AS position,
         CASE WHEN NOT EXISTS (SELECT FROM vector) THEN max(bm25)
              WHEN NOT EXISTS (SELECT FROM keyword) THEN max(similarity)
              ELSE ${alpha} * coalesce(max(v), 0) + (1 - ${alpha}) * coalesce(max(b), 0)
         END AS score, max(bm25) AS bm25, max(similarity) AS similarity
    FROM (
      SELECT ord, document_id, position, score AS bm25, NULL::float8 AS similarity,
             ${normalised} AS b, NULL::float8 AS v FROM keyword
      UNION ALL
      SELECT ord, document_id, position, NULL, score, NULL, ${normalised} FROM vector
    ) AS candidate
   GROUP BY ord
)`;
}
