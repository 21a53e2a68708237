import fc from "fast-check";
import type { FoldedEvent } from "../../src/features/history/history-log.ts";
import { exactOf, exactToText } from "../../src/features/exact.ts";
import type { HistoryPoint } from "../../src/features/history/view-history.ts";
import type { OracleEvent } from "./oracle.ts";
import { anyEvent, toLogEvent } from "./views.ts";

/** An event with its place in the log of device `d1`. */
export interface Logged extends OracleEvent {
  readonly version: number;
  readonly knownAt: number;
}

const MINUTE = 60_000;
const DAY = 86_400_000;

/**
 * A log: events around `base`, of which each was known at once, soon, late, before it happened (an
 * import that says so), or all at the same moment; in an order of versions that need not follow.
 */
export const anyLog = (base: number): fc.Arbitrary<readonly Logged[]> =>
  fc.constantFrom(MINUTE, DAY, 45 * DAY).chain((spread) =>
    fc
      .array(
        fc.tuple(
          anyEvent(base, spread),
          fc.oneof(
            { weight: 3, arbitrary: fc.constant(0) },
            { weight: 3, arbitrary: fc.integer({ min: 1, max: 2_000 }) },
            { weight: 2, arbitrary: fc.integer({ min: 0, max: 2 * spread }) },
            { weight: 1, arbitrary: fc.integer({ min: -spread, max: 0 }) },
          ),
        ),
        { maxLength: 30 },
      )
      .map((events) =>
        events.map(([event, lag], i): Logged => ({
          ...event,
          order: `e${(i * 7) % 31}_${i}`,
          version: i + 1,
          knownAt: event.time + lag,
        })),
      ),
  );

/** Points at, around and between a log's events: as served, with a lag, of all, or of anything. */
export const anyPoints = (log: readonly Logged[], base: number): fc.Arbitrary<HistoryPoint[]> => {
  const marks = log.flatMap(({ time, knownAt }) => [time, time + 1, knownAt, knownAt - 1]);
  const instant = fc.oneof(
    fc.constantFrom(base, ...marks),
    fc.integer({ min: base - 50 * DAY, max: base + 50 * DAY }),
  );
  const point = fc.oneof(
    instant.map((at) => ({ at, upTo: at, by: "known_at" as const })),
    instant.map((at) => ({ at, upTo: at + 5 * MINUTE, by: "known_at" as const })),
    instant.map((at) => ({ at, upTo: Number.POSITIVE_INFINITY, by: "known_at" as const })),
    fc.tuple(instant, instant).map(([at, upTo]) => ({ at, upTo, by: "known_at" as const })),
    fc
      .tuple(instant, fc.nat({ max: log.length }))
      .map(([at, upTo]) => ({ at, upTo, by: "version" as const })),
  );
  return fc.array(point, { minLength: 1, maxLength: 12 });
};

/** The events that a point sees, by the definition. */
export const visibleAt = (
  log: readonly Logged[],
  { at, upTo, by }: HistoryPoint,
): readonly Logged[] =>
  log.filter(
    ({ time, knownAt, version }) => time < at && (by === "version" ? version : knownAt) <= upTo,
  );

/** The event as the history log answers it. */
export function foldedOf(one: Logged, slice = 0): FoldedEvent {
  const { source, eventTime, orderKey, sign, body } = toLogEvent(one, "d1");
  const { version, knownAt } = one;
  return { slice, version, knownAt, source, eventTime, orderKey, sign, body };
}

/** The event with its price as records have it. */
export function canonicalOf(event: OracleEvent): OracleEvent {
  const price = event.fields["price"] ?? null;
  const text = price === null ? null : exactToText(exactOf(String(price)));
  return { ...event, fields: { ...event.fields, price: text } };
}

/** Values as a JSON answer shows them. */
export const shown = (values: unknown): unknown => JSON.parse(JSON.stringify(values));
