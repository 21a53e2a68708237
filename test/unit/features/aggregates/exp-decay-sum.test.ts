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

  it("holds what it says at both ends of a double's range, and is never NaN", () => {
    const at = (value: string, hours: number) =>
      hourly.finish(summed([[0, value]]), false, hours * HOUR_MS);
    expect(at("1", 1_022)).toBe(2 ** -1_022);
    expect(at("3", 1_074)).toBe(3 * 2 ** -1_074);
    expect([at("1", 1_074), at("1", 1_076), at("-1", 1_076)]).toEqual([2 ** -1_074, 0, 0]);
    expect(at("1e308", 1_100)).toBe(1e308 / 2 ** 1_000 / 2 ** 100);
    expect(at("1e349", 1_100)).toBe(Number(10n ** 349n / 2n ** 1_000n) / 2 ** 100);
    expect(at("1e349", 1)).toBe(Number.POSITIVE_INFINITY);
    expect(at("1e349", 5_000)).toBe(0);
    const both = summed([
      [0, "1.7e308"],
      [0, "1.7e308"],
      [1, "-1.7e308"],
      [2, "-1.7e308"],
    ]);
    expect(Number.isFinite(hourly.finish(both, false, 2_000 * HOUR_MS) as number)).toBe(true);
    expect(Math.abs(hourly.finish(both, false, 3) as number)).toBeLessThan(1e303);
    const large = summed([
      [0, "1e308"],
      [0, "1e308"],
    ]);
    expect(hourly.finish(large, false, HOUR_MS)).toBe(1e308);
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

  it("is within 1e-14 of the exact sum of magnitudes, and half the smallest double", () => {
    const LN2 = 693147180559945309417232121458176568075500134360255254120680n;
    const DIGITS = 10n ** 60n;
    /** What all is counted in: one part of 10^800. */
    const ONE = 10n ** 800n;
    /** 2^−(ms / hour), to sixty digits. */
    const weight = (ms: number): bigint => {
      const y = (LN2 * BigInt(ms % HOUR_MS)) / BigInt(HOUR_MS);
      let [term, sum] = [DIGITS, DIGITS];
      for (let n = 1n; n < 70n; n += 1n) {
        term = (-term * y) / DIGITS / n;
        sum += term;
      }
      return ((ONE / DIGITS) * sum) >> BigInt(Math.floor(ms / HOUR_MS));
    };
    const abs = (x: bigint): bigint => (x < 0n ? -x : x);
    const ofDouble = (x: number): bigint => {
      const up = Math.abs(x) < 2 ** -900 ? 2 ** 900 : 1;
      let [whole, halvings] = [x * up, up === 1 ? 0n : 900n];
      for (; !Number.isInteger(whole); whole *= 2) halvings += 1n;
      return (BigInt(whole) * ONE) >> halvings;
    };
    const SMALLEST = ofDouble(Number.MIN_VALUE);
    const anyValue = fc.tuple(
      fc.integer({ min: -(10 ** 6), max: 10 ** 6 }),
      fc.constantFrom(0, 0, 0, 200, 301),
    );
    const anyAge = fc.oneof(fc.constant(1), fc.nat({ max: 2_500 * HOUR_MS }));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: DAY_MS }), anyValue), { minLength: 1, maxLength: 20 }),
        anyAge,
        (events, age) => {
          const asOf = DAY_MS + age;
          const sent = events.map(
            ([time, [digits, zeros]]) => [time, `${digits}e${zeros}`] as const,
          );
          const value = Number(hourly.finish(summed(sent), false, asOf));
          const parts = events.map(
            ([time, [digits, zeros]]) =>
              BigInt(digits) * 10n ** BigInt(zeros) * weight(asOf - time),
          );
          const exact = parts.reduce((a, b) => a + b, 0n);
          const magnitude = parts.reduce((a, b) => a + abs(b), 0n);
          const isBeyond = abs(exact) >= BigInt(Number.MAX_VALUE) * ONE;
          const isRight = isBeyond
            ? Math.abs(value) >= Number.MAX_VALUE
            : abs(ofDouble(value) - exact) <= magnitude / 10n ** 14n + SMALLEST;
          expect(isRight).toBe(true);
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
