/** What the definition of a join asks of an event. */
export interface PlainSide {
  readonly side: "left" | "right";
  readonly id: string;
  readonly key: string | null;
  readonly time: number;
}

/** The pairs of a join by its definition: of each right event, the latest left ones within reach. */
export function naivePairs<E extends PlainSide>(
  events: readonly E[],
  withinMs: number,
  fanOut: number,
): readonly (readonly [E, E])[] {
  const later = (a: E, b: E): number => b.time - a.time || (a.id < b.id ? 1 : -1);
  return events
    .filter(({ side, key }) => side === "right" && key !== null)
    .flatMap((right) =>
      events
        .filter(({ side, key }) => side === "left" && key === right.key)
        .filter(({ time }) => time <= right.time && right.time - time <= withinMs)
        .toSorted(later)
        .slice(0, fanOut)
        .map((left) => [left, right] as const),
    );
}
