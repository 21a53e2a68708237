import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { customerLifetime, customerSpend, merchantActivity } from "../../../definitions/views.ts";
import {
  approxCountDistinct,
  approxPercentile,
  count,
  countDistinct,
  expDecaySum,
  first,
  firstN,
  last,
  lastN,
  sum,
  type Aggregation,
} from "../../../src/features/aggregation.ts";
import { compileView } from "../../../src/features/compile-view.ts";
import { featureView } from "../../../src/features/define.ts";
import { apiKey, eventSource } from "../../../src/features/define-source.ts";
import { addEvent, dropUnreachable } from "../../../src/features/fold-view.ts";
import type { ViewPlan } from "../../../src/features/plan.ts";
import { recordFromText } from "../../../src/features/source-record.ts";
import {
  checkStateSize,
  MAX_STATE_BYTES,
  worstCaseBytes,
} from "../../../src/features/state-size.ts";
import { emptyState, encodeState } from "../../../src/features/state.ts";
import { hopping, tumbling } from "../../../src/features/window.ts";
import { DAY_MS, MINUTE_MS } from "../../../src/time.ts";
import type { OracleEvent } from "../../support/oracle.ts";
import { anyEvent, anyView, device, readings, toLogEvent } from "../../support/views.ts";

const BASE = Date.UTC(2026, 5, 15, 13, 37, 11, 123);

function packedBytes(plan: ViewPlan, events: readonly OracleEvent[]): number {
  const state = emptyState(plan);
  for (const event of events) {
    const log = toLogEvent(event, "d1");
    addEvent(plan, state, "d1", { event: log, record: recordFromText(log.body) });
  }
  dropUnreachable(plan, state);
  return atob(encodeState(plan, state)).length;
}

const viewOf = (features: Readonly<Record<string, Aggregation>>): ViewPlan =>
  compileView(
    featureView("sized", { entity: device, source: readings, features: features as never }),
  );

describe("the worst case of a state's size", () => {
  it("is never below what is packed", () => {
    const history = fc
      .array(anyEvent(BASE, 45 * DAY_MS), { maxLength: 60 })
      .map((all) => all.map((event, i): OracleEvent => ({ ...event, order: `e${i}` })));
    fc.assert(
      fc.property(anyView, history, (plan, events) => {
        expect(packedBytes(plan, events)).toBeLessThanOrEqual(worstCaseBytes(plan));
      }),
      { numRuns: 400 },
    );
  });

  it("holds for any texts that are taken, whatever their schema: what is longer is left out", () => {
    const anyText = fc
      .tuple(fc.constantFrom("a", "é", "猫", "😀"), fc.nat({ max: 140 }), fc.nat({ max: 9 }))
      .map(([letter, times, n]) => `${n}${letter.repeat(times)}`);
    const schemas = fc.constantFrom<z.ZodType>(
      z.string(),
      z.string().max(3),
      z.string().max(120),
      z.enum(["0", "1猫"]),
      z.iso.datetime({ offset: true }),
    );
    const anyFeature = fc.constantFrom<Aggregation>(
      first("text"),
      last("text").over(hopping("1h", "20m")),
      lastN("text", 3),
      firstN("text", 2).over("10m"),
      countDistinct("text", { max: 6 }),
      last("text").where({ text: "0" }),
    );
    const happened = fc.record({ text: anyText, id: anyText, ago: fc.nat({ max: 7_200_000 }) });
    fc.assert(
      fc.property(
        fc.tuple(schemas, schemas),
        fc.array(anyFeature, { minLength: 1, maxLength: 3 }),
        fc.array(happened, { maxLength: 40 }),
        ([text, id], features, events) => {
          const source = eventSource("texts", {
            schema: z.object({ id, device: z.string(), at: z.number(), text }),
            id: "id",
            eventTime: "at",
            accept: [apiKey()],
          });
          const named = Object.fromEntries(features.map((feature, i) => [`f${i}`, feature]));
          const plan = compileView(
            featureView("sized", { entity: device, source, features: named as never }),
          );
          const state = emptyState(plan);
          for (const one of events) {
            const event = {
              ...toLogEvent({ time: BASE - one.ago, order: one.id, fields: {} }, "d1"),
              source: "texts",
            };
            const record = { device: "d1", text: one.text };
            addEvent(plan, state, "d1", { event, record });
          }
          dropUnreachable(plan, state);
          const bytes = atob(encodeState(plan, state)).length;
          expect(bytes).toBeLessThanOrEqual(worstCaseBytes(plan));
        },
      ),
      { numRuns: 400 },
    );
  });

  it.each<readonly [string, Aggregation, number]>([
    ["a HyperLogLog", approxCountDistinct("colour", { precision: 8 }).over("1h"), 0.9],
    ["a bounded set", countDistinct("level", { max: 50 }).over(hopping("1h", "20m")), 0.3],
    ["a list", lastN("colour", 20).over(tumbling("10m")), 0.3],
    ["a decaying sum", expDecaySum("level", "1m").over("1h"), 0.3],
    ["a sketch", approxPercentile("level", 0.5, { accuracy: 0.2, from: 1, to: 1e6 }), 0.3],
  ])("is near what %s takes when it is full", (_what, feature, share) => {
    const events = Array.from({ length: 8_000 }, (_, i): OracleEvent => {
      const level = (i % 2 === 0 ? 1 : -1) * 1.4 ** (i % 42);
      const fields = { price: null, level, colour: `colour ${i}`.padEnd(250, "-"), on: null };
      const order = `order_${i}`.padEnd(120, "-");
      return { time: BASE - ((i * 7_919) % (80 * MINUTE_MS)), order, fields };
    });
    const plan = viewOf({ it: feature });
    const bytes = packedBytes(plan, events);
    expect(bytes).toBeLessThanOrEqual(worstCaseBytes(plan));
    expect(bytes / worstCaseBytes(plan)).toBeGreaterThan(share);
  });

  it("lets the example's views pass by far", () => {
    for (const view of [customerSpend, customerLifetime, merchantActivity]) {
      const plan = compileView(view);
      checkStateSize(plan);
      expect(worstCaseBytes(plan)).toBeLessThan(MAX_STATE_BYTES / 6);
    }
  });

  it("counts what features share once, and each only as long as its own window", () => {
    const year = (features: Readonly<Record<string, Aggregation>>) =>
      worstCaseBytes(viewOf({ n: count().over("365d"), ...features }));
    const week = sum("price").over("12d");
    expect(year({ a: week, b: week })).toBe(year({ a: week }));
    expect(year({ a: week }) - year({})).toBeLessThan(13 * 30 + 366);
  });
});

describe("a view whose state may be too large", () => {
  const refusal = (features: Readonly<Record<string, Aggregation>>): string => {
    try {
      checkStateSize(viewOf(features));
    } catch (error) {
      return String(error);
    }
    return "";
  };

  it("is refused with the feature that costs most, and a window that would do", () => {
    const colours = approxCountDistinct("colour").over("7d");
    expect(refusal({ n: count().over("1h"), colours })).toMatch(
      /view "sized": its state of one entity may take 26\d KiB, and 64 KiB is the most; "colours" costs up to 26\d KiB of it: give it over\(hopping\("7d", "6h"\)\)/,
    );
    expect(
      refusal({
        n: count().over("1h"),
        colours: approxCountDistinct("colour").over(hopping("7d", "6h")),
      }),
    ).toBe("");
  });

  it("is told of keys where it has them, and of its bound where it has no window", () => {
    const keys = Array.from({ length: 50 }, (_, i) => `k${i}`);
    expect(refusal({ a: sum("price").by("colour", { keys }).over("7d") })).toMatch(/fewer keys/);
    const lifetime = refusal({ all: countDistinct("colour", { max: 10_000 }) });
    expect(lifetime).toMatch(
      /give it a field with a max\(n\) in its source's schema, or a smaller bound, precision or range$/,
    );
  });
});
