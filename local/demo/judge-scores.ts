/** A probability, and what came true. */
export interface Scored {
  readonly score: number;
  readonly isPositive: boolean;
}

/**
 * Pure. The chance that a positive is scored above a negative, ties counted half (the area under the
 * ROC curve); NaN without both.
 */
export function areaUnderRoc(scored: readonly Scored[]): number {
  const byScore = [...Map.groupBy(scored, ({ score }) => score)].toSorted(([a], [b]) => a - b);
  let [below, pairs] = [0, 0];
  for (const [, tied] of byScore) {
    const positives = tied.filter(({ isPositive }) => isPositive).length;
    const negatives = tied.length - positives;
    pairs += positives * (below + negatives / 2);
    below += negatives;
  }
  return pairs / (below * (scored.length - below));
}

export interface Hits {
  /** Of those at or above the threshold, the share that came true. */
  readonly precision: number;
  /** Of those that came true, the share at or above the threshold. */
  readonly recall: number;
}

/** Pure. How a threshold separates; NaN where there is nothing to take a share of. */
export function hitsAt(scored: readonly Scored[], threshold: number): Hits {
  const named = scored.filter(({ score }) => score >= threshold);
  const hits = named.filter(({ isPositive }) => isPositive).length;
  const positives = scored.filter(({ isPositive }) => isPositive).length;
  return { precision: hits / named.length, recall: hits / positives };
}

/** Pure. The threshold, in hundredths, of the highest F1: the harmonic mean of both. */
export function chooseThreshold(scored: readonly Scored[]): number {
  const f1 = (threshold: number): number => {
    const { precision, recall } = hitsAt(scored, threshold);
    return (2 * precision * recall) / (precision + recall) || 0;
  };
  const candidates = Array.from({ length: 99 }, (_, i) => (i + 1) / 100);
  return candidates.reduce((best, one) => (f1(one) > f1(best) ? one : best));
}
