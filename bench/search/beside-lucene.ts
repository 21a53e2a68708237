import type { Found } from "./data-sets.ts";
import type { Ranking } from "./rank-all.ts";

export interface BesideLucene {
  readonly queries: number;
  /** Queries whose first ten documents are Lucene's, in its order. */
  readonly identical: number;
  /** Queries whose first ten documents are Lucene's, in any order. */
  readonly sameDocuments: number;
  /** The share of the hits of identical lists that have Lucene's score to within a thousandth. */
  readonly sameScores: number;
}

const K = 10;
const TOLERANCE = 0.001;

/** Pure. Keyword hits beside what Lucene found with the same k1 and b. */
export function besideLucene(
  ranking: Ranking,
  lucene: ReadonlyMap<string, readonly Found[]>,
): BesideLucene {
  let [identical, sameDocuments, scores, sameScores] = [0, 0, 0, 0];
  for (const [query, hits] of ranking) {
    const ours = hits.slice(0, K);
    const theirs = (lucene.get(query) ?? []).slice(0, K);
    const isOurs = new Set(ours.map(({ id }) => id));
    if (theirs.length === ours.length && theirs.every(({ id }) => isOurs.has(id))) {
      sameDocuments += 1;
    }
    if (!ours.every(({ id }, i) => id === theirs[i]?.id) || ours.length < theirs.length) continue;
    identical += 1;
    for (const [i, { score }] of ours.entries()) {
      const theirScore = theirs[i]?.score ?? 0;
      scores += 1;
      if (Math.abs(score - theirScore) <= theirScore * TOLERANCE) sameScores += 1;
    }
  }
  return { queries: ranking.size, identical, sameDocuments, sameScores: sameScores / scores };
}
