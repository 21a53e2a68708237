import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aggregateOf } from "../../../../src/features/aggregates/catalogue.ts";
import { ByteWriter } from "../../../../src/features/bytes.ts";
import { exactOf } from "../../../../src/features/exact.ts";

const of = (p: number, accuracy = 0.01, from = 1e-6, to = 1e9) =>
  aggregateOf("approxPercentile", { p, accuracy, from, to });

const summed = (aggregate: ReturnType<typeof of>, values: readonly number[]): unknown =>
  values.reduce(
    (sum, value) => aggregate.add(sum, { value: exactOf(String(value)), time: 0, order: "" }),
    aggregate.empty(),
  );

const bucketBytes = (aggregate: ReturnType<typeof of>, value: number): readonly number[] => {
  const writer = new ByteWriter();
  aggregate.encode(writer, summed(aggregate, [value]));
  return [...writer.finish()];
};

describe("approxPercentile", () => {
  it("is within its accuracy of the value of that rank, whatever the values", () => {
    const value = fc.oneof(
      fc.double({ min: -1e9, max: 1e9, noNaN: true }),
      fc.double({ min: 1e-6, max: 10, noNaN: true }),
      fc.integer({ min: -100, max: 100 }),
    );
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 60 }),
        fc.constantFrom(0, 0.1, 0.5, 0.9, 0.95, 0.99, 1),
        fc.constantFrom(0.002, 0.01, 0.1),
        (values, p, accuracy) => {
          const aggregate = of(p, accuracy, accuracy < 0.01 ? 1e3 : 1e-6);
          const told = values.filter(
            (one) => one === 0 || Math.abs(one) >= (accuracy < 0.01 ? 1e3 : 1e-6),
          );
          if (told.length === 0) return;
          const sorted = told.toSorted((a, b) => a - b);
          const exact = sorted[Math.floor(p * (sorted.length - 1))] ?? 0;
          const estimate = Number(aggregate.finish(summed(aggregate, told), false, 1));
          expect(Math.abs(estimate - exact)).toBeLessThanOrEqual(
            accuracy * (1 + 1e-9) * Math.abs(exact),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it("has fixed buckets: what is in which never changes", () => {
    // γ is 1.5, so that buckets end at 1, 1.5, 2.25, 3.375 and 5.0625.
    const coarse = of(0.5, 0.2, 1, 5);
    const bucketOf = (value: number): number => (bucketBytes(coarse, value)[1] ?? 0) - 5;
    expect([0.001, 1, 1.0001, 1.49, 1.51, 2.24, 3, 5, 5.06, 1e9].map(bucketOf)).toEqual([
      1, 1, 2, 2, 3, 3, 4, 5, 5, 5,
    ]);
    expect([0, -1, -1.0001, -1e9].map(bucketOf)).toEqual([0, -1, -2, -5]);
  });

  it("counts what lies outside its range as about the range's ends", () => {
    const ofRange = (value: number) => {
      const aggregate = of(0.5, 0.01, 1, 100);
      return Number(aggregate.finish(summed(aggregate, [value]), false, 1));
    };
    expect(ofRange(1e-9)).toBeCloseTo(1, 1);
    expect(Math.abs(ofRange(1e12) / 100 - 1)).toBeLessThan(0.03);
    expect(ofRange(-1e12)).toBe(-ofRange(1e12));
    expect(ofRange(0)).toBe(0);
  });

  it("takes a few bytes for each bucket that is in use", () => {
    const aggregate = of(0.5);
    const writer = new ByteWriter();
    aggregate.encode(
      writer,
      summed(
        aggregate,
        Array.from({ length: 10_000 }, (_, i) => 10 + i / 100),
      ),
    );
    // One decade is 115 buckets at 1 %.
    expect(writer.finish().length).toBeLessThan(4 + 122 * 3);
  });
});
