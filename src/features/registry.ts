import type { z } from "zod";
import { compileSource } from "./compile-source.ts";
import { compileView } from "./compile-view.ts";
import {
  type FeatureDefinition,
  type Entity,
  type FeatureService,
  type FeatureView,
  type GoldenCase,
  type OnDemandFunction,
  type OnDemandView,
} from "./define.ts";
import { feedsOf, type Feed } from "./feeds.ts";
import { DefinitionError } from "./fields.ts";
import { checkName } from "./names.ts";
import type { ViewPlan } from "./plan.ts";
import type { JoinPlan, SourcePlan } from "./source-plan.ts";
import { specificationHash } from "./specification-hash.ts";

/** On-demand features compiled. */
export interface OnDemandPlan {
  readonly name: string;
  readonly version: number;
  readonly request: z.ZodObject;
  readonly from: readonly string[];
  readonly features: readonly { readonly name: string; readonly compute: OnDemandFunction }[];
  readonly cases: readonly GoldenCase[];
  readonly description: string;
}

export interface ServicePlan {
  readonly name: string;
  /** Names of views and on-demand views, in order. */
  readonly views: readonly string[];
  readonly description: string;
}

/** All definitions of a deployment, checked and compiled. */
export interface Registry {
  readonly entities: ReadonlyMap<string, Entity>;
  readonly sources: ReadonlyMap<string, SourcePlan>;
  readonly views: ReadonlyMap<string, ViewPlan>;
  readonly onDemand: ReadonlyMap<string, OnDemandPlan>;
  readonly services: ReadonlyMap<string, ServicePlan>;
  /** To which entities events are given, by what their source is called in the log. */
  readonly feedsBySource: ReadonlyMap<string, readonly Feed[]>;
  /** Joins by the kind of entity at which their sides meet. */
  readonly joinsByEntity: ReadonlyMap<string, JoinPlan>;
  /** The views of an entity, by its name. */
  readonly viewsByEntity: ReadonlyMap<string, readonly ViewPlan[]>;
  /** Names this set of definitions. */
  readonly hash: string;
}

function checkEntity(entity: Entity): Entity {
  const { name, key } = entity;
  if (key.length > 0 && new Set(key).size === key.length) return entity;
  throw new DefinitionError(`entity "${name}": its key is one or more different columns`);
}

function compileOnDemand(view: OnDemandView): OnDemandPlan {
  const features = Object.entries(view.features).map(([feature, compute]) => {
    checkName(`on-demand view "${view.name}", feature`, feature);
    return { name: feature, compute: compute as OnDemandFunction };
  });
  const from = view.from.map(({ name }) => name);
  const { name, version, request, cases, description } = view;
  checkCases(view);
  return { name, version, request, from, features, cases, description };
}

/** Refuses a golden case that names a feature which is not there: it would be null for ever. */
function checkCases({ name, cases, features: own, from }: OnDemandView): void {
  const views = Object.fromEntries(from.map((view) => [view.name, view.features]));
  for (const [i, { features = {}, expect }] of cases.entries()) {
    const unknown = [
      ...Object.keys(expect).filter((feature) => !Object.hasOwn(own, feature)),
      ...Object.entries(features).flatMap(([view, values]) =>
        Object.keys(values)
          .filter((feature) => !Object.hasOwn(views[view] ?? {}, feature))
          .map((feature) => `${view}:${feature}`),
      ),
    ];
    if (unknown.length === 0) continue;
    throw new DefinitionError(
      `on-demand view "${name}", golden case ${i + 1}: there is no feature ${unknown.join(", ")}`,
    );
  }
}

function groupBy<T>(items: Iterable<T>, key: (item: T) => string): Map<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

/** Adds under a name that must be well formed and new. */
function put<T>(
  into: Map<string, T>,
  taken: Set<string>,
  kind: string,
  name: string,
  value: T,
): void {
  checkName(kind, name);
  if (taken.has(name)) throw new DefinitionError(`${kind} "${name}": that name is taken already`);
  taken.add(name);
  into.set(name, value);
}

/**
 * Pure. Checks and compiles a deployment's definitions. Views, on-demand views and services share
 * one namespace. Throws a DefinitionError for a name that is taken or not known.
 */
export function compileDefinitions(definitions: readonly FeatureDefinition[]): Registry {
  const entities = new Map<string, Entity>();
  const sources = new Map<string, SourcePlan>();
  const views = new Map<string, ViewPlan>();
  const onDemand = new Map<string, OnDemandPlan>();
  const services = new Map<string, ServicePlan>();
  const [entityNames, sourceNames, readable] = [
    new Set<string>(),
    new Set<string>(),
    new Set<string>(),
  ];
  for (const definition of definitions) {
    const { name } = definition;
    switch (definition.kind) {
      case "entity":
        put(entities, entityNames, "entity", name, checkEntity(definition));
        break;
      case "event_source":
      case "table_source":
      case "joined_source":
        put(sources, sourceNames, "source", name, compileSource(definition));
        break;
      case "feature_view":
        put(views, readable, "view", name, compileView(definition as FeatureView));
        break;
      case "on_demand_view":
        put(
          onDemand,
          readable,
          "on-demand view",
          name,
          compileOnDemand(definition as OnDemandView),
        );
        break;
      case "feature_service":
        put(services, readable, "service", name, compileService(definition));
        break;
    }
  }
  const joinsByEntity = new Map(
    [...sources.values()].flatMap(({ join }) => (join === null ? [] : [[join.sourceId, join]])),
  );
  const registry = {
    entities,
    sources,
    views,
    onDemand,
    services,
    feedsBySource: groupBy(feedsOf(views.values(), joinsByEntity), (feed) => feed.source),
    joinsByEntity,
    viewsByEntity: groupBy(views.values(), (view) => view.entity),
    hash: specificationHash(
      [...views.values()]
        .map((view) => view.stateId)
        .toSorted()
        .join("\n"),
    ),
  };
  checkReferences(registry);
  return registry;
}

const compileService = ({ name, views, description }: FeatureService): ServicePlan => ({
  name,
  views: views.map((view) => view.name),
  description,
});

/**
 * Refuses what uses a definition that is not in the list, and names everything that uses it: it was
 * removed too early, or forgotten.
 */
function checkReferences(registry: Registry): void {
  const { entities, sources, views, onDemand, services } = registry;
  const readable = new Set([...views.keys(), ...onDemand.keys()]);
  const missing = new Map<string, string[]>();
  const need = (
    by: string,
    kind: string,
    known: ReadonlySet<string> | ReadonlyMap<string, unknown>,
    name: string,
  ): void => {
    if (known.has(name)) return;
    const what = `${kind} "${name}"`;
    missing.set(what, [...(missing.get(what) ?? []), by]);
  };
  for (const view of views.values()) {
    need(`view "${view.name}"`, "entity", entities, view.entity);
    need(`view "${view.name}"`, "source", sources, view.source);
  }
  for (const { name, join } of sources.values()) {
    for (const side of join === null ? [] : [join.left, join.right]) {
      need(`source "${name}"`, "source", sources, side);
    }
  }
  for (const plan of onDemand.values()) {
    for (const name of plan.from) need(`on-demand view "${plan.name}"`, "view", views, name);
  }
  for (const plan of services.values()) {
    for (const name of plan.views) need(`service "${plan.name}"`, "view", readable, name);
  }
  const [first] = missing;
  if (first === undefined) return;
  const [what, by] = first;
  throw new DefinitionError(
    `${by.join(", ")} ${by.length === 1 ? "uses" : "use"} the ${what}, which is not among the ` +
      `definitions: add it to the list, or remove what uses it`,
  );
}
