import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aggregateOf } from "../../../../src/features/aggregates/catalogue.ts";
import { ByteWriter } from "../../../../src/features/bytes.ts";
import { exactOf } from "../../../../src/features/exact.ts";
import { exp2 } from "../../../../src/features/exp2.ts";
import { DAY_MS, HOUR_MS } from "../../../../src/time.ts";

const hourly = aggregateOf("expDecaySum", { half_life_ms: HOUR_MS });

const summed = (values: readonly (readonly [time: number, value: string])[]): unknown =>
  values.reduce(
    (sum, [time, value], i) => hourly.add(sum, { value: exactOf(value), time, order: String(i) }),
    hourly.empty(),
  );

const packed = (partial: unknown): Uint8Array => {
  const writer = new ByteWriter();
  hourly.encode(writer, partial);
  return writer.finish();
};

describe("expDecaySum", () => {
  it("halves with every half-life, and goes on when nothing arrives", () => {
    const partial = summed([[0, "8"]]);
    const at = (asOf: number) => hourly.finish(partial, false, asOf);
    expect(at(0)).toBe(8);
    expect([1, 2, 3, 10].map((hours) => at(hours * HOUR_MS))).toEqual([4, 2, 1, 8 / 1_024]);
    expect(at(HOUR_MS / 2)).toBeCloseTo(8 * Math.SQRT1_2, 13);
    expect(at(2_000 * HOUR_MS)).toBe(0);
  });

  it("counts an event for half of one that is a half-life younger", () => {
    const [time, later] = [Date.UTC(2026, 5, 15, 12, 34, 56, 789), Date.UTC(2026, 5, 15, 18)];
    const [old, young] = [summed([[time, "3"]]), summed([[time + HOUR_MS, "3"]])];
    expect(hourly.finish(old, false, later)).toBeCloseTo(
      Number(hourly.finish(young, false, later)) / 2,
      15,
    );
  });

  it("drops what is more than 64 half-lives older than the newest, whatever the order", () => {
    const old = [0, "1e6"] as const;
    const kept = [HOUR_MS, "1"] as const;
    const young = [65 * HOUR_MS, "1"] as const;
    const expected = packed(summed([old, kept, young]));
    expect(packed(summed([young, kept, old]))).toEqual(expected);
    expect(packed(summed([kept, young, old]))).toEqual(expected);
    expect(packed(summed([kept, young]))).not.toEqual(expected);
    expect(hourly.finish(summed([old, kept, young]), false, 65 * HOUR_MS)).toBe(1 + 2 ** -64);
  });

  it("does not take away what would bring back something dropped", () => {
    const young = { value: exactOf("1"), time: 65 * HOUR_MS, order: "y" };
    expect(hourly.retract(hourly.add(summed([[0, "1"]]), young), young)).toBeNull();
    const near = { ...young, time: 64 * HOUR_MS };
    const partial = hourly.retract(hourly.add(summed([[0, "1"]]), near), near);
    expect(packed(partial)).toEqual(packed(summed([[0, "1"]])));
  });

  it("is within 1e-14 of the exact sum of magnitudes", () => {
    const SCALE = 10n ** 60n;
    const LN2 = 693147180559945309417232121458176568075500134360255254120680n;
    /** 2^−(ms / hour), to sixty digits. */
    const weight = (ms: number): bigint => {
      const y = (LN2 * BigInt(ms % HOUR_MS)) / BigInt(HOUR_MS);
      let [term, sum] = [SCALE, SCALE];
      for (let n = 1n; n < 70n; n += 1n) {
        term = (-term * y) / SCALE / n;
        sum += term;
      }
      return sum >> BigInt(Math.floor(ms / HOUR_MS));
    };
    const anyValue = fc.integer({ min: -(10 ** 6), max: 10 ** 6 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: DAY_MS }), anyValue), { minLength: 1, maxLength: 20 }),
        (events) => {
          const asOf = DAY_MS + 1;
          const value = Number(
            hourly.finish(summed(events.map(([t, v]) => [t, String(v)])), false, asOf),
          );
          const parts = events.map(([time, v]) => BigInt(v) * weight(asOf - time));
          const exact = parts.reduce((a, b) => a + b, 0n);
          const magnitude = parts.reduce((a, b) => a + (b < 0n ? -b : b), 0n);
          const error = Math.abs(value - Number(exact) / Number(SCALE));
          expect(error).toBeLessThanOrEqual((1e-14 * Number(magnitude)) / Number(SCALE));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("exp2", () => {
  it("is near 2^x, and never leaves [1, 2)", () => {
    expect(exp2(0)).toBe(1);
    expect(exp2(0.5)).toBe(Math.SQRT2);
    expect(exp2(1 - 2 ** -53)).toBe(2 - 2 ** -52);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (x) => {
        expect(Math.abs(exp2(x) / 2 ** x - 1)).toBeLessThan(5 * Number.EPSILON);
        expect(exp2(x)).toBeLessThan(2);
        expect(exp2(x)).toBeGreaterThanOrEqual(1);
      }),
      { numRuns: 2_000 },
    );
  });
});
