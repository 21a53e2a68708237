import { AppError } from "../errors.ts";
import type { FeatureValue } from "../features/aggregates/aggregate.ts";
import type { EntityRow } from "../features/entity-rows.ts";
import { readOnline, type ReadOnlineContext } from "../features/read-online.ts";
import { viewOf } from "../features/select.ts";
import { evaluateLinear } from "./evaluate-linear.ts";
import type { Evaluation, Explanation } from "./evaluation.ts";
import { valuesOfGiven, type GivenFeatures } from "./given-features.ts";
import type { ModelPlan } from "./model-plan.ts";

export interface PredictContext extends ReadOnlineContext {
  /** An id for the first prediction of an answer; the others add their number to it. */
  readonly newId: () => string;
}

export interface PredictInput {
  readonly tenant: string;
  readonly model: ModelPlan;
  /** Whose features are read; or `features`. */
  readonly entities?: readonly EntityRow[] | undefined;
  /** Per entity, what on-demand features need of the request. */
  readonly request?: readonly Readonly<Record<string, unknown>>[] | undefined;
  /** Features that the caller has; nothing is read. */
  readonly features?: readonly GivenFeatures[] | undefined;
  readonly explain?: boolean | undefined;
  /** Replaces the clock; only where the caller may do that. Epoch ms. */
  readonly asOf?: number | undefined;
}

/** What one feature adds to the score: the log-odds for a classifier, the value for a regressor. */
export interface Contribution {
  /** `view:feature`. */
  readonly feature: string;
  /** As it was read, before any default of the model. */
  readonly value: FeatureValue;
  readonly contribution: number;
}

export interface Prediction {
  /** Unique: `prd_…`, and in an answer with several `prd_…_1` and so on. */
  readonly id: string;
  readonly entity?: EntityRow;
  /**
   * A regressor's prediction; of two classes the probability of the last one, of more that of the
   * predicted one. Null where a feature is missing that the model cannot do without.
   */
  readonly value: number | null;
  readonly label: string | null;
  readonly probabilities: Readonly<Record<string, number>> | null;
  /** Where asked for and there is a value: base + Σ contributions is the score. */
  readonly contributions?: readonly Contribution[];
  readonly base?: number;
  /** Per view and on-demand view, what was read; empty where the caller gave the features. */
  readonly version: Readonly<Record<string, string>>;
  /** The features that were missing, and what else is not as it should be; empty if all is well. */
  readonly degraded: readonly string[];
}

export interface Predictions {
  readonly model: { readonly name: string; readonly version: string };
  readonly asOf: number;
  /** In the order of the entities, or of the features given. */
  readonly predictions: readonly Prediction[];
}

/** A row of the model's features, and where it comes from. */
interface Row {
  readonly entity?: EntityRow;
  readonly values: readonly FeatureValue[];
  readonly version: Readonly<Record<string, string>>;
}

interface Rows {
  readonly asOf: number;
  readonly rows: readonly Row[];
  /** What is degraded in all of them. */
  readonly degraded: readonly string[];
}

/**
 * Predictions for up to 1,000 entities, from the features that the model takes, in one round trip to
 * the online store and none to the database; or from features that the caller gives, in none. A
 * missing feature never fails: it is named in `degraded`, and its default stands in for it. Throws
 * AppError `invalid_request` unless either is given, and whatever readOnline throws.
 */
export async function predict(ctx: PredictContext, input: PredictInput): Promise<Predictions> {
  const { model, explain = false } = input;
  const { asOf, rows, degraded } = await rowsOf(ctx, input);
  // Random bits for each of a thousand rows would cost more than their predictions.
  const id = ctx.newId();
  const predictions = rows.map((row, i): Prediction => {
    const evaluation = evaluateLinear(model.linear, row.values, explain);
    return {
      id: i === 0 ? id : `${id}_${i}`,
      ...(row.entity && { entity: row.entity }),
      value: evaluation.value,
      label: evaluation.label,
      probabilities: evaluation.probabilities,
      ...(evaluation.explanation && printExplanation(model, row.values, evaluation.explanation)),
      version: row.version,
      degraded: namesMissing(model, evaluation, degraded),
    };
  });
  return { model: { name: model.name, version: model.version }, asOf, predictions };
}

async function rowsOf(ctx: ReadOnlineContext, input: PredictInput): Promise<Rows> {
  const { tenant, model, entities, features, request } = input;
  if (entities === undefined) {
    if (features !== undefined && request === undefined) return givenRows(ctx, input, features);
  } else if (features === undefined) {
    const asked = { tenant, features: model.features, entities, request, asOf: input.asOf };
    const { asOf, results, degraded } = await readOnline(ctx, asked);
    return { asOf, rows: results, degraded: ofAllRows(ctx, degraded) };
  }
  throw new AppError(
    "invalid_request",
    'give either "entities", with "request" for on-demand features, or "features"',
  );
}

function givenRows(
  ctx: Pick<ReadOnlineContext, "now">,
  { model, asOf }: PredictInput,
  features: readonly GivenFeatures[],
): Rows {
  const rows = valuesOfGiven(model, features).map((values) => ({ values, version: {} }));
  return { asOf: asOf ?? ctx.now(), rows, degraded: [] };
}

/**
 * Without the on-demand functions that failed: they are named for some row or another, and where the
 * model takes one, its null is missing in that row.
 */
const ofAllRows = ({ registry }: ReadOnlineContext, degraded: readonly string[]) =>
  degraded.filter((name) => !registry.onDemand.has(viewOf(name)));

function namesMissing(
  { features }: ModelPlan,
  { missing }: Evaluation,
  degraded: readonly string[],
): readonly string[] {
  if (missing.length === 0) return degraded;
  return [...missing.map((position) => features[position] ?? ""), ...degraded];
}

const printExplanation = (
  { features }: ModelPlan,
  values: readonly FeatureValue[],
  { base, contributions }: Explanation,
) => ({
  base,
  contributions: features.map((feature, i) => ({
    feature,
    value: values[i] ?? null,
    contribution: contributions[i] ?? 0,
  })),
});
