import type { z } from "zod";
import { compileView, specificationHash } from "./compile-view.ts";
import {
  CONTENT_HASH,
  type Acceptance,
  type FeatureDefinition,
  type Entity,
  type EventSource,
  type FeatureService,
  type FeatureView,
  type GoldenCase,
  type OnDemandFunction,
  type OnDemandView,
} from "./define.ts";
import { DefinitionError, fieldsOf, type Field } from "./fields.ts";
import { checkName } from "./names.ts";
import type { ViewPlan } from "./plan.ts";

/** A source compiled: how its records are checked and read. */
export interface SourcePlan {
  readonly name: string;
  readonly schema: z.ZodObject;
  readonly fields: readonly Field[];
  /** Null where the id is the hash of the record. */
  readonly idField: string | null;
  readonly eventTimeField: string;
  readonly accept: readonly Acceptance[];
  readonly owner: string;
  readonly description: string;
}

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
  /** The views that a source feeds, by the source's name. */
  readonly viewsBySource: ReadonlyMap<string, readonly ViewPlan[]>;
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

function compileSource(source: EventSource): SourcePlan {
  const fields = fieldsOf(source.name, source.schema);
  const need = (name: string, role: string): Field => {
    const field = fields.find((f) => f.name === name);
    const isKept = field !== undefined && field.pii !== "drop" && field.kind !== "vector";
    if (isKept && !field.nullable) return field;
    throw new DefinitionError(
      `source "${source.name}": its ${role} "${name}" must be a field that is always there and kept`,
    );
  };
  const idField = source.id === CONTENT_HASH ? null : need(source.id, "id").name;
  const time = need(source.eventTime, "event time");
  if (time.kind !== "time" && time.kind !== "number") {
    throw new DefinitionError(
      `source "${source.name}": the event time "${time.name}" must be z.iso.datetime({ offset: ` +
        `true }) or a number of epoch milliseconds; it is a ${time.kind}`,
    );
  }
  if (source.accept.length === 0) {
    throw new DefinitionError(`source "${source.name}" accepts nobody: add accept: [apiKey()]`);
  }
  const { name, schema, accept, owner, description } = source;
  return { name, schema, fields, idField, eventTimeField: time.name, accept, owner, description };
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
  const registry = {
    entities,
    sources,
    views,
    onDemand,
    services,
    viewsBySource: groupBy(views.values(), (view) => view.source),
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
