import type {
  MetAnswer,
  MetEvent,
  MetPlace,
  MetQuery,
  MetSpan,
} from "../../../src/features/met-events.ts";
import { compareBytes } from "./memory-truth.ts";

/** Whether an event comes before a place, by the bytes of its order key, as in a database. */
const isBefore = ({ event }: MetEvent, { time, orderKey }: MetPlace): boolean =>
  event.eventTime < time ||
  (event.eventTime === time && (orderKey === null || compareBytes(event.orderKey, orderKey) < 0));

const comparePlaces = (a: MetPlace, b: MetPlace): number =>
  a.time - b.time ||
  Number(a.orderKey === null) - Number(b.orderKey === null) ||
  compareBytes(a.orderKey ?? "", b.orderKey ?? "");

const byTime = (a: MetEvent, b: MetEvent): number =>
  a.event.eventTime - b.event.eventTime || a.version - b.version;

const latestFirst = (a: MetEvent, b: MetEvent): number =>
  b.event.eventTime - a.event.eventTime || compareBytes(b.event.orderKey, a.event.orderKey);

/** What is wanted of a log, from all that the log has: the definition of EventLog.readMet. */
export function naiveMet(query: MetQuery, log: readonly MetEvent[]): MetAnswer {
  const { left, right, fanOut, withinMs, most } = query;
  const counts = log.filter(({ version }) => version <= query.upTo);
  const [lefts, rights] = [left, right].map((source) =>
    counts.filter(({ event }) => event.source === source).toSorted(byTime),
  ) as [MetEvent[], MetEvent[]];

  const look = (span: MetSpan) => {
    const counted = lefts
      .filter(({ event, loggedAt }) => {
        const isAfter =
          event.eventTime > span.after ||
          (event.eventTime === span.after &&
            span.afterKey !== null &&
            compareBytes(event.orderKey, span.afterKey) > 0);
        const isWithin = isAfter && event.eventTime < span.before;
        return isWithin && Math.max(loggedAt, event.eventTime) < span.knownBefore;
      })
      .slice(0, span.counted);
    const known = counted.map(({ loggedAt }) => loggedAt).toSorted((a, b) => a - b)[fanOut - 1];
    const found = rights.filter(({ event: { eventTime }, version, loggedAt }) => {
      if (eventTime < span.from || eventTime >= span.before) return false;
      if (eventTime === span.from && version <= span.fromVersion) return false;
      const by = Math.max(loggedAt, span.changedFrom);
      const between = counted.filter(
        (one) => one.event.eventTime <= eventTime && one.loggedAt <= by,
      );
      return loggedAt < span.knownBefore && between.length < fanOut;
    });
    return { found, reach: counted.at(-1)?.event.eventTime ?? null, known: known ?? null };
  };
  const spans = query.spans.map(look);
  const found = spans.flatMap((span) => span.found).slice(0, most.rights);

  const starts = [
    ...query.starts,
    ...found.map(({ event }) => ({
      time: event.eventTime,
      orderKey: null,
      low: event.eventTime - withinMs,
    })),
  ].toSorted(comparePlaces);
  const places = starts.filter((one, i) => i === 0 || comparePlaces(starts[i - 1] ?? one, one) < 0);
  const below = places.flatMap((place, i) => {
    const last = places[i - 1];
    const lows = starts.filter((one) => comparePlaces(one, place) === 0).map(({ low }) => low);
    return lefts
      .filter((one) => isBefore(one, place) && one.event.eventTime >= Math.min(...lows))
      .filter((one) => last === undefined || !isBefore(one, last))
      .filter(({ loggedAt }) => loggedAt < query.knownBefore)
      .toSorted(latestFirst)
      .slice(0, most.perStart);
  });
  const [fitting, more] = withinBytes(
    [found.slice(0, most.rights), below.slice(0, most.lefts)],
    most.bytes,
  );
  return {
    rights: fitting,
    areRightsCut: found.length >= most.rights || fitting.length < found.length,
    spans: spans.map(({ reach, known }) => ({ reach, known })),
    lefts: more,
    areLeftsCut: below.length >= most.lefts || more.length < below.length,
  };
}

const bytesOf = ({ event }: MetEvent): number => new TextEncoder().encode(event.body).length;

/** Without what goes beyond so many bytes of bodies, but for the first event's. */
function withinBytes(
  [first, second]: readonly [readonly MetEvent[], readonly MetEvent[]],
  most: number,
): readonly [readonly MetEvent[], readonly MetEvent[]] {
  let bytes = 0;
  const fit = (events: readonly MetEvent[]): readonly MetEvent[] =>
    events.filter((one) => {
      const isWithin = bytes < most;
      bytes += bytesOf(one);
      return isWithin;
    });
  return [fit(first), fit(second)];
}
