import { fraudFeatures } from "../../definitions/services.ts";
import { evaluateLinear } from "../../src/predictions/evaluate-linear.ts";
import { model } from "../../src/predictions/define.ts";
import { compileModel } from "../../src/predictions/model-plan.ts";
import { numberOf } from "../../src/predictions/number-of.ts";
import { fitLogistic } from "./fit-logistic.ts";
import { registry, type FraudExample, type FraudHistory } from "./fraud-history.ts";
import { areaUnderRoc, chooseThreshold, hitsAt, type Scored } from "./judge-scores.ts";

/** What an input is made of, as the file has it. */
interface Input {
  readonly feature: string;
  readonly equals?: string;
  readonly transform?: "log1p";
}

/** How many payments there were, and how usual this one is; where it is made comes on top. */
const NUMBERS: readonly Input[] = [
  { feature: "customer_spend:payments_1h", transform: "log1p" },
  { feature: "customer_spend:payments_1d", transform: "log1p" },
  { feature: "customer_spend:amount_mean_30d", transform: "log1p" },
  { feature: "velocity:amount_vs_mean", transform: "log1p" },
  { feature: "velocity:country_changed" },
];
const COUNTRY = "velocity:country";
/** A country gets an input of its own from so many payments on. */
const MIN_PER_COUNTRY = 10;
/** How much coefficients are held back, of inputs with mean 0 and deviation 1. */
const LAMBDA = 1;
const HOLDOUT = 0.2;

/** The parts of the file that its maker reports. */
export interface FraudFile {
  readonly inputs: readonly Input[];
  readonly threshold: number;
  readonly metrics: Readonly<Record<"training" | "holdout", FraudMetrics>>;
}

/** How well the model did on some of the payments. */
export interface FraudMetrics {
  readonly payments: number;
  readonly frauds: number;
  readonly auc: number;
  readonly precision: number;
  readonly recall: number;
}

/**
 * Pure. A logistic model of fraud in the format of src/predictions/formats/linear.ts: fitted, with
 * its threshold, to the first four fifths of the time, and judged on the last fifth.
 */
export function trainFraudModel(history: FraudHistory, trainedOn: string): FraudFile {
  const { training, holdout } = splitByTime(history.examples);
  const inputs = [...NUMBERS, ...countries(history, training)];
  const columns = inputs.map((input) => standardise(history, training, input));
  const rows = training.map((example) => columns.map(({ z }) => z(example)));
  const labels = training.map(({ isFraud }) => isFraud);
  const { intercept, coefficients } = fitLogistic(rows, labels, LAMBDA);
  const file = {
    format: "freshet-linear",
    format_version: 1,
    kind: "logistic",
    version: "1",
    trained_on: trainedOn,
    classes: ["legit", "fraud"],
    inputs: inputs.map((input, i) => ({ ...input, ...columns[i]?.moments })),
    coefficients: [coefficients.map(rounded)],
    intercepts: [rounded(intercept)],
  };
  const score = scorerOf(file, history);
  const threshold = chooseThreshold(score(training));
  const metrics = {
    training: judge(score(training), threshold),
    holdout: judge(score(holdout), threshold),
  };
  return { ...file, threshold, metrics };
}

function splitByTime(examples: readonly FraudExample[]) {
  const times = examples.map(({ payment }) => Date.parse(payment.paid_at));
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  const cut = last - HOLDOUT * (last - first);
  const training = examples.filter((_, i) => (times[i] ?? 0) < cut);
  return { training, holdout: examples.slice(training.length) };
}

const valueOf = ({ names }: FraudHistory, feature: string) => {
  const i = names.indexOf(feature);
  if (i < 0) throw new RangeError(`the service ${fraudFeatures.name} has no ${feature}`);
  return ({ values }: FraudExample) => values[i] ?? null;
};

/**
 * One input for each country that is common enough; the others are like each other, and like a
 * country that was never seen.
 */
function countries(history: FraudHistory, training: readonly FraudExample[]): readonly Input[] {
  const byCountry = Map.groupBy(training, valueOf(history, COUNTRY));
  return [...byCountry]
    .filter(([country, { length }]) => country !== null && length >= MIN_PER_COUNTRY)
    .map(([country]) => ({ feature: COUNTRY, equals: typeof country === "string" ? country : "" }))
    .toSorted((a, b) => (a.equals < b.equals ? -1 : 1));
}

/** An input's mean and deviation over the training part, and its z; 0 where it is missing. */
function standardise(
  history: FraudHistory,
  training: readonly FraudExample[],
  { feature, equals, transform }: Input,
) {
  const read = valueOf(history, feature);
  const x = (example: FraudExample): number => {
    const value = read(example);
    if (equals !== undefined) return value === null ? Number.NaN : numberOf(value === equals);
    return transform === "log1p" ? Math.log1p(numberOf(value)) : numberOf(value);
  };
  const known = training.map(x).filter((value) => !Number.isNaN(value));
  const mean = average(known);
  const deviation = Math.sqrt(average(known.map((value) => (value - mean) ** 2)));
  const moments = { mean: rounded(mean), scale: rounded(deviation) };
  const z = (example: FraudExample): number => {
    const value = (x(example) - moments.mean) / moments.scale;
    return Number.isNaN(value) ? 0 : value;
  };
  return { moments, z };
}

const average = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Six digits: no computer's last bits are in the file. */
const rounded = (value: number): number => Number(value.toPrecision(6));

/** The probabilities that the file gives, by the code that serves it. */
function scorerOf(file: unknown, history: FraudHistory) {
  const definition = model("fraud", { features: fraudFeatures, kind: "classifier", file });
  const plan = compileModel(definition, registry);
  const reads = plan.features.map((feature) => valueOf(history, feature));
  return (examples: readonly FraudExample[]): readonly Scored[] =>
    examples.map((example) => {
      const values = reads.map((read) => read(example));
      const { value } = evaluateLinear(plan.linear, values);
      return { score: value ?? Number.NaN, isPositive: example.isFraud };
    });
}

function judge(scored: readonly Scored[], threshold: number): FraudMetrics {
  const { precision, recall } = hitsAt(scored, threshold);
  return {
    payments: scored.length,
    frauds: scored.filter(({ isPositive }) => isPositive).length,
    auc: rounded(areaUnderRoc(scored)),
    precision: rounded(precision),
    recall: rounded(recall),
  };
}
