/** Which events take back which, for one kind of mark. */
export interface Matched {
  /** Positions of the events by time. */
  readonly order: Int32Array;
  /** By position: from which mark on the event counts; of a retraction not before what it takes
   * back does, and of one that takes nothing back never (not a number). */
  readonly marks: Float64Array;
  /** By position: what takes the event back, or what it takes back; −1 for nothing. */
  readonly partner: Int32Array;
}

/**
 * Pure. Matches retractions (content below 0) with events of their time and content, in the order of
 * the marks: at any mark, of P events and M retractions of a content max(0, P − M) are left.
 */
export function matchRetractions(
  times: Float64Array,
  contents: Float64Array,
  given: Float64Array,
): Matched {
  const order = new Int32Array(times.length).map((_, i) => i);
  const of = (values: Float64Array, i: number): number => values[i] as number;
  const content = (i: number): number => Math.abs(of(contents, i));
  order.sort(
    (a, b) =>
      of(times, a) - of(times, b) ||
      content(a) - content(b) ||
      of(given, a) - of(given, b) ||
      a - b,
  );
  const marks = given.slice();
  const partner = new Int32Array(times.length).fill(-1);
  for (let from = 0; from < order.length;) {
    const head = order[from] as number;
    let end = from + 1;
    while (end < order.length) {
      const other = order[end] as number;
      if (of(times, other) !== of(times, head) || content(other) !== content(head)) break;
      end += 1;
    }
    const alike = order.subarray(from, end);
    from = end;
    if (alike.every((i) => of(contents, i) > 0)) continue;
    const added = alike.filter((i) => of(contents, i) > 0);
    for (const [n, i] of alike.filter((one) => of(contents, one) < 0).entries()) {
      const taken = added[n];
      marks[i] = taken === undefined ? Number.NaN : Math.max(of(given, i), of(given, taken));
      if (taken === undefined) continue;
      partner[i] = taken;
      partner[taken] = i;
    }
  }
  return { order, marks, partner };
}
