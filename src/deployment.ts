import type { FeatureDefinition } from "./features/define.ts";
import { DefinitionError } from "./features/fields.ts";
import { compileDefinitions, type Registry } from "./features/registry.ts";
import type { Model } from "./predictions/define.ts";
import { compileModel, type ModelPlan } from "./predictions/model-plan.ts";
import { compileCollection, type CollectionPlan } from "./retrieval/collection-plan.ts";
import type { Collection } from "./retrieval/define.ts";

/** Everything that a team may define. */
export type Definition = FeatureDefinition | Collection | Model;

/** All definitions of a deployment, checked and compiled. */
export interface Deployment {
  readonly registry: Registry;
  readonly collections: ReadonlyMap<string, CollectionPlan>;
  readonly models: ReadonlyMap<string, ModelPlan>;
}

/**
 * Pure. Checks and compiles a deployment's definitions. Models share a namespace with views and
 * services. Throws a DefinitionError that says what to change.
 */
export function compileDeployment(definitions: readonly Definition[]): Deployment {
  const features: FeatureDefinition[] = [];
  const collections = new Map<string, CollectionPlan>();
  const models = new Map<string, Model>();
  for (const one of definitions) {
    if (one.kind === "collection") add(collections, one, compileCollection(one));
    else if (one.kind === "model") add(models, one, one);
    else features.push(one);
  }
  const registry = compileDefinitions(features);
  const compiled = new Map<string, ModelPlan>();
  for (const [name, model] of models) {
    if (registry.views.has(name) || registry.onDemand.has(name) || registry.services.has(name)) {
      throw taken("model", name);
    }
    compiled.set(name, compileModel(model, registry));
  }
  return { registry, collections, models: compiled };
}

const taken = (kind: string, name: string): DefinitionError =>
  new DefinitionError(`${kind} "${name}": that name is taken already`);

function add<T>(to: Map<string, T>, { kind, name }: Collection | Model, value: T): void {
  if (to.has(name)) throw taken(kind, name);
  to.set(name, value);
}
