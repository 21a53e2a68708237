/** Lengths this close to 1 are 1: a vector once normalised stays as it is. */
const NEGLIGIBLE = 1e-12;

/** Pure. The vector of length 1 in the same direction; null for zeros. Values are finite. */
export function unitVector(values: readonly number[]): readonly number[] | null {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) return null;
  // Scaled first, so that squares neither overflow nor vanish.
  let squares = 0;
  for (const value of values) squares += (value / largest) ** 2;
  const root = Math.sqrt(squares);
  if (Math.abs(root * largest - 1) <= NEGLIGIBLE) return values;
  return values.map((value) => value / largest / root);
}
