import { aggregateOf, takenBy } from "./aggregates/catalogue.ts";
import { optionalDurationMs, type Aggregation } from "./aggregation.ts";
import type { EventSource } from "./define-source.ts";
import { compileSource } from "./compile-source.ts";
import { compileConditions, compileSplit, isNumeric, requireField } from "./compile-conditions.ts";
import type { FeatureView } from "./define.ts";
import { keepsOf, orderBytes } from "./kept-text.ts";
import { inDefinition, DefinitionError, type Field } from "./fields.ts";
import { checkName } from "./names.ts";
import type { ViewPlan } from "./plan.ts";
import { planView } from "./plan-view.ts";
import {
  ENGINE_FORMAT,
  type FeatureSpecification,
  type ViewSpecification,
} from "./view-specification.ts";

function checkField({ aggregate }: Aggregation, field: Field, at: string): void {
  if (field.pii === "drop")
    throw new DefinitionError(`${at}: "${field.name}" is dropped, not stored`);
  const takes = takenBy(aggregate);
  const is = isNumeric(field) ? "number" : field.kind === "vector" ? "vector" : "text";
  if (takes === is || (takes === "scalar" && is !== "vector")) return;
  const needs = takes === "scalar" ? "a single value" : `a ${takes}`;
  throw new DefinitionError(
    `${at}: ${aggregate}() needs ${needs}, and "${field.name}" is a ${field.kind}`,
  );
}

function checkProblem({ problem, window }: Aggregation, at: string): void {
  const told = problem ?? (window.kind === "lifetime" ? undefined : window.problem);
  if (told !== undefined) throw new DefinitionError(`${at}: ${told}`);
}

function keyColumns(view: FeatureView, fields: Map<string, Field>): readonly string[] {
  return view.entity.key.map((part) => {
    const column = view.key[part] ?? part;
    const at = `view "${view.name}", key column "${part}"`;
    const field = requireField(fields, column, at);
    if (field.kind === "boolean" || field.kind === "vector" || field.pii === "drop") {
      throw new DefinitionError(`${at}: an entity key is text, a number or a time that is stored`);
    }
    return column;
  });
}

const sidesOf = ({ source }: FeatureView): readonly EventSource[] =>
  source.kind === "joined_source" ? [source.left, source.right] : [];

/**
 * Pure. Compiles a view: its distinct partial states, its tiles, its features, and the hash that
 * names this version. Throws a DefinitionError that says what to write instead.
 */
export function compileView(view: FeatureView): ViewPlan {
  const source = compileSource(view.source);
  const fields = new Map(source.fields.map((field) => [field.name, field]));
  checkBoundary(view);
  const ids = orderBytes(source, sidesOf(view).map(compileSource));
  const named = Object.entries(view.features);
  if (named.length === 0) throw new DefinitionError(`view "${view.name}" has no features`);
  const specification: ViewSpecification = {
    format: ENGINE_FORMAT,
    view: view.name,
    entity: { name: view.entity.name, key: view.entity.key },
    source: {
      name: source.name,
      event_time: view.source.eventTime,
      ...(source.table !== null && { row_key: source.table.key }),
      ...(source.join !== null && { pairs: source.join.sourceId }),
    },
    key: keyColumns(view, fields),
    features: named.map(([name, feature]) => {
      checkName(`view "${view.name}", feature`, name);
      return specifyFeature(name, feature, { view: view.name, fields, ids });
    }),
    max_age_ms: inDefinition(`view "${view.name}", maxAge`, () =>
      optionalDurationMs(view.maxAge ?? undefined),
    ),
    ...(view.boundary === "inclusive" && { boundary: view.boundary }),
  };
  const { owner, description } = view;
  return planView(specification, { owner, description, fields });
}

interface Within {
  readonly view: string;
  readonly fields: Map<string, Field>;
  /** The most bytes of an event's order key. */
  readonly ids: number;
}

/** Checks a feature. */
function specifyFeature(
  name: string,
  feature: Aggregation,
  { view, fields, ids }: Within,
): FeatureSpecification {
  const at = `view "${view}", feature "${name}"`;
  checkProblem(feature, at);
  const { aggregate, parameters } = feature;
  const field = feature.field === null ? null : requireField(fields, feature.field, at);
  if (field !== null) checkField(feature, field, at);
  inDefinition(`${at}: ${aggregate}()`, () => aggregateOf(aggregate, parameters, field));
  const where = compileConditions(feature.conditions, fields, at);
  const by = compileSplit(feature.split, fields, at);
  const { text, order } = keepsOf(feature, field, ids);
  return {
    name,
    aggregate,
    ...(Object.keys(parameters).length > 0 && { parameters }),
    field: feature.field,
    kind: field?.kind ?? null,
    ...(field?.dimensions !== undefined && { dimensions: field.dimensions }),
    ...(text !== null && { max_bytes: text }),
    ...(order !== null && { order_bytes: order }),
    where,
    ...(by !== undefined && { by }),
    window: feature.window,
    default: feature.fallback,
  };
}

function checkBoundary({ name, source, boundary }: FeatureView): void {
  if (boundary === "exclusive" || source.kind === "table_source") return;
  throw new DefinitionError(`view "${name}": boundary "inclusive" is for views of a table's rows`);
}
