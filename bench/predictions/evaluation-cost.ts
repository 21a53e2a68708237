import type { FeatureValue } from "../../src/features/aggregates/aggregate.ts";
import { evaluateLinear } from "../../src/predictions/evaluate-linear.ts";
import type { ModelPlan } from "../../src/predictions/model-plan.ts";
import { median } from "../support/rounds.ts";

const EVALUATIONS = 50_000;
const PASSES = 9;

/** CPU microseconds that Node takes to evaluate the model for one entity: no read, no printing. */
export function evaluationCost({ linear, inputs, features }: ModelPlan): number {
  const texts = features.map((name) =>
    inputs.some(({ feature, equals }) => feature === name && typeof equals === "string"),
  );
  const rows = Array.from({ length: 100 }, (_, row): readonly FeatureValue[] =>
    texts.map((isText, i) => (isText ? "DE" : (row * 7 + i) % 50)),
  );
  const passes: number[] = [];
  for (let pass = 0; pass < PASSES; pass += 1) {
    const before = process.cpuUsage();
    for (let i = 0; i < EVALUATIONS; i += 1) evaluateLinear(linear, rows[i % rows.length] ?? []);
    const { user, system } = process.cpuUsage(before);
    if (pass > 1) passes.push((user + system) / EVALUATIONS);
  }
  return median(passes);
}
