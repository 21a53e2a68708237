import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { count, expDecaySum, first, last, lastN, sum } from "../../../src/features/aggregation.ts";
import { answerFrom, planRead } from "../../../src/features/assemble.ts";
import { compileView } from "../../../src/features/compile-view.ts";
import { featureView } from "../../../src/features/define.ts";
import { addEvent, dropUnreachable } from "../../../src/features/fold-view.ts";
import type { ViewPlan } from "../../../src/features/plan.ts";
import { recordFromText } from "../../../src/features/source-record.ts";
import { decodeState, emptyState, encodeState, openState } from "../../../src/features/state.ts";
import { exactOf, exactToText } from "../../../src/features/exact.ts";
import { hopping, tumbling } from "../../../src/features/window.ts";
import { DAY_MS } from "../../../src/time.ts";
import { isAnswer, isWithin, oracleValue, type OracleEvent } from "../../support/oracle.ts";
import { anyOrder, shuffled } from "../../support/shuffle.ts";
import {
  anyEvent,
  anyView,
  device,
  oracleFeatures,
  readings,
  toLogEvent,
} from "../../support/views.ts";

const BASE = Date.UTC(2026, 5, 15, 13, 37, 11, 123);

const anyHistory = fc
  .tuple(fc.constantFrom(60_000, DAY_MS, 45 * DAY_MS), fc.integer({ min: 1, max: 30 }))
  .chain(([spread, length]) => fc.array(anyEvent(BASE, spread), { maxLength: length, size: "max" }))
  .map((events) =>
    events.map((event, i): OracleEvent => ({ ...event, order: `e${(i * 7) % 31}_${i}` })),
  );

/** Folds in the given order, packed and unpacked again after every `every` events. */
function fold(plan: ViewPlan, events: readonly OracleEvent[], every: number): string {
  let bytes = encodeState(plan, emptyState(plan));
  for (let i = 0; i < events.length; i += every) {
    const state = decodeState(plan, bytes);
    for (const event of events.slice(i, i + every)) {
      const log = toLogEvent(event, "d1");
      addEvent(plan, state, "d1", { event: log, record: recordFromText(log.body) });
    }
    dropUnreachable(plan, state);
    bytes = encodeState(plan, state);
  }
  return bytes;
}

/** Prices as they are returned: canonical. */
const canonical = (events: readonly OracleEvent[]): readonly OracleEvent[] =>
  events.map(({ fields, ...event }) => {
    const { price = null } = fields;
    const text = price === null ? null : exactToText(exactOf(String(price)));
    return { ...event, fields: { ...fields, price: text } };
  });

const latestOf = (events: readonly OracleEvent[]): number =>
  Math.max(BASE, ...events.map(({ time }) => time + 1));

/** A read after the newest event: soon, later, or long after. */
const anyDelay = fc.oneof(
  fc.constantFrom(0, 1, 299_999, 3_600_000, DAY_MS, 8 * DAY_MS, 31 * DAY_MS),
  fc.nat({ max: 7_200_000 }),
  fc.nat({ max: 40 * DAY_MS }),
);

describe("a view's state", () => {
  it("answers like a naive recomputation, for any view, history, order, split and instant", () => {
    fc.assert(
      fc.property(
        anyView,
        anyHistory,
        fc.integer({ min: 1, max: 8 }),
        anyDelay,
        anyOrder,
        (plan, events, every, laterMs, order) => {
          const bytes = fold(plan, shuffled(events, order), every);
          const asOf = latestOf(events) + laterMs;
          const { values } = answerFrom(planRead(plan, asOf), openState(bytes));
          const sent = canonical(events);
          for (const [i, feature] of oracleFeatures(plan).entries()) {
            const value = values[i] ?? null;
            if (isAnswer(feature, sent, asOf, value)) continue;
            expect({ feature, value }).toEqual({
              feature,
              value: oracleValue(feature, sent, asOf),
            });
          }
        },
      ),
      { numRuns: 2_000 },
    );
  }, 60_000);

  it("has the same bytes whatever the order and the splits", () => {
    fc.assert(
      fc.property(anyView, anyHistory, fc.integer({ min: 1, max: 8 }), (plan, events, every) => {
        expect(fold(plan, events.toReversed(), every)).toBe(fold(plan, events, 1_000));
      }),
      { numRuns: 500 },
    );
  });

  it("keeps its statuses honest: not found when no window holds an event", () => {
    fc.assert(
      fc.property(anyView, anyHistory, anyDelay, (plan, events, laterMs) => {
        const asOf = latestOf(events) + laterMs;
        const { values, statuses } = answerFrom(
          planRead(plan, asOf),
          openState(fold(plan, events, 3)),
        );
        const windows = oracleFeatures(plan).map(({ window }) => window);
        const isFound = events.some(({ time }) =>
          windows.some((window) => isWithin(window, time, asOf)),
        );
        const isEmpty = (value: unknown): boolean =>
          value === null ||
          (typeof value === "object" &&
            !Array.isArray(value) &&
            Object.values(value).every((one) => one === null));
        for (const [i, status] of statuses.entries()) {
          const filled = isEmpty(values[i]) ? "NULL_VALUE" : "PRESENT";
          expect(status).toBe(isFound ? filled : "NOT_FOUND");
        }
      }),
      { numRuns: 500 },
    );
  });

  it("says which counts of values reached their bound", () => {
    fc.assert(
      fc.property(anyView, anyHistory, (plan, events) => {
        const asOf = latestOf(events);
        const answer = answerFrom(planRead(plan, asOf), openState(fold(plan, events, 3)));
        const capped = oracleFeatures(plan).flatMap((feature, i) => {
          if (feature.aggregate !== "countDistinct") return [];
          const unbounded = { ...feature, parameters: { max: 10_000 } };
          const [value, truth] = [feature, unbounded].map((one) =>
            JSON.stringify(oracleValue(one, canonical(events), asOf)),
          );
          return value === truth ? [] : [i];
        });
        expect(answer.capped).toEqual(capped);
      }),
      { numRuns: 500 },
    );
  });

  it("refuses bytes that are not a state of the view", () => {
    fc.assert(
      fc.property(anyView, anyHistory, fc.nat(), (plan, events, cut) => {
        const bytes = atob(fold(plan, events, 4));
        const truncated = btoa(bytes.slice(0, cut % bytes.length));
        expect(() => decodeState(plan, truncated)).toThrow(RangeError);
        expect(() => decodeState(plan, btoa(`${bytes}x`))).toThrow(RangeError);
      }),
      { numRuns: 200 },
    );
  });
});

const HOUR = Date.UTC(2026, 5, 15, 13);
const at = (time: number, order: string, price: string): OracleEvent => ({
  time,
  order,
  fields: { price, level: null, colour: null, on: null },
});

const counting = compileView(
  featureView("conventions", {
    entity: device,
    source: readings,
    features: {
      n: count().over("1h"),
      newest: last("price").over("1h"),
      oldest: first("price").over("1h"),
      ever: count(),
      red: sum("price")
        .where({ colour: ["red", "blue"] })
        .over("1d")
        .default("0"),
    },
  }),
);

const read = (events: readonly OracleEvent[], asOf: number) =>
  answerFrom(planRead(counting, asOf), openState(fold(counting, events, 1)));

describe("the conventions of time", () => {
  it("includes the tail to the millisecond and lets it go with the next hop", () => {
    const tail = at(HOUR - 3_600_000, "a", "1");
    const head = at(HOUR - 1, "b", "2");
    expect(read([tail, head], HOUR + 299_999).values[0]).toBe(2);
    expect(read([tail, head], HOUR + 300_000).values[0]).toBe(1);
    expect(read([at(tail.time - 1, "a", "1"), head], HOUR).values[0]).toBe(1);
  });

  it("keeps sliding when nothing arrives", () => {
    const events = [at(HOUR, "a", "1"), at(HOUR + 60_000, "b", "2")];
    expect(read(events, HOUR + 60_001).values.slice(0, 4)).toEqual([2, "2", "1", 2]);
    expect(read(events, HOUR + 2 * 3_600_000).values.slice(0, 4)).toEqual([0, null, null, 2]);
  });

  it("orders ties by the order key, whichever arrives first", () => {
    const [a, b] = [at(HOUR, "a", "1"), at(HOUR, "b", "2")];
    for (const events of [
      [a, b],
      [b, a],
    ]) {
      expect(read(events, HOUR + 1).values.slice(1, 3)).toEqual(["2", "1"]);
    }
  });

  it("applies defaults after the status", () => {
    const answer = read([at(HOUR, "a", "1")], HOUR + 1);
    expect(answer.values[4]).toBe("0");
    expect(answer.statuses[4]).toBe("NULL_VALUE");
  });

  it("keeps null where a sum is beyond all doubles: the default stands for nothing alone", () => {
    const plan = compileView(
      featureView("large", {
        entity: device,
        source: readings,
        features: {
          total: sum("level").default(0),
          split: sum("level")
            .by("on", { keys: [true] })
            .default(-1),
          decayed: expDecaySum("level", "1d").default(0),
          exact: sum("price").default("0"),
        },
      }),
    );
    const large = (order: string, on: boolean): OracleEvent => {
      return { time: HOUR, order, fields: { level: 1.7e308, on, price: null } };
    };
    const events = [large("a", true), large("b", true)];
    const answer = (all: readonly OracleEvent[]) =>
      answerFrom(planRead(plan, HOUR + 1), openState(fold(plan, all, 1)));
    const { values, statuses } = answer(events);
    expect(values).toEqual([null, { true: null, other: -1 }, null, "0"]);
    expect(statuses).toEqual(["NULL_VALUE", "NULL_VALUE", "NULL_VALUE", "NULL_VALUE"]);
    const more = answer([...events, large("c", false)]);
    expect(more.values[1]).toEqual({ true: null, other: 1.7e308 });
    expect(more.statuses[1]).toBe("PRESENT");
  });

  it("takes an event older than every window into the lifetime alone", () => {
    const events = [at(HOUR, "a", "1"), at(HOUR - 40 * DAY_MS, "b", "7")];
    expect(read(events, HOUR + 1).values.slice(0, 4)).toEqual([1, "1", "1", 2]);
  });

  it("tells a sliding head from a hopping one, and both from the tail's grid", () => {
    const windows = compileView(
      featureView("windows", {
        entity: device,
        source: readings,
        features: {
          sawtooth: count().over("1h"),
          hopping: count().over(hopping("1h", "5m")),
          tumbling: count().over(tumbling("1h")),
        },
      }),
    );
    const counted = (time: number, asOf: number): readonly unknown[] => {
      const bytes = fold(windows, [at(time, "a", "1"), at(time - DAY_MS, "b", "2")], 1);
      return answerFrom(planRead(windows, asOf), openState(bytes)).values;
    };
    const now = HOUR + 7 * 60_000;
    // The head: excluded at T itself; by a hopping window until the hop is over.
    expect(counted(now - 1, now)).toEqual([1, 0, 0]);
    expect(counted(now - 1, HOUR + 10 * 60_000)).toEqual([1, 1, 0]);
    expect(counted(now - 1, HOUR + 10 * 60_000 - 1)).toEqual([1, 0, 0]);
    expect(counted(HOUR + 5 * 60_000 - 1, now)).toEqual([1, 1, 0]);
    // The tail: of a sawtooth floor(T − W, h), of a hopping window floor(T, h) − W.
    const tail = HOUR + 5 * 60_000 - 3_600_000;
    expect(counted(tail, now)).toEqual([1, 1, 1]);
    expect(counted(tail - 1, now)).toEqual([0, 0, 1]);
    expect(counted(HOUR - 3_600_000, now)).toEqual([0, 0, 1]);
    expect(counted(HOUR - 3_600_001, now)).toEqual([0, 0, 0]);
    expect(counted(HOUR, now)).toEqual([1, 1, 0]);
    expect(counted(HOUR, HOUR + 3_600_000)).toEqual([1, 1, 1]);
  });

  it("lets a sum decay without traffic", () => {
    const decaying = compileView(
      featureView("decaying", {
        entity: device,
        source: readings,
        features: {
          recent: expDecaySum("price", "1h"),
          hour: expDecaySum("price", "1h").over("2h"),
        },
      }),
    );
    const bytes = fold(decaying, [at(HOUR, "a", "6"), at(HOUR - 3_600_000, "b", "4")], 1);
    const recent = (asOf: number) => answerFrom(planRead(decaying, asOf), openState(bytes)).values;
    expect(recent(HOUR + 3_600_000)).toEqual([4, 4]);
    expect(recent(HOUR + 2 * 3_600_000)).toEqual([2, 1.5]);
    expect(recent(HOUR + 1_000 * 3_600_000)[1]).toBeNull();
    expect(recent(HOUR + 1_000 * 3_600_000)[0]).toBeLessThan(1e-290);
  });
});

describe("by()", () => {
  const split = compileView(
    featureView("split", {
      entity: device,
      source: readings,
      features: {
        counts: count().by("colour", { keys: ["red", "blue"] }),
        levels: sum("level")
          .by("on", { keys: [true] })
          .default(-1),
        prices: lastN("price", 2)
          .where({ on: true })
          .by("level", { keys: [1, "2.0"] })
          .default([]),
        red: count().where({ colour: "red" }),
      },
    }),
  );
  const event = (order: string, fields: OracleEvent["fields"]): OracleEvent => ({
    time: HOUR,
    order,
    fields,
  });
  const answer = (events: readonly OracleEvent[]) =>
    answerFrom(planRead(split, HOUR + 1), openState(fold(split, events, 1)));

  it("gives each key its value, and the others theirs, in the order of the keys", () => {
    const { values, statuses } = answer([
      event("a", { colour: "red", on: true, level: 1, price: "1.5" }),
      event("b", { colour: "red", on: true, level: 2, price: "9007199254740993" }),
      event("c", { colour: "green", on: false, level: 4, price: "3" }),
      event("d", { colour: null, on: null, level: 8, price: "4" }),
    ]);
    expect(values).toEqual([
      { red: 2, blue: 0, other: 1 },
      { true: 3, other: 4 },
      { "1": ["1.5"], "2": ["9007199254740993"], other: [] },
      2,
    ]);
    expect(Object.keys(values[0] as object)).toEqual(["red", "blue", "other"]);
    expect(statuses).toEqual(["PRESENT", "PRESENT", "PRESENT", "PRESENT"]);
  });

  it("has every key where there is nothing: zeros of a count, else the default", () => {
    const nothing = answer([]);
    expect(nothing.statuses).toEqual(["NOT_FOUND", "NOT_FOUND", "NOT_FOUND", "NOT_FOUND"]);
    const { values, statuses } = answer([event("a", { colour: null, price: "1", level: null })]);
    expect(values).toEqual(nothing.values);
    expect(values).toEqual([
      { red: 0, blue: 0, other: 0 },
      { true: -1, other: -1 },
      { "1": [], "2": [], other: [] },
      0,
    ]);
    expect(statuses).toEqual(["PRESENT", "NULL_VALUE", "NULL_VALUE", "PRESENT"]);
  });

  it("shares the partial of a key with a feature that has it as its condition", () => {
    expect(split.features[0]?.partials[0]).toBe(split.features[3]?.partials[0]);
  });
});

describe("a window's tiles", () => {
  it("hold a partial only as long as its own window, beside one that is kept longer", () => {
    const plan = compileView(
      featureView("kept", {
        entity: device,
        source: readings,
        features: {
          n: count().over("30d"),
          newest: lastN("price", 3).over(hopping("2d", "1d")),
        },
      }),
    );
    const days = Array.from({ length: 20 }, (_, i) => at(HOUR - i * DAY_MS, `e${i}`, "1.25"));
    const state = decodeState(plan, fold(plan, days, 3));
    const filled = (partial: number): number =>
      [...(state.levels[0]?.values() ?? [])].filter((tile) => {
        const held = tile[partial];
        return Array.isArray(held) ? held.length > 0 : held !== 0;
      }).length;
    expect([filled(0), filled(1)]).toEqual([20, 3]);
  });
});
