import { describe, expect, it } from "vitest";
import { fitLogistic } from "../../../local/demo/fit-logistic.ts";

/** Rows of one input, of which so many are true. */
const group = (x: number, positives: number, negatives: number) =>
  Array.from({ length: positives + negatives }, (_, i) => ({ row: [x], label: i < positives }));

const fit = (examples: ReturnType<typeof group>, lambda: number) =>
  fitLogistic(
    examples.map(({ row }) => row),
    examples.map(({ label }) => label),
    lambda,
  );

const two = [...group(0, 10, 30), ...group(1, 30, 10)];

describe("a logistic fit", () => {
  it("finds the odds of each group where nothing holds it back", () => {
    const { intercept, coefficients } = fit(two, 0);
    expect(intercept).toBeCloseTo(Math.log(1 / 3), 12);
    expect(coefficients[0]).toBeCloseTo(2 * Math.log(3), 12);
  });

  it("ends where likelihood and penalty are in balance", () => {
    const lambda = 2;
    const { intercept, coefficients } = fit(two, lambda);
    const [slope = 0] = coefficients;
    const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
    const [low, high] = [sigmoid(intercept), sigmoid(intercept + slope)];
    expect(10 - 40 * low + 30 - 40 * high).toBeCloseTo(0, 10);
    expect(30 - 40 * high - lambda * slope).toBeCloseTo(0, 10);
    expect(slope).toBeLessThan(2 * Math.log(3));
  });

  it("refuses what has no end: groups that a line separates, with no penalty", () => {
    expect(() => fit([...group(0, 0, 5), ...group(1, 5, 0)], 0)).toThrow(RangeError);
  });
});
