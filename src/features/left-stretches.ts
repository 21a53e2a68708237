import type { LogEvent } from "./event-log.ts";
import type { MetAnswer, MetEvent, MetPlace, MetQuery, MetStart } from "./met-events.ts";

/** Left events without gaps, from a start backwards to a place. */
export interface Stretch {
  /** The latest first. */
  readonly lefts: readonly MetEvent[];
  readonly end: MetPlace;
  /** Whether there may be more, of which the answer says nothing. */
  readonly isCut: boolean;
}

/** Pure. Which stretch begins here, as a text for maps. */
export const placeText = ({ time, orderKey }: MetPlace): string =>
  orderKey === null ? String(time) : `${time} ${orderKey}`;

/** Pure. Whether a left event comes before a place. */
export const isBefore = (
  { eventTime, orderKey }: Pick<LogEvent, "eventTime" | "orderKey">,
  place: MetPlace,
): boolean =>
  eventTime < place.time ||
  (eventTime === place.time && (place.orderKey === null || orderKey < place.orderKey));

function comparePlaces(a: MetPlace, b: MetPlace): number {
  if (a.time !== b.time) return a.time - b.time;
  if (a.orderKey === b.orderKey) return 0;
  if (a.orderKey === null || b.orderKey === null) return a.orderKey === null ? 1 : -1;
  return a.orderKey < b.orderKey ? -1 : 1;
}

function latestFirst({ event: a }: MetEvent, { event: b }: MetEvent): number {
  if (a.eventTime !== b.eventTime) return b.eventTime - a.eventTime;
  return a.orderKey < b.orderKey ? 1 : -1;
}

/** Pure. Whether no text comes before it for a database and after it here, or the other way round. */
export const isPlain = (orderKey: string): boolean => !/[\uD800-\uFFFF]/.test(orderKey);

/**
 * How far a stretch that was cut reaches without doubt: texts beyond U+D800 are ordered by code units
 * here and by code points there.
 */
function cut(lefts: readonly MetEvent[]): Stretch | null {
  const time = lefts.at(-1)?.event.eventTime;
  if (time === undefined) return null;
  const last = lefts.findLastIndex(
    ({ event }) => event.eventTime !== time || isPlain(event.orderKey),
  );
  const event = lefts[last]?.event;
  if (event === undefined) return null;
  const orderKey = event.eventTime === time ? event.orderKey : null;
  const kept = lefts.slice(0, last + 1).toSorted(latestFirst);
  return { lefts: kept, end: { time, orderKey }, isCut: true };
}

/** All starts of a query, those of what was found too: the earliest first. */
function startsOf({ starts, withinMs }: MetQuery, { rights }: MetAnswer): readonly MetStart[] {
  const all = new Map<string, MetStart>();
  const found = rights.map(({ event: { eventTime: time } }) => ({
    time,
    orderKey: null,
    low: time - withinMs,
  }));
  for (const start of [...starts, ...found]) {
    const known = all.get(placeText(start));
    if (known === undefined || start.low < known.low) all.set(placeText(start), start);
  }
  return [...all.values()].toSorted(comparePlaces);
}

/** Pure. The stretches of left events that an answer holds, by the places where they begin. */
export function stretchesOf(query: MetQuery, answer: MetAnswer): ReadonlyMap<string, Stretch> {
  const stretches = new Map<string, Stretch>();
  const all = answer.lefts;
  let previous: MetPlace | null = null;
  let at = 0;
  for (const start of startsOf(query, answer)) {
    const low: MetPlace = { time: start.low - 1, orderKey: null };
    const end: MetPlace = previous !== null && comparePlaces(previous, low) > 0 ? previous : low;
    const first = at;
    for (let left = all[at]; left !== undefined; left = all[at]) {
      if (!isBefore(left.event, start) || isBefore(left.event, end)) break;
      at += 1;
    }
    const lefts = all.slice(first, at);
    const isLast = answer.areLeftsCut && at === all.length;
    const isCut = isLast || lefts.length === query.most.perStart;
    const stretch = isCut ? cut(lefts) : { lefts: lefts.toSorted(latestFirst), end, isCut };
    if (stretch !== null) stretches.set(placeText(start), stretch);
    if (isLast) break;
    previous = start;
  }
  return stretches;
}
