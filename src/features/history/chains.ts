/** A value is asked for at `at`, of the events whose mark (known-at time, or version) is ≤ `upTo`. */
export interface Point {
  readonly at: number;
  readonly upTo: number;
}

/** The first of falling numbers that is not above the value, or their number. */
function firstAtMost(tails: readonly number[], value: number): number {
  let [low, high] = [0, tails.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((tails[middle] as number) <= value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Pure. Positions of the points in the fewest chains along which neither `at` nor `upTo` falls: an
 * event that one point of a chain sees (event time < at, mark ≤ upTo) is seen by all that follow, so
 * that a state that events are only added to answers them one after the other. Points as they were
 * served, with a constant lag, with the latest knowledge, or of one moment's knowledge are one chain.
 *
 *     upTo │        ·3            chains: 1 2 3, and 4 5, which knew less of later times
 *          │   ·2      ·5
 *          │ ·1     ·4
 *          └────────────── at
 */
export function chainsOf(points: readonly Point[]): readonly (readonly number[])[] {
  const at = (i: number): Point => points[i] as Point;
  const order = points.map((_, i) => i);
  // Comparing, not subtracting: both may be infinite.
  const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);
  order.sort((i, j) => compare(at(i).at, at(j).at) || compare(at(i).upTo, at(j).upTo));
  // The chains' last `upTo`, falling: each point goes to the first chain that it can follow.
  const tails: number[] = [];
  const chains: number[][] = [];
  for (const i of order) {
    const { upTo } = at(i);
    const chain = firstAtMost(tails, upTo);
    tails[chain] = upTo;
    (chains[chain] ??= []).push(i);
  }
  return chains;
}
