/** How many of two samples fell into one bin. */
export type Bin = readonly [recent: number, baseline: number];

/**
 * Pure. The population stability index of two samples over the same bins, Σ (p − q) · ln(p / q) of
 * their shares p and q, none taken below `floor`: the symmetrised Kullback–Leibler divergence (S.
 * Kullback, R. Leibler, Ann. Math. Statist. 22, 1951). Null where a sample is empty.
 */
export function psi(bins: readonly Bin[], floor: number): number | null {
  const [n, m] = [0, 1].map((side) => bins.reduce((sum, bin) => sum + (bin[side] ?? 0), 0));
  if (!n || !m) return null;
  return bins.reduce((sum, [recent, baseline]) => {
    const [p, q] = [Math.max(floor, recent / n), Math.max(floor, baseline / m)];
    return sum + (p - q) * Math.log(p / q);
  }, 0);
}

/** Beyond this lies one in a hundred draws of the standard normal distribution. */
const Z99 = 2.3263;

/**
 * Pure. What the index of samples of n and m from one distribution exceeds by chance once in a
 * hundred times: (1/n + 1/m) times the 99th percentile of χ² with bins − 1 degrees of freedom (B. Yurdakul,
 * Statistical Properties of Population Stability Index, 2018), by Wilson and Hilferty's cube.
 */
export function psiNoise(bins: number, n: number, m: number): number {
  const degrees = bins - 1;
  if (degrees < 1) return 0;
  const spread = 2 / (9 * degrees);
  return degrees * (1 - spread + Z99 * Math.sqrt(spread)) ** 3 * (1 / n + 1 / m);
}

/**
 * The usual reading of the index (E. Lewis, An Introduction to Credit Scoring, 1994): stable below 0.1,
 * shifted above 0.25; but unclear where that much is no more than chance may do.
 */
export type Reading = "stable" | "moderate" | "shifted" | "unclear";

/** Pure. What the index means, given what chance may do. */
export function readingOf(index: number, noise: number): Reading {
  if (index < 0.1) return "stable";
  if (index <= noise) return "unclear";
  return index > 0.25 ? "shifted" : "moderate";
}
