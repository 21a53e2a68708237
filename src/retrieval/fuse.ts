/** How the two rankings become one. */
export interface Fusion {
  readonly method: "relative_score" | "rrf" | "dbsf";
  /** Weight of the vector ranking in [0, 1]; the keyword ranking has the rest. */
  readonly alpha: number;
}

/** Null: not among the candidates of that ranking. */
interface Scores {
  readonly bm25: number | null;
  readonly vector: number | null;
}

/** Cormack, Clarke and Büttcher, SIGIR 2009. */
const RRF_K = 60;

/**
 * Pure. The definition of fusion: the candidates of both rankings with one score, best first; equal
 * scores keep the given order. Where one ranking has no candidate at all, the score is the other's
 * own. Otherwise it is `alpha * v + (1 - alpha) * b`, v and b being 0 for a candidate that the
 * ranking does not have, and else
 * - relative_score: the score within the ranking, its lowest 0 and its highest 1; all equal: 1;
 * - rrf: 2 / (60 + rank), so that alpha 0.5 is reciprocal rank fusion as published; ranks count
 *   from 1, equal scores in the given order;
 * - dbsf: where the score lies between mean - 3σ (0) and mean + 3σ (1), σ being the sample's, as
 *   Qdrant has it; clamped; all equal: 0.5.
 *
 * relative_score is the default of searches: averaging min-max scores beat RRF on 27 of Pyserini's
 * 29 BEIR runs (BM25 and bge-base), as in Bruch, Gai and Ingber, "An Analysis of Fusion Functions
 * for Hybrid Retrieval" (TOIS 2023).
 */
export function fuse<T>(
  candidates: readonly (T & Scores)[],
  { method, alpha }: Fusion,
): readonly (T & Scores & { readonly score: number })[] {
  const normalise = { relative_score: minMax, rrf: reciprocalRank, dbsf: threeSigma }[method];
  const bm25 = candidates.map((candidate) => candidate.bm25);
  const vector = candidates.map((candidate) => candidate.vector);
  const one = bm25.every(isMissing) ? vector : vector.every(isMissing) ? bm25 : null;
  const [b, v] = [normalise(bm25), normalise(vector)];
  return candidates
    .map((candidate, i) => {
      const fused = alpha * (v[i] ?? 0) + (1 - alpha) * (b[i] ?? 0);
      return { ...candidate, score: one === null ? fused : (one[i] ?? 0) };
    })
    .toSorted((left, right) => right.score - left.score);
}

/** A ranking by candidate; null where it does not have the candidate. */
type Ranking = readonly (number | null)[];

const isMissing = (score: number | null): boolean => score === null;
const scoresIn = (ranking: Ranking): readonly number[] => ranking.filter((s) => s !== null);

function minMax(ranking: Ranking): Ranking {
  const [least, most] = rangeOf(scoresIn(ranking));
  return ranking.map((s) =>
    s === null ? null : most === least ? 1 : (s - least) / (most - least),
  );
}

function reciprocalRank(ranking: Ranking): Ranking {
  const order = ranking
    .flatMap((score, index) => (score === null ? [] : { score, index }))
    .toSorted((a, b) => b.score - a.score);
  const result: (number | null)[] = ranking.map(() => null);
  for (const [i, { index }] of order.entries()) result[index] = 2 / (RRF_K + i + 1);
  return result;
}

/** Qdrant, lib/segment/src/common/score_fusion.rs, `distr_norm`; it does not clamp. */
function threeSigma(ranking: Ranking): Ranking {
  const scores = scoresIn(ranking);
  const [least, most] = rangeOf(scores);
  const mean = scores.reduce((sum, s) => sum + s, 0) / scores.length;
  const squares = scores.reduce((sum, s) => sum + (s - mean) ** 2, 0);
  const sigma = Math.sqrt(squares / (scores.length - 1));
  return ranking.map((s) => {
    if (s === null) return null;
    if (least === most || sigma === 0) return 0.5;
    return Math.min(1, Math.max(0, (s - (mean - 3 * sigma)) / (6 * sigma)));
  });
}

function rangeOf(scores: readonly number[]): readonly [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const score of scores) {
    least = Math.min(least, score);
    most = Math.max(most, score);
  }
  return [least, most];
}
