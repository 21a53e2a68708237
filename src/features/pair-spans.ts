import { isPlain } from "./left-stretches.ts";
import type { MetAnswer, MetEvent, MetQuery, MetSpan } from "./met-events.ts";
import { countUpTo } from "./open-right.ts";
import type { Side } from "./pair-changes.ts";

/** Beyond every time, and a whole number that a database takes. */
export const ALWAYS = Number.MAX_SAFE_INTEGER;
const WIDER = 4;

/** Pure. Where logged right events may be paired with fresh left ones: from each of these to the next. */
export function spansOf(
  withinMs: number,
  fresh: readonly Side[],
  counted: number,
): readonly MetSpan[] {
  const spans: MetSpan[] = [];
  for (const [i, { event }] of fresh.entries()) {
    const time = event.eventTime;
    const next = fresh[i + 1]?.event.eventTime ?? Number.POSITIVE_INFINITY;
    if (next === time) continue;
    const first = countUpTo(fresh, time - withinMs - 1);
    spans.push({
      after: time,
      afterKey: isPlain(event.orderKey) ? event.orderKey : null,
      from: time,
      fromVersion: -1,
      before: Math.min(next, time + withinMs + 1),
      changedFrom: Math.min(...fresh.slice(first, i + 1).map(({ known }) => known)),
      knownBefore: ALWAYS,
      counted,
    });
  }
  return spans;
}

/** Pure. What is left of spans once right events were found up to some event. */
export function spansAfter(
  spans: readonly MetSpan[],
  { event: { eventTime }, version }: MetEvent,
  query: MetQuery,
  { spans: looked }: MetAnswer,
  mostCounted: number,
): readonly MetSpan[] {
  return spans
    .filter(({ before }) => before > eventTime)
    .map((span) => {
      if (span.from > eventTime) return span;
      const from = { ...span, from: eventTime, fromVersion: version };
      const same = query.spans.findIndex(
        (one) => one.after === span.after && one.knownBefore === span.knownBefore,
      );
      const { reach = null, known = null } = looked[same] ?? {};
      // To count more helps where that can still say more.
      if (reach === null || known === null || known <= span.changedFrom) return from;
      const counted = Math.max(span.counted, Math.min(span.counted * WIDER, mostCounted));
      // What is known no sooner than so many that all lie before is out of the question.
      return reach > eventTime
        ? { ...from, counted }
        : { ...from, counted, after: reach, afterKey: null, knownBefore: known };
    });
}
