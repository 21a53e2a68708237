import { AppError } from "../errors.ts";
import type { AggregateName } from "../features/aggregates/catalogue.ts";
import type { Entity } from "../features/define.ts";
import type { FieldKind } from "../features/fields.ts";
import type { FeaturePlan, ViewPlan } from "../features/plan.ts";
import type { OnDemandPlan, Registry, ServicePlan } from "../features/registry.ts";
import type { SourcePlan } from "../features/source-plan.ts";
import type { Window } from "../features/window.ts";
import type { Deployment } from "../deployment.ts";
import type { ModelPlan } from "../predictions/model-plan.ts";
import type { CollectionPlan } from "../retrieval/collection-plan.ts";
import { durationText } from "../time.ts";

/** The collections of the catalogue. */
export const KINDS = [
  "entities",
  "sources",
  "views",
  "on_demand_views",
  "services",
  "models",
  "collections",
] as const;
export type Kind = (typeof KINDS)[number];

/** Pure. Every definition, in the order in which they were given. */
export const catalogOf = ({ registry, models, collections }: Deployment) => ({
  entities: [...registry.entities.values()].map(printEntity),
  sources: [...registry.sources.values()].map(printSource),
  views: [...registry.views.values()].map((view) => printView(registry, view)),
  on_demand_views: [...registry.onDemand.values()].map(printOnDemand),
  services: [...registry.services.values()].map(printService),
  models: [...models.values()].map(printModel),
  collections: [...collections.values()].map(printCollection),
});

/** Pure. The definitions of one kind. */
export const catalogKind = (deployment: Deployment, kind: Kind) => catalogOf(deployment)[kind];

/** Pure. One definition; throws AppError `not_found`. */
export function catalogEntry(deployment: Deployment, kind: Kind, name: string) {
  const found = [...catalogKind(deployment, kind)].find((entry) => entry.name === name);
  if (found !== undefined) return found;
  throw new AppError("not_found", `there is no "${name}" among the ${kind}`);
}

const printEntity = ({ name, description, key }: Entity) => ({
  kind: "entity" as const,
  name,
  description,
  key,
});

const printSource = (source: SourcePlan) => ({
  kind: "source" as const,
  name: source.name,
  description: source.description,
  owner: source.owner,
  id: source.idField,
  ...(source.table !== null && {
    row_key: source.table.key,
    order: source.table.orderField,
  }),
  ...(source.join !== null && {
    left: source.join.left,
    right: source.join.right,
    on: source.join.on,
    within_ms: source.join.withinMs,
    fan_out: source.join.fanOut,
  }),
  event_time: source.eventTimeField,
  accepts: source.accept.map(({ kind }) => kind),
  fields: source.fields.map(({ name, kind, dimensions, nullable, pii }) => ({
    name,
    type: kind,
    ...(dimensions !== undefined && { dimensions }),
    nullable,
    pii,
  })),
});

/** What a view's specification says of a feature, and its plan does not. */
interface Specified {
  readonly name: string;
  readonly aggregate: AggregateName;
  readonly parameters?: Readonly<Record<string, number>>;
  readonly where: readonly {
    readonly field: string;
    readonly values: readonly (string | boolean)[];
  }[];
  readonly by?: { readonly field: string; readonly keys: readonly (string | boolean)[] };
}

/** Pure. A view with its features, in their order. */
export function printView(registry: Registry, view: ViewPlan) {
  const { features: specified } = JSON.parse(view.spec) as { features: readonly Specified[] };
  const key = registry.entities.get(view.entity)?.key ?? [];
  return {
    kind: "view" as const,
    name: view.name,
    description: view.description,
    owner: view.owner,
    entity: view.entity,
    source: view.source,
    key: Object.fromEntries(key.map((column, i) => [column, view.keyColumns[i] ?? column])),
    max_age_ms: view.maxAgeMs,
    features: view.features.map((feature, i) => printFeature(view, feature, specified[i])),
  };
}

function printFeature(view: ViewPlan, feature: FeaturePlan, specified: Specified | undefined) {
  const field = view.partials[feature.partials[0] ?? -1]?.field ?? null;
  const { aggregate = "count", parameters, where = [], by } = specified ?? {};
  return {
    name: `${view.name}:${feature.name}`,
    aggregate,
    ...(parameters !== undefined && { parameters }),
    field: field?.name ?? null,
    where: Object.fromEntries(where.map((one) => [one.field, one.values])),
    ...(by !== undefined && { by }),
    window: windowText(feature.window),
    type: typeOf(aggregate, field?.kind),
    ...(LISTS.has(aggregate) && { list: true as const }),
    default: feature.fallback,
  };
}

const LISTS: ReadonlySet<AggregateName> = new Set(["firstN", "lastN", "topN", "vectorMean"]);

/** The aggregates that return the field's own kind of value. */
const KEEPING: ReadonlySet<AggregateName> = new Set([
  "sum",
  "min",
  "max",
  "first",
  "last",
  "firstN",
  "lastN",
  "topN",
]);

function typeOf(aggregate: AggregateName, kind: FieldKind | undefined) {
  if (/^(count|approxCount)/.test(aggregate)) return "integer" as const;
  return kind === undefined || kind === "vector" || !KEEPING.has(aggregate) ? "number" : kind;
}

function windowText(window: Window): string {
  if (window.kind === "lifetime") return "lifetime";
  const [length, hop] = [durationText(window.lengthMs), durationText(window.hopMs)];
  if (window.kind === "sawtooth") return length;
  return length === hop ? `tumbling ${length}` : `hopping ${length} every ${hop}`;
}

/** Pure. Whether an object without the field is refused because of it. */
function isRequired(request: OnDemandPlan["request"], name: string): boolean {
  const parsed = request.safeParse({});
  return !parsed.success && parsed.error.issues.some(({ path }) => path[0] === name);
}

const printOnDemand = (view: OnDemandPlan) => ({
  kind: "on_demand_view" as const,
  name: view.name,
  description: view.description,
  version: view.version,
  from: view.from,
  request: Object.keys(view.request.shape).map((name) => ({
    name,
    required: isRequired(view.request, name),
  })),
  features: view.features.map(({ name }) => ({ name: `${view.name}:${name}` })),
});

const printService = ({ name, description, views }: ServicePlan) => ({
  kind: "service" as const,
  name,
  description,
  views,
});

const printModel = (model: ModelPlan) => ({
  kind: "model" as const,
  name: model.name,
  description: model.description,
  owner: model.owner,
  version: model.version,
  task: model.task,
  service: model.service,
  features: model.features,
  classes: model.classes,
});

const printCollection = (collection: CollectionPlan) => ({
  kind: "collection" as const,
  name: collection.name,
  description: collection.description,
  owner: collection.owner,
  title: collection.titleField,
  text: collection.textFields,
  fields: collection.fields.map(({ name, kind }) => ({ name, type: kind })),
  language: collection.language,
  chunk_tokens: collection.chunk === "none" ? null : collection.chunk.tokens,
  embedder: {
    kind: collection.embedder.kind,
    model: "model" in collection.embedder ? collection.embedder.model : null,
    dimensions: collection.embedder.dimensions,
  },
});
