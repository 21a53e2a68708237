import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inOrder, type PairChange } from "../../../src/features/pair-changes.ts";
import { freshSide, loggedSide } from "../../../src/features/pair-search.ts";
import { logEvent } from "../../support/log-events.ts";
import { anyTightLimits, joinOf, searchAll, type Scene } from "../../support/search-pairs.ts";
import { wholePairs } from "../../support/whole-pairs.ts";

const NOW = 100;

/** A change without what is common to all of a pair. */
const plain = ({ left, right, sign, mark, knownAt, ingestTime }: PairChange): string =>
  [left.event.eventId, right.event.eventId, sign, mark, knownAt, ingestTime].join(" ");

const wholeOf = ({ join, fresh, logged }: Scene): readonly PairChange[] =>
  wholePairs(join, [...fresh, ...logged.map(loggedSide)]);

const sorted = (changes: readonly PairChange[]): readonly string[] => changes.map(plain).toSorted();

/** Some events, of which the first few are logged, and the others fresh. */
const anyScene = (known: fc.Arbitrary<number | null>): fc.Arbitrary<Scene> =>
  fc
    .record({
      withinMs: fc.integer({ min: 1, max: 12 }),
      fanOut: fc.integer({ min: 1, max: 4 }),
      events: fc.array(
        fc.record({
          side: fc.constantFrom("c", "c", "o"),
          time: fc.nat(16),
          known,
          loggedAt: fc.integer({ min: NOW - 6, max: NOW + 1 }),
          isLive: fc.boolean(),
        }),
        { minLength: 1, maxLength: 40, size: "max" },
      ),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      keys: fc.constantFrom("a", "\uFF71", "\u{1F600}"),
    })
    .map(({ withinMs, fanOut, events, share, keys }) => {
      const all = events.map((one, i) => ({
        event: logEvent("t", `${one.side}${(i * 17) % 41}`, {
          source: one.side === "c" ? "clicks" : "orders",
          eventTime: one.time,
          ingestTime: i,
          // Some in another order by code points than by code units.
          orderKey: `${i % 3 === 0 ? keys : "\u{1F600}"}${(i * 17) % 41}`,
          knownAt: one.known,
        }),
        loggedAt: one.known ?? one.loggedAt,
        // Else a past event that was given to the join later.
        isLive: one.known === null && one.isLive,
      }));
      const split = Math.floor(all.length * share);
      return {
        join: joinOf(withinMs, fanOut),
        logged: all.slice(0, split).map((one, i) => ({ ...one, version: i + 1 })),
        fresh: all
          .slice(split)
          .map(({ event }) => freshSide(event, NOW))
          .toSorted(inOrder),
      };
    });

const anyKnown = [
  ["of live events", fc.constant(null)],
  ["of imports", fc.nat(20)],
  ["of imports among live events", fc.oneof(fc.constant(null), fc.nat(99))],
] as const;

describe.each(anyKnown)("a search for changed pairs %s", (_name, known) => {
  it("finds in one look all that there is in a small log", () => {
    fc.assert(
      fc.property(anyScene(known), (scene) => {
        const { changes, looks } = searchAll(scene);
        expect(sorted(changes)).toEqual(sorted(wholeOf(scene)));
        expect(looks).toBeLessThanOrEqual(1);
      }),
      { numRuns: 1_000 },
    );
  });

  it("finds the same however little a look brings", () => {
    fc.assert(
      fc.property(anyScene(known), anyTightLimits, (scene, limits) => {
        const { changes } = searchAll(scene, limits);
        expect(sorted(changes)).toEqual(sorted(wholeOf(scene)));
      }),
      { numRuns: 1_000 },
    );
  });

  it("goes on for some events from what was read first for more", () => {
    const half = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(anyScene(known), anyTightLimits, half, (scene, limits, share) => {
        const fresh = scene.fresh.slice(0, Math.ceil(scene.fresh.length * share));
        const some = { ...scene, fresh };
        const { changes } = searchAll(some, limits, scene.fresh);
        expect(sorted(changes)).toEqual(sorted(wholeOf(some)));
      }),
      { numRuns: 1_000 },
    );
  });
});
