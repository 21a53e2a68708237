import { AppError, type FieldError } from "../errors.ts";
import type { FeatureValue } from "../features/aggregates/aggregate.ts";
import type { ModelPlan } from "./model-plan.ts";

/** A caller's features by name, `view:feature` or `view__feature`. */
export type GivenFeatures = Readonly<Record<string, FeatureValue>>;

const MAX_ERRORS = 20;

/**
 * Pure. The model's features of each row, in its order; null where a row has none. Features of the
 * service that the model does not take are passed over. Throws AppError `unprocessable` that lists
 * the names that the service does not have, and those that a row has in both forms.
 */
export function valuesOfGiven(
  plan: ModelPlan,
  rows: readonly GivenFeatures[],
): readonly (readonly FeatureValue[])[] {
  const errors: FieldError[] = [];
  const read = rows.map((row, i) => {
    const values = Array<FeatureValue>(plan.features.length).fill(null);
    for (const name of Object.keys(row)) {
      const position = plan.positions.get(name);
      const error = position === undefined ? unknown(plan, name) : repeated(row, name);
      if (error !== null && errors.length < MAX_ERRORS) {
        errors.push({ path: `features[${i}].${name}`, ...error });
      }
      if (position !== undefined && position >= 0) values[position] = row[name] ?? null;
    }
    return values;
  });
  if (errors.length === 0) return read;
  throw new AppError("unprocessable", "some features are not the model's", { errors });
}

const unknown = ({ service }: ModelPlan, name: string): Omit<FieldError, "path"> => ({
  code: "unknown_feature",
  detail: `the service "${service}" has no "${name}"`,
});

function repeated(row: GivenFeatures, name: string): Omit<FieldError, "path"> | null {
  if (!Object.hasOwn(row, name.replace("__", ":")) || name.includes(":")) return null;
  return { code: "repeated_feature", detail: "it is there in both forms of its name" };
}
