import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FieldValue } from "../../../../src/features/aggregates/aggregate.ts";
import { aggregateOf, type AggregateName } from "../../../../src/features/aggregates/catalogue.ts";
import type { Parameters } from "../../../../src/features/aggregates/parameters.ts";
import { exactOf } from "../../../../src/features/exact.ts";

/** What comes of values, seen in their order a millisecond apart. */
function resultOf(
  name: AggregateName,
  values: readonly FieldValue[],
  parameters: Parameters = {},
  asText = false,
) {
  const aggregate = aggregateOf(name, parameters);
  const partial = values.reduce(
    (sum, value, time) => aggregate.add(sum, { value, time, order: String(time) }),
    aggregate.empty(),
  );
  return aggregate.finish(partial, asText, values.length);
}

const ofNumbers = (name: AggregateName, texts: readonly string[], parameters: Parameters = {}) =>
  resultOf(name, texts.map(exactOf), parameters);
const ofDecimals = (name: AggregateName, texts: readonly string[], parameters: Parameters = {}) =>
  resultOf(name, texts.map(exactOf), parameters, true);

describe("sums and means", () => {
  it("round once, from the exact result", () => {
    expect(ofNumbers("sum", ["0.1", "0.2"])).toBe(0.3);
    expect(ofDecimals("sum", ["0.1", "0.2"])).toBe("0.3");
    expect(ofNumbers("sum", ["1e21", "1", "-1e21"])).toBe(1);
    expect(ofNumbers("mean", ["9007199254740993", "9007199254740993"])).toBe(9007199254740992);
    expect(ofNumbers("mean", ["1", "1", "2"])).toBe(4 / 3);
    expect(ofDecimals("mean", ["0.1", "0.2"])).toBe(0.15);
  });

  it("keep every digit of numbers beyond 2^53", () => {
    expect(ofDecimals("sum", ["9007199254740993", "9007199254740993"])).toBe("18014398509481986");
    expect(ofDecimals("sum", ["99999999999999999999999999999999999999", "0.5"])).toBe(
      "99999999999999999999999999999999999999.5",
    );
  });
});

describe("extremes and lists", () => {
  it("compare exactly, where doubles are equal", () => {
    expect(ofDecimals("max", ["9007199254740992", "9007199254740993"])).toBe("9007199254740993");
    expect(ofDecimals("min", ["0.10000000000000000001", "0.1"])).toBe("0.1");
    expect(ofNumbers("max", ["-5", "-7"])).toBe(-5);
    const close = ["9007199254740993", "9007199254740992", "9007199254740994"];
    expect(ofDecimals("topN", close, { n: 2 })).toEqual(["9007199254740994", "9007199254740993"]);
  });

  it("give the first in the order of time, and the last from the latest back", () => {
    const values = ["a", "b", "c"];
    expect(resultOf("firstN", values, { n: 2 })).toEqual(["a", "b"]);
    expect(resultOf("lastN", values, { n: 2 })).toEqual(["c", "b"]);
    expect(resultOf("lastN", values, { n: 9 })).toEqual(["c", "b", "a"]);
    const long = "12345678901234567890123456789012345678";
    expect(ofDecimals("lastN", ["0.10", long], { n: 5 })).toEqual([long, "0.1"]);
  });

  it("keep equal values as often as they came", () => {
    expect(ofNumbers("topN", ["1", "3", "3", "2", "3"], { n: 4 })).toEqual([3, 3, 3, 2]);
  });

  it("order equal times by the order key, whichever arrives first", () => {
    for (const name of ["firstN", "lastN"] as const) {
      const aggregate = aggregateOf(name, { n: 2 });
      const seen = ["a", "b", "c"].map((order) => ({ value: order, time: 7, order }));
      const inOrder = name === "firstN" ? ["a", "b"] : ["c", "b"];
      for (const arrival of [seen, seen.toReversed()]) {
        const partial = arrival.reduce((sum, one) => aggregate.add(sum, one), aggregate.empty());
        expect(aggregate.finish(partial, false, 8)).toEqual(inOrder);
      }
    }
  });
});

/** The neighbours of a positive double. */
function neighbours(value: number): readonly [number, number] {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const at = (n: bigint): number => {
    view.setBigUint64(0, n);
    return view.getFloat64(0);
  };
  return [at(bits - 1n), at(bits + 1n)];
}

/** A double as a fraction of 2^1100. */
const UNIT = 2n ** 1_100n;
function units(value: number): bigint {
  let [whole, shift] = [value, 0];
  while (!Number.isInteger(whole)) {
    whole *= 2;
    shift += 1;
  }
  return (BigInt(whole) * UNIT) >> BigInt(shift);
}

describe("variances", () => {
  it("do not lose a small spread of large values", () => {
    const large = ["100000001", "100000002", "100000003", "100000004"];
    expect(ofNumbers("varPop", large)).toBe(1.25);
    expect(ofNumbers("varSamp", large)).toBe(5 / 3);
    expect(ofNumbers("stddevPop", large)).toBe(Math.sqrt(1.25));
    const huge = large.map((text) => `${text}00000000000000000000.0001`);
    expect(ofNumbers("varPop", huge)).toBe(1.25e40);
  });

  it("tell a population from a sample of one", () => {
    expect(ofNumbers("varPop", ["7.5"])).toBe(0);
    expect(ofNumbers("stddevPop", ["7.5"])).toBe(0);
    expect(ofNumbers("varSamp", ["7.5"])).toBeNull();
    expect(ofNumbers("stddevSamp", ["7.5"])).toBeNull();
  });

  it("have the double nearest to the exact root as their deviation", () => {
    const anyText = fc.oneof(
      fc.integer({ min: -(10 ** 9), max: 10 ** 9 }).map((n) => String(n / 1_000)),
      fc.integer({ min: -5, max: 5 }).map(String),
      fc.constantFrom("1e-40", "1e37", "123456789.123456789"),
    );
    fc.assert(
      fc.property(fc.array(anyText, { minLength: 2, maxLength: 6 }), (texts) => {
        const exact = texts.map((text) => {
          const { m, s } = exactOf(text);
          return BigInt(m) * 10n ** BigInt(60 - s);
        });
        const n = BigInt(texts.length);
        const sum = exact.reduce((a, b) => a + b);
        const squares = exact.reduce((all, x) => all + (n * x - sum) ** 2n, 0n);
        const value = ofNumbers("stddevPop", texts) as number;
        expect(value === 0).toBe(squares === 0n);
        if (squares === 0n) return;
        const [below, above] = neighbours(value).map((one) => units(one) + units(value)) as [
          bigint,
          bigint,
        ];
        // (below / 2)² ≤ variance ≤ (above / 2)², all times n³ · 10^120 · 4 · UNIT²
        const scale = n ** 3n * 10n ** 120n;
        const variance = squares * 4n * UNIT ** 2n;
        expect(below ** 2n * scale <= variance).toBe(true);
        expect(above ** 2n * scale >= variance).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe("parameters", () => {
  it.each<readonly [AggregateName, Parameters, RegExp]>([
    ["firstN", { n: 0 }, /"n" is a number from 1 to 100, not 0/],
    ["lastN", { n: 101 }, /from 1 to 100/],
    ["topN", { n: 1.5 }, /whole number/],
    ["topN", {}, /not undefined/],
    ["countDistinct", { max: 10_001 }, /from 1 to 10000/],
    ["approxCountDistinct", { precision: 17 }, /"precision" is a number from 4 to 16, not 17/],
    ["approxPercentile", { p: 1.1, accuracy: 0.01, from: 1, to: 2 }, /"p" is a number from 0 to 1/],
    ["approxPercentile", { p: 0.5, accuracy: 0.3, from: 1, to: 2 }, /"accuracy"/],
    ["approxPercentile", { p: 0.5, accuracy: 0.01, from: 2, to: 1 }, /"to"/],
    [
      "approxPercentile",
      { p: 0.5, accuracy: 0.001, from: 1e-9, to: 1e9 },
      /more than 4096 buckets/,
    ],
    ["expDecaySum", { half_life_ms: 999 }, /"half_life_ms"/],
  ])("of %s are refused: %j", (name, parameters, reason) => {
    expect(() => aggregateOf(name, parameters)).toThrow(reason);
    expect(() => aggregateOf(name, parameters)).toThrow(RangeError);
  });
});
