/** Documents found for a query, best first. */
export type Ranked = readonly string[];

/** Gains of the relevant documents; others have none. */
type Gains = ReadonlyMap<string, number>;

const discounted = (gain: number, i: number): number => gain / Math.log2(i + 2);

/** Pure. Normalised discounted cumulative gain of the first ten, with linear gains. */
export function ndcg10(ranked: Ranked, gains: Gains): number {
  const sum = (of: readonly number[]): number =>
    of.slice(0, 10).reduce((total, gain, i) => total + discounted(gain, i), 0);
  const best = sum([...gains.values()].toSorted((a, b) => b - a));
  return best === 0 ? 0 : sum(ranked.map((id) => gains.get(id) ?? 0)) / best;
}

/** Pure. The share of the relevant documents among the first `k`. */
export function recallAt(k: number, ranked: Ranked, gains: Gains): number {
  const relevant = [...gains].filter(([, gain]) => gain > 0).map(([id]) => id);
  const found = new Set(ranked.slice(0, k));
  return relevant.filter((id) => found.has(id)).length / relevant.length;
}

export interface Quality {
  readonly ndcg10: number;
  readonly recall10: number;
  readonly recall100: number;
}

/** Pure. Means over the queries that have a relevant document. */
export function qualityOf(
  ranked: ReadonlyMap<string, Ranked>,
  relevant: ReadonlyMap<string, Gains>,
): Quality {
  const judged = [...ranked].flatMap(([query, of]) => {
    const gains = relevant.get(query);
    return gains === undefined ? [] : [{ of, gains }];
  });
  const mean = (value: (of: Ranked, gains: Gains) => number): number =>
    judged.reduce((sum, { of, gains }) => sum + value(of, gains), 0) / judged.length;
  return {
    ndcg10: mean(ndcg10),
    recall10: mean((of, gains) => recallAt(10, of, gains)),
    recall100: mean((of, gains) => recallAt(100, of, gains)),
  };
}
