import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sigmoid, softmax } from "../../../src/predictions/link.ts";

const score = fc.double({ min: -30, max: 30, noNaN: true });
const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);

describe("sigmoid", () => {
  it("is 1 / (1 + e^−x)", () => {
    fc.assert(
      fc.property(score, (x) => {
        expect(Math.abs(sigmoid(x) * (1 + Math.exp(-x)) - 1)).toBeLessThan(1e-14);
      }),
    );
  });

  it("neither overflows nor loses what is small", () => {
    expect([-1e308, -800, 0, 800, 1e308].map(sigmoid)).toEqual([0, 0, 0.5, 1, 1]);
    expect(sigmoid(-100)).toBeCloseTo(Math.exp(-100), 55);
  });
});

describe("softmax", () => {
  it("is e^x over the sum of all", () => {
    fc.assert(
      fc.property(fc.array(score, { minLength: 1, maxLength: 6 }), (scores) => {
        const weights = scores.map(Math.exp);
        const expected = weights.map((weight) => weight / sum(weights));
        for (const [i, share] of softmax(Float64Array.from(scores)).entries()) {
          expect(Math.abs(share - (expected[i] ?? 0))).toBeLessThan(1e-14);
        }
      }),
    );
  });

  it("neither overflows nor divides by nothing", () => {
    expect([...softmax(Float64Array.of(1e308, -1e308, 0))]).toEqual([1, 0, 0]);
    expect([...softmax(Float64Array.of(-1e308, -1e308))]).toEqual([0.5, 0.5]);
  });
});
