import type { FeatureValue } from "../features/aggregates/aggregate.ts";
import type { Evaluation, Explanation } from "./evaluation.ts";
import type { LinearFile, LinearInput } from "./formats/linear.ts";
import { sigmoid, softmax } from "./link.ts";
import { numberOf } from "./number-of.ts";

/** A linear or logistic model as arrays; inputs are numbered as in its file. */
export interface LinearPlan {
  readonly kind: "linear" | "logistic";
  /** Per input, the position of its feature among the values. */
  readonly columns: Int32Array;
  /** Per input, what its feature is compared with; null takes it as a number. */
  readonly equals: readonly (string | boolean | null)[];
  /** Per input, 1 where its logarithm is taken. */
  readonly isLog: Uint8Array;
  readonly means: Float64Array;
  readonly scales: Float64Array;
  /** Per input, what stands for a missing feature, standardised; NaN where nothing does. */
  readonly whenMissing: Float64Array;
  /** Score by score, a coefficient for each input. */
  readonly coefficients: Float64Array;
  readonly intercepts: Float64Array;
  readonly classes: readonly string[];
  readonly threshold: number;
}

/** Pure. Lays a model out; `columns` has each input's feature as a position among the values. */
export function compileLinear(file: LinearFile, columns: readonly number[]): LinearPlan {
  const { kind, inputs, coefficients, intercepts, classes = [], threshold = 0.5 } = file;
  const plan = {
    kind,
    columns: Int32Array.from(columns),
    equals: inputs.map(({ equals }) => equals ?? null),
    isLog: Uint8Array.from(inputs, ({ transform }) => (transform === "log1p" ? 1 : 0)),
    means: Float64Array.from(inputs, ({ mean }) => mean),
    scales: Float64Array.from(inputs, ({ scale }) => scale),
    coefficients: Float64Array.from(coefficients.flat()),
    intercepts: Float64Array.from(intercepts),
    classes,
    threshold,
  };
  const standIn = ({ default: value }: LinearInput, i: number): number =>
    value === undefined ? 0 : standardised(plan, i, value);
  return { ...plan, whenMissing: Float64Array.from(inputs, standIn) };
}

/** Pure. An input's z of its feature's value; NaN where the value is no answer to it. */
function standardised(
  plan: Omit<LinearPlan, "whenMissing">,
  i: number,
  value: FeatureValue,
): number {
  const wanted = plan.equals[i] ?? null;
  let x = Number.NaN;
  if (wanted === null) x = numberOf(value);
  else if (value !== null) x = value === wanted ? 1 : 0;
  if (plan.isLog[i] === 1) x = Math.sign(x) * Math.log1p(Math.abs(x));
  const z = (x - (plan.means[i] ?? 0)) / (plan.scales[i] ?? 1);
  return Number.isFinite(z) ? z : Number.NaN;
}

/**
 * Pure. The prediction from the values of the model's features, in their order. A feature that is
 * null, or text where a number is needed, is missing: its default stands in for it, or there is no
 * prediction.
 */
export function evaluateLinear(
  plan: LinearPlan,
  values: readonly FeatureValue[],
  explain = false,
): Evaluation {
  const { columns, coefficients, intercepts, whenMissing } = plan;
  const inputs = columns.length;
  const scores = new Float64Array(intercepts.length);
  let missing: Set<number> | null = null;
  for (let i = 0; i < inputs; i += 1) {
    const column = columns[i] ?? 0;
    let z = standardised(plan, i, values[column] ?? null);
    if (Number.isNaN(z)) {
      (missing ??= new Set()).add(column);
      z = whenMissing[i] ?? 0;
    }
    for (let row = 0; row < scores.length; row += 1) {
      scores[row] = (scores[row] ?? 0) + (coefficients[row * inputs + i] ?? 0) * z;
    }
  }
  for (let row = 0; row < scores.length; row += 1) {
    scores[row] = (scores[row] ?? 0) + (intercepts[row] ?? 0);
  }
  const positions = missing === null ? NONE : [...missing].toSorted((a, b) => a - b);
  if (!scores.every(Number.isFinite)) return { ...NO_ANSWER, missing: positions };
  const { row, ...answer } = decide(plan, scores);
  if (!explain) return { ...answer, missing: positions };
  return { ...answer, missing: positions, explanation: explainRow(plan, values, row) };
}

const NONE: readonly number[] = [];

const NO_ANSWER = { value: null, label: null, probabilities: null };

/** What the scores mean, and which of them an explanation is about. */
function decide({ kind, classes, threshold }: LinearPlan, scores: Float64Array) {
  const [score = Number.NaN] = scores;
  if (kind === "linear") return { value: score, label: null, probabilities: null, row: 0 };
  if (scores.length === 1) {
    const value = sigmoid(score);
    const [first = "", last = ""] = classes;
    const probabilities = { [first]: sigmoid(-score), [last]: value };
    return { value, label: value >= threshold ? last : first, probabilities, row: 0 };
  }
  const shares = softmax(scores);
  let row = 0;
  for (let other = 1; other < scores.length; other += 1) {
    if ((scores[other] ?? 0) > (scores[row] ?? 0)) row = other;
  }
  const probabilities = Object.fromEntries(classes.map((name, i) => [name, shares[i] ?? 0]));
  return { value: shares[row] ?? 0, label: classes[row] ?? null, probabilities, row };
}

/** Pure. What each feature adds to a score: coefficient · z, over all inputs of the feature. */
function explainRow(plan: LinearPlan, values: readonly FeatureValue[], row: number): Explanation {
  const { columns, coefficients, intercepts, whenMissing } = plan;
  const contributions = new Float64Array(values.length);
  for (const [i, column] of columns.entries()) {
    const z = standardised(plan, i, values[column] ?? null);
    const added =
      (coefficients[row * columns.length + i] ?? 0) * (Number.isNaN(z) ? (whenMissing[i] ?? 0) : z);
    contributions[column] = (contributions[column] ?? 0) + added;
  }
  return { base: intercepts[row] ?? 0, contributions };
}
