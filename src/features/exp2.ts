/** Terms of the series of e^y that matter where |y| ≤ ln 2 / 2: the next is below 2^−60. */
const TERMS = 15;

/**
 * Pure. 2^x for 0 ≤ x < 1, within 4 units of the last place of a double, and at most 2 − 2^−52. Only
 * additions and multiplications, whose results IEEE 754 fixes: `Math.pow` differs between engines.
 */
export function exp2(x: number): number {
  const y = (x - 0.5) * Math.LN2;
  let sum = 1;
  for (let n = TERMS; n > 0; n -= 1) sum = 1 + (y * sum) / n;
  return Math.min(Math.max(sum * Math.SQRT2, 1), 2 - Number.EPSILON);
}
