import { fuse, type Fusion } from "../../src/retrieval/fuse.ts";
import type { Hit, Ranking } from "./rank-all.ts";

export const FUSIONS: readonly Fusion[] = (["relative_score", "rrf", "dbsf"] as const).flatMap(
  (method) => [0.3, 0.5].map((alpha) => ({ method, alpha })),
);

const K = 100;

/** Pure. Both rankings fused as `fuse` defines it. */
export function fuseAll(keyword: Ranking, vector: Ranking, fusion: Fusion): Ranking {
  return new Map(
    [...keyword].map(([query, hits]) => [query, fuseOne(hits, vector.get(query) ?? [], fusion)]),
  );
}

function fuseOne(keyword: readonly Hit[], vector: readonly Hit[], fusion: Fusion): readonly Hit[] {
  const bm25 = new Map(keyword.map(({ id, score }) => [id, score]));
  const similarity = new Map(vector.map(({ id, score }) => [id, score]));
  const candidates = [...new Set([...bm25.keys(), ...similarity.keys()])]
    .toSorted()
    .map((id) => ({ id, bm25: bm25.get(id) ?? null, vector: similarity.get(id) ?? null }));
  return fuse(candidates, fusion).slice(0, K);
}

/** Pure. For how many queries the first ten are the same. */
export function sameFirstTen(a: Ranking, b: Ranking): number {
  const ten = (hits: readonly Hit[] = []) => JSON.stringify(hits.slice(0, 10).map(({ id }) => id));
  return [...a].filter(([query, hits]) => ten(hits) === ten(b.get(query))).length;
}
