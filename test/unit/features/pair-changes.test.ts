import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LogEvent } from "../../../src/features/event-log.ts";
import type { MetEvent } from "../../../src/features/met-events.ts";
import type { PairChange } from "../../../src/features/pair-changes.ts";
import { pairEvent, readingRecords } from "../../../src/features/pairs.ts";
import { freshSide, type SearchLimits } from "../../../src/features/pair-search.ts";
import type { JoinPlan } from "../../../src/features/source-plan.ts";
import { logEvent } from "../../support/log-events.ts";
import { naivePairs, type PlainSide } from "../../support/naive-pairs.ts";
import { anyTightLimits, joinOf, ROOMY, searchAll } from "../../support/search-pairs.ts";

/** An event, and when it says that it was known; null: when it is folded. */
interface Given extends PlainSide {
  readonly key: string;
  readonly known: number | null;
}

const eventOf = ({ side, id, time, known }: Given): LogEvent =>
  logEvent("t", id, {
    source: side === "left" ? "clicks" : "orders",
    eventTime: time,
    ingestTime: 0,
    orderKey: id,
    knownAt: known,
  });

/** A change of a pair, and when it is known. */
interface Known {
  readonly pair: string;
  readonly sign: number;
  readonly known: number;
}

const nameOf = (left: string, right: string): string => `${left} ${right}`;

const anyLimits = fc.oneof(fc.constant(ROOMY), anyTightLimits);

interface Fold {
  readonly join: JoinPlan;
  readonly limits: SearchLimits;
}

/** Events that are folded together, and when. */
interface Group {
  readonly now: number;
  readonly events: readonly Given[];
}

/** All changes that come of folding groups of events one after the other. */
function foldAll({ join, limits }: Fold, groups: readonly Group[]): Known[] {
  const all: Known[] = [];
  const logged: MetEvent[] = [];
  for (const { now, events } of groups) {
    const fresh = events.map((one) => freshSide(eventOf(one), now));
    const { changes } = searchAll({ join, fresh, logged }, limits);
    all.push(...changes.map((change) => knownOf(change, now)));
    for (const { event, isLive } of fresh) {
      const loggedAt = Math.min(event.knownAt ?? now, now);
      logged.push({ event, version: logged.length + 1, loggedAt, isLive });
    }
  }
  return all;
}

const knownOf = ({ left, right, sign, knownAt }: PairChange, now: number): Known => ({
  pair: nameOf(left.event.eventId, right.event.eventId),
  sign,
  known: knownAt ?? now,
});

/** How often each pair is there at K; those that are not, left out. */
function netAt(changes: readonly Known[], knowledge: number): ReadonlyMap<string, number> {
  const net = new Map<string, number>();
  for (const { pair, sign, known } of changes) {
    if (known <= knowledge) net.set(pair, (net.get(pair) ?? 0) + sign);
  }
  return new Map([...net].filter(([, n]) => n !== 0));
}

const naiveAt = (events: readonly Given[], join: JoinPlan): ReadonlyMap<string, number> =>
  new Map(
    naivePairs(events, join.withinMs, join.fanOut).map(
      ([left, right]) => [nameOf(left.id, right.id), 1] as const,
    ),
  );

const anyEvents = (known: fc.Arbitrary<number | null>): fc.Arbitrary<readonly Given[]> =>
  fc
    .array(fc.tuple(fc.constantFrom("left" as const, "right" as const), fc.nat(12), known), {
      minLength: 1,
      maxLength: 14,
    })
    .map((all) =>
      all.map(([side, time, at], i) => ({
        side,
        id: `${side[0]}${(i * 7) % 15}`,
        key: "k",
        time,
        known: at,
      })),
    );
/** Of imports some say a time that is not yet, or the moment of the fold. */
const anyMixed = anyEvents(
  fc.oneof(fc.constant(null), fc.nat(130), fc.constantFrom(100, 101, 120, 121)),
);
const anySizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 6 });
const anyTicks = fc.array(fc.constantFrom(0, 0, 1, 20), { minLength: 1, maxLength: 6 });
const anyFold: fc.Arbitrary<Fold> = fc
  .tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 3 }), anyLimits)
  .map(([withinMs, fanOut, limits]) => ({ join: joinOf(withinMs, fanOut), limits }));

const START = 100;

/** A group each instant, or as the clock ticks. */
function groupsOf(
  events: readonly Given[],
  sizes: readonly number[],
  ticks: readonly number[] = [1],
): readonly Group[] {
  const groups: Group[] = [];
  let now = START;
  for (let at = 0; at < events.length;) {
    const size = sizes[groups.length % sizes.length] ?? 1;
    groups.push({ now, events: events.slice(at, (at += size)) });
    now += ticks[groups.length % ticks.length] ?? 0;
  }
  return groups;
}

describe("the changes of a join's pairs", () => {
  it("add up to the definition after every fold, whatever arrives when", () => {
    fc.assert(
      fc.property(anyFold, anyEvents(fc.constant(null)), anySizes, (fold, events, sizes) => {
        const groups = groupsOf(events, sizes);
        const changes = foldAll(fold, groups);
        for (const [i, { now }] of groups.entries()) {
          const folded = groups.slice(0, i + 1).flatMap((group) => group.events);
          expect(netAt(changes, now)).toEqual(naiveAt(folded, fold.join));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("are known when the imports that make them were, at any time and in any order", () => {
    fc.assert(
      fc.property(anyFold, anyEvents(fc.nat(20)), anySizes, (fold, events, sizes) => {
        const changes = foldAll(fold, groupsOf(events, sizes));
        for (let knowledge = 0; knowledge <= 20; knowledge += 1) {
          const known = events.filter((one) => (one.known ?? 0) <= knowledge);
          expect(netAt(changes, knowledge)).toEqual(naiveAt(known, fold.join));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("never take back what is not there, nor give twice, where imports come among live events", () => {
    fc.assert(
      fc.property(anyFold, anyMixed, anySizes, anyTicks, (fold, events, sizes, ticks) => {
        const changes = foldAll(fold, groupsOf(events, sizes, ticks));
        for (const { known: knowledge } of changes) {
          expect([...netAt(changes, knowledge).values()].every((n) => n === 1)).toBe(true);
        }
        expect(netAt(changes, 1_000)).toEqual(naiveAt(events, fold.join));
      }),
      { numRuns: 1_000 },
    );
  });

  it("leave the pairs of live events known as they were served, whatever is imported", () => {
    fc.assert(
      fc.property(anyFold, anyMixed, anySizes, anyTicks, (fold, events, sizes, ticks) => {
        const groups = groupsOf(events, sizes, ticks);
        const changes = foldAll(fold, groups);
        const live = new Set(events.filter((one) => one.known === null).map(({ id }) => id));
        const ofLive = (pairs: ReadonlyMap<string, number>): readonly string[] =>
          [...pairs.keys()]
            .filter((pair) => pair.split(" ").every((id) => live.has(id)))
            .toSorted();
        for (const [i, { now }] of groups.entries()) {
          // What was served last in a millisecond is what was served then.
          if (groups[i + 1]?.now === now) continue;
          const folded = groups.slice(0, i + 1).flatMap((group) => group.events);
          const served = naiveAt(folded, fold.join);
          expect(ofLive(netAt(changes, now))).toEqual(ofLive(served));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("have ids of their own, and order keys that put the right event first", () => {
    const join = joinOf(10, 5);
    const id = fc.string({ unit: fc.constantFrom("a", "b", "%", "‖", "\u0001", "\u0002", "7C") });
    const pairs = fc.array(fc.tuple(id, id), { minLength: 2, maxLength: 2 });
    const event = (source: string, eventId: string) =>
      logEvent("t", eventId, { source, orderKey: eventId, body: '{"who":"w","ad":"1"}' });
    const side = (one: LogEvent) => freshSide(one, 0);
    fc.assert(
      fc.property(pairs, (both) => {
        const [a, b] = both.map(([left, right]) => {
          const change = {
            left: side(event("clicks", left)),
            right: side(event("orders", right)),
            sign: 1,
            mark: "",
            knownAt: null,
            ingestTime: 0,
          } as const;
          return pairEvent(join, change, readingRecords()).event;
        }) as [LogEvent, LogEvent];
        const [[l1, r1], [l2, r2]] = both as [[string, string], [string, string]];
        expect(a.eventId === b.eventId).toBe(l1 === l2 && r1 === r2);
        const isLess = r1 < r2 || (r1 === r2 && l1 < l2);
        expect(a.orderKey < b.orderKey).toBe(isLess);
        expect(a.body).toBe('{"clicks__ad":"1","who":"w"}');
      }),
    );
  });
});
