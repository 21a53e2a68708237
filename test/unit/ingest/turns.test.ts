import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EntityRef, EntitySnapshot } from "../../../src/features/event-log.ts";
import { Turns } from "../../../src/ingest/turns.ts";
import { readingEvent } from "../../support/world.ts";

const NOON = Date.UTC(2026, 5, 15, 12);
const hot: EntityRef = { tenant: "t", entity: "device", key: "hot" };

const event = readingEvent("e");

const snapshotOf = (waitingSince: readonly number[], ref = hot): EntitySnapshot => ({
  ...ref,
  version: 0,
  builds: 0,
  states: new Map(),
  pending: [],
  waitingSince,
  erased: false,
});

/** Who appended at that time, behind those; undefined where it folds at once. */
function behind(since: number, ahead: readonly number[]): Turns | undefined {
  const turns = new Turns(since);
  return turns.yields(snapshotOf([...ahead, since])) ? turns : undefined;
}

const nothing = { next: [], folded: [] };

describe("consumers at one entity", () => {
  it("fold what nobody else waits for, or what others left long ago", () => {
    expect(behind(NOON, [])).toBeUndefined();
    expect(behind(NOON, [NOON - 500, NOON - 1])).toBeUndefined();
    expect(new Turns(NOON).yields(snapshotOf([NOON - 1]))).toBe(false);
    expect(behind(NOON, [NOON - 499])?.open).toEqual([hot]);
  });

  it("are done when somebody else folded what they appended", () => {
    const turns = behind(NOON, [NOON - 9]);
    expect(turns?.see([[NOON - 9, NOON]])).toEqual(nothing);
    expect(turns?.see([[NOON + 5]])).toEqual({ next: [], folded: [hot] });
    expect(turns?.open).toEqual([]);
  });

  it("go on one by one, in the order in which they came", () => {
    const second = behind(NOON + 1, [NOON]);
    const third = behind(NOON + 2, [NOON, NOON + 1]);
    const left = [NOON + 1, NOON + 2];
    expect(third?.see([left])).toEqual(nothing);
    expect(second?.see([left])).toEqual({ next: [hot], folded: [] });
    expect(third?.see([[]])).toEqual({ next: [], folded: [hot] });
  });

  it("that came at once begin with the earliest, and do not trust clocks for long", () => {
    const slow = behind(NOON + 1, [NOON]);
    const fast = behind(NOON + 2, [NOON]);
    const left = [[NOON + 1, NOON + 2]];
    expect(fast?.see(left)).toEqual(nothing);
    expect(slow?.see(left)).toEqual({ next: [hot], folded: [] });
    // The slow one was a moment too slow.
    expect(fast?.see(left)).toEqual({ next: [hot], folded: [] });
  });

  it("that lost leave the rest to others once what they appended is folded", () => {
    const turns = new Turns(NOON);
    expect(turns.yields(snapshotOf([NOON]))).toBe(false);
    const isOver = (waitingSince: readonly number[], ref = hot): boolean =>
      turns.isOver({ ...snapshotOf(waitingSince, ref), pending: waitingSince.map(() => event) });
    expect(isOver([])).toBe(true);
    expect(isOver([NOON + 3])).toBe(true);
    expect(isOver([NOON, NOON + 3])).toBe(false);
    // Nobody is at what has waited for so long, or was never theirs.
    expect(isOver([NOON - 500])).toBe(false);
    expect(isOver([NOON + 3], { ...hot, key: "cold" })).toBe(false);
    // Not all that waits was read.
    expect(turns.isOver({ ...snapshotOf([]), hasMore: true })).toBe(false);
  });

  it("fold in the end, whatever they see", () => {
    const time = fc.integer({ min: NOON - 40, max: NOON + 40 });
    fc.assert(
      fc.property(
        fc.array(time, { minLength: 1 }),
        fc.array(fc.array(time), { minLength: 4, maxLength: 4 }),
        (ahead, seen) => {
          const cold = { ...hot, key: "cold" };
          const turns = new Turns(NOON);
          const others = ahead.filter((since) => since !== NOON);
          const yields = turns.yields(snapshotOf([...others, NOON]));
          expect(yields).toBe(others.length > 0);
          turns.yields(snapshotOf([...others, NOON], cold));
          const ended = seen.flatMap((times) => {
            const { next, folded } = turns.see(turns.open.map(() => [...times, NOON]));
            expect(folded).toEqual([]);
            return next;
          });
          expect(ended).toEqual(yields ? [hot, cold] : []);
          expect(turns.open).toEqual([]);
        },
      ),
    );
  });
});
