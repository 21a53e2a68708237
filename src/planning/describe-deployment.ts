import type { z } from "zod";
import type { Definition, Deployment } from "../deployment.ts";
import { specificationHash } from "../features/specification-hash.ts";
import type { Entity } from "../features/define.ts";
import type { Acceptance } from "../features/define-source.ts";
import { runCase } from "../features/golden-cases.ts";
import type { OnDemandPlan, ServicePlan } from "../features/registry.ts";
import type { SourcePlan } from "../features/source-plan.ts";
import type { ModelPlan } from "../predictions/model-plan.ts";
import type { CollectionPlan } from "../retrieval/collection-plan.ts";
import {
  canonicalJson,
  specOf,
  type DefinitionKind,
  type DefinitionRecord,
  type Json,
} from "./definition-record.ts";

const record = (kind: DefinitionKind, name: string, spec: Json): DefinitionRecord => ({
  kind,
  name,
  spec: canonicalJson(spec),
});

const describeEntity = ({ name, key }: Entity) => record("entity", name, { key });

const describeAcceptance = (acceptance: Acceptance): string =>
  Object.values(acceptance).join(" ").replaceAll("_", " ");

/** What tells one record of a source from another. */
function identityOf({ idField, table, join }: SourcePlan): Readonly<Record<string, Json>> {
  if (table !== null) return { row_key: table.key, order: table.orderField ?? "of each change" };
  if (join === null) return { id: idField ?? "content hash" };
  const { left, right, on, withinMs, fanOut } = join;
  const columns = on.map((column) => ({ ...column }));
  return { left, right, on: columns, within_ms: withinMs, fan_out: fanOut };
}

const describeSource = (source: SourcePlan) =>
  record("source", source.name, {
    ...identityOf(source),
    event_time: source.eventTimeField,
    accepts: source.accept.map(describeAcceptance),
    fields: source.fields.map(({ name, kind, nullable, pii, email }) => ({
      name,
      kind,
      nullable,
      pii,
      email,
    })),
  });

/** Only what JSON can hold comes in a request, so that a case can be kept. */
const asJson = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;

/** The cases are kept with everything that the view makes of them, named or not. */
const describeOnDemand = (plan: OnDemandPlan) =>
  record("on_demand_view", plan.name, {
    version: plan.version,
    request: Object.entries(plan.request.shape as Record<string, z.ZodType>).map(
      ([name, field]) => ({
        name,
        required: !field.safeParse(undefined).success,
      }),
    ),
    from: plan.from,
    features: plan.features.map(({ name }) => ({ name })),
    cases: plan.cases.map((one) => {
      const { values } = runCase(plan, one);
      return asJson({ request: one.request, features: one.features ?? {}, values });
    }),
    reads: readsOf(plan),
  });

/** The features that an on-demand view looks at in its golden cases; null where it has none. */
function readsOf(plan: OnDemandPlan): readonly string[] | null {
  if (plan.cases.length === 0) return null;
  return [...new Set(plan.cases.flatMap((one) => runCase(plan, one).looked))].toSorted();
}

const describeService = ({ name, views }: ServicePlan) => record("service", name, { views });

const describeModel = (model: ModelPlan, file: unknown) =>
  record("model", model.name, {
    version: model.version,
    task: model.task,
    service: model.service,
    features: model.features,
    file: specificationHash(canonicalJson(asJson(file))),
  });

const describeCollection = (plan: CollectionPlan) =>
  record("collection", plan.name, { ...specOf(plan), embedder: { ...plan.embedder } });

/**
 * Pure. A deployment's definitions as data, in the order of their kinds; `definitions` is what it
 * was compiled from. Views are described by their own specifications.
 */
export function describeDeployment(
  { registry, models, collections }: Deployment,
  definitions: readonly Definition[],
): readonly DefinitionRecord[] {
  const files = new Map(definitions.flatMap((d) => (d.kind === "model" ? [[d.name, d.file]] : [])));
  const views = [...registry.views.values()];
  return [
    ...[...registry.entities.values()].map(describeEntity),
    ...[...registry.sources.values()].map(describeSource),
    ...views.map(({ name, spec }): DefinitionRecord => ({ kind: "view", name, spec })),
    ...[...registry.onDemand.values()].map(describeOnDemand),
    ...[...registry.services.values()].map(describeService),
    ...[...models.values()].map((model) => describeModel(model, files.get(model.name))),
    ...[...collections.values()].map(describeCollection),
  ];
}
