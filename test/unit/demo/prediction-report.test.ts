import { describe, expect, it } from "vitest";
import { usualPayment } from "../../../local/demo/ask-model.ts";
import { predictionLines } from "../../../local/demo/prediction-report.ts";
import type { Prediction, PredictionAnswer, Value } from "../../../local/demo/shop-api.ts";
import type { Story } from "../../../local/demo/story.ts";

const ASKED = [
  { amount: 41.2, country: "DE" },
  { amount: 899.9, country: "BR" },
];

const prediction = (
  value: number | null,
  contributions: Readonly<Record<string, readonly [Value, number]>>,
  degraded: readonly string[] = [],
): Prediction => ({
  value,
  label: value === null ? null : value > 0.5 ? "fraud" : "legit",
  contributions: Object.entries(contributions).map(([feature, [shown, contribution]]) => ({
    feature,
    value: shown,
    contribution,
  })),
  base: -4,
  degraded,
});
const answerOf = (...predictions: readonly Prediction[]): PredictionAnswer => ({
  model: { name: "fraud", version: "1" },
  predictions,
});

describe("the report of a prediction", () => {
  it("shows the inputs that tell the payments apart, and adds up the others", () => {
    const inputs = { d: [null, 0], e: [1, 0.5], f: [0, 1] } as const;
    const usual = { a: [2.5, 0.25], b: [true, 1], c: [1, -0.1], ...inputs, g: [7, 0.1] } as const;
    const theft = {
      a: [21.839, 4.1],
      b: [false, -1],
      c: [9, 0.4],
      ...inputs,
      g: ["x", 0],
    } as const;
    const lines = predictionLines("c7", {
      asked: ASKED,
      answer: answerOf(
        prediction(0.0021, usual, ["v:d"]),
        prediction(0.9987, theft, ["v:d", "v:a"]),
      ),
    });
    expect(lines[0]).toMatch(/what the model "fraud" says of two by customer c7, and why/);
    expect(lines.slice(1).map((line) => line.trim().split(/ {3,}/))).toEqual([
      ["payment", "41.20 from DE", "adds to log-odds", "899.90 from BR", "adds to log-odds"],
      ["probability of fraud", "0.21 %", "→ legit", "99.87 %", "→ fraud"],
      ["a", "2.50", "+0.25", "21.84", "+4.10"],
      ["b", "true", "+1.00", "false", "−1.00"],
      ["c", "1", "−0.10", "9", "+0.40"],
      ["g", "7", "+0.10", "x", "+0.00"],
      ["d", "–", "+0.00", "–", "+0.00"],
      ["e", "1", "+0.50", "1", "+0.50"],
      ["base and 1 more", "−3.00", "−3.00"],
      ["missing, the model's default taken: v:a, v:d"],
    ]);
  });

  it("says so where there is no answer", () => {
    const nothing = { ...prediction(null, {}, ["v:a"]), base: undefined } as never;
    const lines = predictionLines("c7", { asked: ASKED, answer: answerOf(nothing, nothing) });
    expect(lines[2]).toMatch(/^ {2}probability of fraud +– +→ no answer +– +→ no answer$/);
  });
});

describe("the payment as usual", () => {
  const story = { home: "AT", latest: { amount: "12.30", country: "ES" } } as Story;
  const known = (mean: Value) => ({
    as_of: 0,
    names: ["customer_spend:payments_1h", "customer_spend:amount_mean_30d"],
    results: [{ values: [3, mean], statuses: [] }],
  });

  it("is at home, of the customer's mean or, without one, of the last amount", () => {
    expect(usualPayment(story, known(41.23499))).toEqual({ amount: 41.23, country: "AT" });
    expect(usualPayment(story, known(null))).toEqual({ amount: 12.3, country: "AT" });
  });
});
