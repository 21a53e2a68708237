import { describe, expect, it } from "vitest";
import {
  areaUnderRoc,
  chooseThreshold,
  hitsAt,
  type Scored,
} from "../../../local/demo/judge-scores.ts";

const scored = (positives: readonly number[], negatives: readonly number[]): readonly Scored[] => [
  ...positives.map((score) => ({ score, isPositive: true })),
  ...negatives.map((score) => ({ score, isPositive: false })),
];

describe("the area under the curve", () => {
  it("is the share of pairs in the right order, ties half", () => {
    expect(areaUnderRoc(scored([0.9, 0.8], [0.1, 0.2]))).toBe(1);
    expect(areaUnderRoc(scored([0.1], [0.9]))).toBe(0);
    expect(areaUnderRoc(scored([0.5, 0.5], [0.5]))).toBe(0.5);
    expect(areaUnderRoc(scored([0.9, 0.4], [0.4, 0.1, 0.7]))).toBe(4.5 / 6);
  });

  it("is none without both kinds", () => {
    expect(areaUnderRoc(scored([0.9], []))).toBeNaN();
  });
});

describe("a threshold", () => {
  const mixed = scored([0.9, 0.8, 0.3], [0.85, 0.2, 0.1, 0.05]);

  it("names those at or above it", () => {
    expect(hitsAt(mixed, 0.8)).toEqual({ precision: 2 / 3, recall: 2 / 3 });
    expect(hitsAt(mixed, 0.3)).toEqual({ precision: 3 / 4, recall: 1 });
  });

  it("is the lowest of the best", () => {
    expect(chooseThreshold(mixed)).toBe(0.21);
    expect(chooseThreshold(scored([0.9], [0.1]))).toBe(0.11);
  });
});
