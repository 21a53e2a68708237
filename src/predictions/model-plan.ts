import { aggregateOf } from "../features/aggregates/catalogue.ts";
import { DefinitionError } from "../features/fields.ts";
import { checkName } from "../features/names.ts";
import type { FeaturePlan, ViewPlan } from "../features/plan.ts";
import type { Registry } from "../features/registry.ts";
import { selectFeatures, viewOf } from "../features/select.ts";
import type { Model, Task } from "./define.ts";
import { compileLinear, type LinearPlan } from "./evaluate-linear.ts";
import { featureRef } from "./feature-ref.ts";
import { readLinear, type LinearFile, type LinearInput } from "./formats/linear.ts";

/** A model compiled. */
export interface ModelPlan {
  readonly name: string;
  /** The version of its file. */
  readonly version: string;
  readonly task: Task;
  /** The name of its service. */
  readonly service: string;
  /** What it takes, each once, as `view:feature`, in the order of its file. */
  readonly features: readonly string[];
  /** The views and on-demand views of those features. */
  readonly views: readonly string[];
  /**
   * Every feature of the service in both forms of its name, and its position among `features`; −1
   * where the model does not take it.
   */
  readonly positions: ReadonlyMap<string, number>;
  readonly inputs: readonly LinearInput[];
  /** Empty for a regressor. */
  readonly classes: readonly string[];
  /** The probability of the last of two classes from which on it is the label; else null. */
  readonly threshold: number | null;
  /** How well it did, as its file says. */
  readonly metrics: Readonly<Record<string, unknown>>;
  readonly trainedOn: string;
  readonly linear: LinearPlan;
  readonly owner: string;
  readonly description: string;
}

const TASKS = { linear: "regressor", logistic: "classifier" } as const;

/**
 * Pure. Checks and compiles a model: its file is in the format, of the declared kind, and takes
 * features that its service has. Throws a DefinitionError that says what does not fit.
 */
export function compileModel(model: Model, registry: Registry): ModelPlan {
  const { name, task, owner, description } = model;
  const at = `model "${name}"`;
  checkName("model", name);
  const service = model.features.name;
  if (!registry.services.has(service)) {
    throw new DefinitionError(
      `${at} uses the service "${service}", which is not among the definitions: add it to the list`,
    );
  }
  const read = readLinear(model.file);
  if (!read.ok) throw new DefinitionError(`${at}, its file: ${read.error}`);
  const file = read.value;
  if (TASKS[file.kind] !== task) {
    throw new DefinitionError(
      `${at} is a ${task}, and its file holds a ${file.kind} model, which is a ${TASKS[file.kind]}`,
    );
  }
  const served = selectFeatures(registry, { service }).outputs.map((output) => output.name);
  const taken = file.inputs.map((input, i) => {
    const ref = featureRef(input.feature);
    if (served.includes(ref)) return ref;
    throw new DefinitionError(
      `${at}, inputs[${i}]: the service "${service}" has no "${input.feature}"; it has ` +
        served.join(", "),
    );
  });
  checkNumbers(at, registry, file, taken);
  const features = [...new Set(taken)];
  const columnOf = new Map(features.map((ref, i) => [ref, i]));
  return {
    name,
    version: file.version,
    task,
    service,
    features,
    views: [...new Set(features.map(viewOf))],
    positions: positionsOf(served, columnOf),
    inputs: file.inputs.map((input, i) => ({ ...input, feature: taken[i] ?? "" })),
    classes: file.classes ?? [],
    threshold: file.classes?.length === 2 ? (file.threshold ?? 0.5) : null,
    metrics: file.metrics ?? {},
    trainedOn: file.trained_on ?? "",
    linear: compileLinear(
      file,
      taken.map((ref) => columnOf.get(ref) ?? 0),
    ),
    owner,
    description,
  };
}

const positionsOf = (served: readonly string[], columnOf: ReadonlyMap<string, number>) =>
  new Map(
    served.flatMap((ref) => {
      const position = columnOf.get(ref) ?? -1;
      return [ref, ref.replace(":", "__")].map((form) => [form, position] as const);
    }),
  );

/** What an aggregate of these names answers is a list. */
const LISTS = ["firstN", "lastN", "topN", "vectorMean"];

/** Pure. Whether a feature is a list, or one value for each key of a column. */
function isManyValued({ spec }: ViewPlan, { name, keys }: FeaturePlan): boolean {
  const { features } = JSON.parse(spec) as {
    readonly features: readonly { readonly name: string; readonly aggregate: string }[];
  };
  const aggregate = features.find((feature) => feature.name === name)?.aggregate ?? "";
  return keys !== null || LISTS.includes(aggregate);
}

/** Refuses to take as a number what never is one: it would be missing in every row. */
function checkNumbers(
  at: string,
  { views }: Registry,
  { inputs }: LinearFile,
  taken: readonly string[],
): void {
  const keepsText = [aggregateOf("first"), aggregateOf("last")];
  for (const [i, ref] of taken.entries()) {
    const plan = views.get(viewOf(ref));
    const feature = plan?.features.find((one) => `${plan.name}:${one.name}` === ref);
    if (plan === undefined || feature === undefined) continue;
    if (isManyValued(plan, feature)) {
      throw new DefinitionError(
        `${at}, inputs[${i}]: "${ref}" is several values: take what the model needs of them in an ` +
          `on-demand feature`,
      );
    }
    if (inputs[i]?.equals !== undefined) continue;
    const kind = plan.partials[feature.partials[0] ?? -1]?.field?.kind;
    if (!keepsText.includes(feature.aggregate) || (kind !== "string" && kind !== "time")) continue;
    throw new DefinitionError(
      `${at}, inputs[${i}]: "${ref}" is text: give "equals" for each text that matters`,
    );
  }
}
