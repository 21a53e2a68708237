import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { count, first, last, sum } from "../../../src/features/aggregation.ts";
import { answerFrom, planRead } from "../../../src/features/assemble.ts";
import { compileView } from "../../../src/features/compile-view.ts";
import { featureView } from "../../../src/features/define.ts";
import { addEvent, dropUnreachable } from "../../../src/features/fold-view.ts";
import type { ViewPlan } from "../../../src/features/plan.ts";
import { recordFromText } from "../../../src/features/source-record.ts";
import { decodeState, emptyState, encodeState, openState } from "../../../src/features/state.ts";
import { exactOf, exactToText } from "../../../src/features/exact.ts";
import { DAY_MS } from "../../../src/time.ts";
import { oracleValue, type OracleEvent } from "../../support/oracle.ts";
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
  .chain(([spread, length]) => fc.array(anyEvent(BASE, spread), { maxLength: length }))
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

/** Values as a JSON answer shows them. */
const shown = (values: readonly unknown[]): unknown => JSON.parse(JSON.stringify(values));

function expected(plan: ViewPlan, events: readonly OracleEvent[], asOf: number): unknown {
  const canonical = events.map((event) => ({
    ...event,
    fields: { ...event.fields, price: priceText(event.fields["price"] ?? null) },
  }));
  return shown(oracleFeatures(plan).map((feature) => oracleValue(feature, canonical, asOf)));
}

const priceText = (price: OracleEvent["fields"][string]) =>
  price === null ? null : exactToText(exactOf(String(price)));

describe("a view's state", () => {
  it("answers like a naive recomputation, for any view, history, order, split and instant", () => {
    fc.assert(
      fc.property(
        anyView,
        anyHistory,
        fc.integer({ min: 1, max: 8 }),
        fc.constantFrom(0, 1, 299_999, 3_600_000, DAY_MS, 8 * DAY_MS, 31 * DAY_MS),
        anyOrder,
        (plan, events, every, laterMs, order) => {
          const bytes = fold(plan, shuffled(events, order), every);
          const asOf = Math.max(BASE, ...events.map(({ time }) => time + 1)) + laterMs;
          const { values } = answerFrom(planRead(plan, asOf), openState(bytes));
          expect(shown(values)).toEqual(expected(plan, events, asOf));
        },
      ),
      { numRuns: 1_500 },
    );
  });

  it("has the same bytes whatever the order and the splits", () => {
    fc.assert(
      fc.property(anyView, anyHistory, fc.integer({ min: 1, max: 8 }), (plan, events, every) => {
        expect(fold(plan, events.toReversed(), every)).toBe(fold(plan, events, 1_000));
      }),
      { numRuns: 500 },
    );
  });

  it("keeps its statuses honest: not found when the longest window is empty", () => {
    fc.assert(
      fc.property(anyView, anyHistory, fc.nat({ max: 40 }), (plan, events, days) => {
        const asOf = Math.max(BASE, ...events.map(({ time }) => time + 1)) + days * DAY_MS;
        const { values, statuses } = answerFrom(
          planRead(plan, asOf),
          openState(fold(plan, events, 3)),
        );
        const features = oracleFeatures(plan);
        const longest = features.some(({ lengthMs }) => lengthMs === null)
          ? null
          : Math.max(...features.map(({ lengthMs }) => lengthMs ?? 0));
        const all = { aggregate: "count", field: null, where: {}, lengthMs: longest } as const;
        const found = oracleValue({ ...all, asText: false }, events, asOf) !== 0;
        for (const [i, status] of statuses.entries()) {
          expect(status).toBe(!found ? "NOT_FOUND" : values[i] === null ? "NULL_VALUE" : "PRESENT");
        }
      }),
      { numRuns: 300 },
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

  it("takes an event older than every window into the lifetime alone", () => {
    const events = [at(HOUR, "a", "1"), at(HOUR - 40 * DAY_MS, "b", "7")];
    expect(read(events, HOUR + 1).values.slice(0, 4)).toEqual([1, "1", "1", 2]);
  });
});
