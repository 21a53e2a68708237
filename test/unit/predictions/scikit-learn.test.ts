import { describe, expect, it } from "vitest";
import { count, sum } from "../../../src/features/aggregation.ts";
import { featureView, service } from "../../../src/features/define.ts";
import { compileDefinitions } from "../../../src/features/registry.ts";
import { model } from "../../../src/predictions/define.ts";
import { evaluateLinear } from "../../../src/predictions/evaluate-linear.ts";
import { compileModel } from "../../../src/predictions/model-plan.ts";
import made from "../../fixtures/predictions/scikit-learn.json" with { type: "json" };
import { device, readings } from "../../support/views.ts";

const use = featureView("use", {
  entity: device,
  source: readings,
  features: { a: sum("level"), b: sum("price"), c: count(), d: sum("level") },
});
const usage = service("usage", [use]);
const registry = compileDefinitions([device, readings, use, usage]);

function answersOf(file: { readonly kind: string }) {
  const kind = file.kind === "linear" ? "regressor" : "classifier";
  const { linear } = compileModel(model("m", { features: usage, kind, file }), registry);
  return made.rows.map((row) => evaluateLinear(linear, row));
}

/** To the rounding of sums in another order. */
function expectSame(found: number | null | undefined, expected: number | undefined): void {
  const difference = Math.abs((found ?? Number.NaN) - (expected ?? Number.NaN));
  expect(difference).toBeLessThanOrEqual(1e-12 * Math.abs(expected ?? 0));
}

describe("a model of scikit-learn", () => {
  it("predicts the same numbers here", () => {
    for (const [i, { value }] of answersOf(made.regression.file).entries()) {
      expectSame(value, made.regression.predicted[i]);
    }
  });

  it.each(["binary", "multinomial"] as const)("gives the same %s probabilities here", (task) => {
    const { file, predicted, probabilities } = made[task];
    const answers = answersOf(file);
    expect(answers.map(({ label }) => label)).toEqual(predicted);
    expect(new Set(predicted).size).toBe(file.classes.length);
    for (const [i, answer] of answers.entries()) {
      for (const [k, name] of file.classes.entries()) {
        expectSame(answer.probabilities?.[name], probabilities[i]?.[k]);
      }
    }
  });
});
