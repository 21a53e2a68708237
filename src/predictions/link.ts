/** Pure. The probability of which `score` is the logarithm of the odds; exact at both ends. */
export function sigmoid(score: number): number {
  // exp() of what is not above 0 never overflows.
  const e = Math.exp(-Math.abs(score));
  return score < 0 ? e / (1 + e) : 1 / (1 + e);
}

/** Pure. Probabilities in proportion to exp(score); they add up to 1. */
export function softmax(scores: Float64Array): Float64Array {
  // Taking the largest from all changes no proportion, and keeps exp() from overflowing.
  const largest = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const weights = scores.map((score) => Math.exp(score - largest));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / total);
}
