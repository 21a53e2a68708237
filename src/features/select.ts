import { AppError, type FieldError } from "../errors.ts";
import type { ViewPlan } from "./plan.ts";
import type { OnDemandPlan, Registry } from "./registry.ts";

/** A column of the answer. */
export interface Output {
  /** `view:feature`. */
  readonly name: string;
  readonly view: string;
  /** Position among the view's (or on-demand view's) features. */
  readonly index: number;
  readonly onDemand: boolean;
}

/** What a request asks for: its columns, and what must be read and computed for them. */
export interface Selection {
  readonly outputs: readonly Output[];
  readonly views: readonly ViewPlan[];
  readonly onDemand: readonly OnDemandPlan[];
}

export interface Asked {
  readonly service?: string | undefined;
  /** `view:feature` or `view__feature`, or `view` for all of its features. */
  readonly features?: readonly string[] | undefined;
}

function split(reference: string): readonly [string, string | null] {
  const colon = reference.indexOf(":");
  if (colon >= 0) return [reference.slice(0, colon), reference.slice(colon + 1)];
  const underscores = reference.indexOf("__");
  if (underscores < 0) return [reference, null];
  return [reference.slice(0, underscores), reference.slice(underscores + 2)];
}

/** Pure. The view that a reference names. */
export const viewOf = (reference: string): string => split(reference)[0];

/** The outputs that one reference names; a FieldError where it names nothing. */
function outputsOf(
  registry: Registry,
  reference: string,
  path: string,
): readonly Output[] | FieldError {
  const [view, feature] = split(reference);
  const plan = registry.views.get(view);
  const known = plan ?? registry.onDemand.get(view);
  if (known === undefined) {
    return { path, code: "unknown_view", detail: `there is no view "${view}"` };
  }
  const outputs = known.features.map((one, index) => ({
    name: `${view}:${one.name}`,
    view,
    index,
    onDemand: plan === undefined,
  }));
  if (feature === null) return outputs;
  const found = outputs.find(({ index }) => known.features[index]?.name === feature);
  if (found !== undefined) return [found];
  const names = known.features.map(({ name }) => name).join(", ");
  return {
    path,
    code: "unknown_feature",
    detail: `"${view}" has no "${feature}"; it has ${names}`,
  };
}

/** The references that a request means. */
function references(
  registry: Registry,
  asked: Asked,
): { readonly names: readonly string[]; readonly path: string } {
  if ((asked.service === undefined) === (asked.features === undefined)) {
    throw new AppError("invalid_request", 'give either "service" or "features"');
  }
  if (asked.features !== undefined) return { names: asked.features, path: "features" };
  const service = registry.services.get(asked.service ?? "");
  if (service === undefined) {
    throw new AppError("not_found", `there is no service "${asked.service}"`);
  }
  return { names: service.views, path: "service" };
}

/**
 * Pure. Resolves a service or a list of features. Throws AppError `not_found` for an unknown
 * service, `unprocessable` that lists every unknown view or feature.
 */
export function selectFeatures(registry: Registry, asked: Asked): Selection {
  const { names, path } = references(registry, asked);
  const found = names.map((name, i) => outputsOf(registry, name, `${path}[${i}]`));
  const errors = found.filter((one): one is FieldError => "path" in one);
  if (errors.length > 0) {
    throw new AppError("unprocessable", "some features are not known", { errors });
  }
  const distinct = new Map(
    (found as readonly (readonly Output[])[]).flat().map((o) => [o.name, o]),
  );
  const outputs = [...distinct.values()];
  const onDemand = pick(
    registry.onDemand,
    outputs.map(({ view }) => view),
  );
  const read = [...outputs.map(({ view }) => view), ...onDemand.flatMap(({ from }) => from)];
  return { outputs, views: pick(registry.views, read), onDemand };
}

const pick = <T>(from: ReadonlyMap<string, T>, names: readonly string[]): readonly T[] =>
  [...new Set(names)].flatMap((name) => from.get(name) ?? []);
