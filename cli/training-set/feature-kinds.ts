import type { FeaturePlan } from "../../src/features/plan.ts";
import type { Kind } from "../tables/kind.ts";
import type { TrainingSet } from "./training-set.ts";

/** Aggregates that answer a value of their field; all others answer numbers. */
const OF_FIELD = new Set(["sum", "min", "max", "first", "last"]);
const COUNTS = new Set(["count", "countDistinct", "approxCountDistinct"]);
const LISTS = new Set(["firstN", "lastN", "topN", "vectorMean"]);

interface Specified {
  readonly name: string;
  readonly aggregate: string;
  readonly kind: string | null;
}

function ofValue({ aggregate, kind }: Specified): Kind {
  if (LISTS.has(aggregate)) return "JSON";
  if (COUNTS.has(aggregate)) return "INT64";
  if (!OF_FIELD.has(aggregate) || kind === "number") return "DOUBLE";
  return kind === "boolean" ? "BOOLEAN" : "STRING";
}

const FALLBACKS: Readonly<Record<string, readonly Kind[]>> = {
  string: ["STRING"],
  number: ["DOUBLE", "INT64"],
  boolean: ["BOOLEAN"],
};

/** Of a default of another type than the feature's, a kind that holds both: text, if need be. */
function withFallback(kind: Kind, { fallback, counts }: FeaturePlan): Kind {
  if (kind === "INT64" && typeof fallback === "number" && !Number.isSafeInteger(fallback)) {
    return "DOUBLE";
  }
  if (fallback === null || counts || FALLBACKS[typeof fallback]?.includes(kind) === true) {
    return kind;
  }
  return kind === "JSON" || typeof fallback === "object" ? "JSON" : "STRING";
}

/**
 * Pure. What each column of features holds, by its definition: the same for every training set. Of
 * on-demand features, which have no types, null.
 */
export function featureKinds({ selection }: TrainingSet): readonly (Kind | null)[] {
  return selection.outputs.map(({ view, index, onDemand }) => {
    const plan = selection.views.find(({ name }) => name === view);
    const feature = plan?.features[index];
    if (onDemand || plan === undefined || feature === undefined) return null;
    if (feature.keys !== null) return "JSON";
    const { features } = JSON.parse(plan.spec) as { readonly features: readonly Specified[] };
    const specified = features[index];
    return specified === undefined ? null : withFallback(ofValue(specified), feature);
  });
}
