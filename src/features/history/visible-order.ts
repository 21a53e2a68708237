import type { Point } from "./chains.ts";

/** Which events the points of a chain see, in the order in which they come to be seen. */
export interface VisibleOrder {
  /** Positions of the events that some point sees, by the first point that does. */
  readonly positions: Int32Array;
  /** For each of them, that point. */
  readonly visibleFrom: Int32Array;
  /** By position, the first point that sees the event; the chain's length where none does. */
  readonly first: Int32Array;
}

/** The first of the chain's points for which `reaches` holds, given that it holds for all after it. */
function firstOf(length: number, reaches: (i: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (reaches(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Pure. Events by the first point of a chain that sees them; those that one point sees first are in
 * the given order, or in that of their positions. A mark that is not a number is never seen.
 */
export function visibleOrder(
  chain: readonly Point[],
  times: Float64Array,
  marks: Float64Array,
  order: Int32Array | null = null,
): VisibleOrder {
  const first = new Int32Array(times.length);
  const counts = new Int32Array(chain.length + 1);
  for (let e = 0; e < times.length; e += 1) {
    const [time, mark] = [times[e] as number, marks[e] as number];
    const seen = firstOf(chain.length, (i) => {
      const { at, upTo } = chain[i] as Point;
      return at > time && upTo >= mark;
    });
    first[e] = seen;
    counts[seen] = (counts[seen] as number) + 1;
  }
  // Counting sort; the last bucket, of events that no point sees, is left out.
  const starts = new Int32Array(chain.length + 1);
  for (let i = 1; i <= chain.length; i += 1) {
    starts[i] = (starts[i - 1] as number) + (counts[i - 1] as number);
  }
  const visible = starts[chain.length] as number;
  const positions = new Int32Array(visible);
  const visibleFrom = new Int32Array(visible);
  for (let n = 0; n < times.length; n += 1) {
    const e = order === null ? n : (order[n] as number);
    const seen = first[e] as number;
    if (seen === chain.length) continue;
    const place = starts[seen] as number;
    starts[seen] = place + 1;
    positions[place] = e;
    visibleFrom[place] = seen;
  }
  return { positions, visibleFrom, first };
}
