import { aggregateOf, partialOf, takenBy } from "./aggregates/catalogue.ts";
import { count, optionalDurationMs, type Aggregation } from "./aggregation.ts";
import type { EventSource } from "./define-source.ts";
import { compileSource } from "./compile-source.ts";
import { compileConditions, compileSplit, isNumeric, requireField } from "./compile-conditions.ts";
import type { FeatureView } from "./define.ts";
import { keepsOf, orderBytes } from "./kept-text.ts";
import { inDefinition, DefinitionError, type Field } from "./fields.ts";
import { checkName } from "./names.ts";
import type {
  Condition,
  FeaturePlan,
  LevelPlan,
  PartialPlan,
  PresencePlan,
  ViewPlan,
} from "./plan.ts";
import type { SourcePlan } from "./source-plan.ts";
import { specificationHash } from "./specification-hash.ts";
import { tileSizes, widestWindows, type Window } from "./window.ts";

/** Part of every specification: raised when the engine computes or packs states differently. */
const ENGINE_FORMAT = 1;

const PRESENCE = "";

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

/** The aggregate of a feature; its parameters are checked here. */
function compileAggregate(feature: Aggregation, field: Field | null, at: string) {
  return inDefinition(`${at}: ${feature.aggregate}()`, () =>
    aggregateOf(feature.aggregate, feature.parameters, field),
  );
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

/** A partial that is read over a window. */
interface Use {
  readonly partial: number;
  readonly window: Window;
}

function levelsOf(uses: readonly Use[]): LevelPlan[] {
  const levels = new Map<number, Map<number, Window[]>>();
  for (const { window, partial } of uses) {
    for (const sizeMs of tileSizes(window)) {
      const level = levels.get(sizeMs) ?? new Map<number, Window[]>();
      level.set(partial, [...(level.get(partial) ?? []), window]);
      levels.set(sizeMs, level);
    }
  }
  return [...levels]
    .toSorted(([a], [b]) => a - b)
    .map(([sizeMs, level]) => {
      const partials = [...level].toSorted(([a], [b]) => a - b);
      return {
        sizeMs,
        partials: partials.map(([partial]) => partial),
        windows: widestWindows([...level.values()].flat()),
        windowsOf: partials.map(([, windows]) => widestWindows(windows)),
      };
    });
}

/**
 * Pure. Compiles a view: its distinct partial states, its tiles, its features, and the hash that
 * names this version. Throws a DefinitionError that says what to write instead.
 */
export function compileView(view: FeatureView): ViewPlan {
  const source = compileSource(view.source);
  const fields = new Map(source.fields.map((field) => [field.name, field]));
  checkBoundary(view);
  const ids = orderBytes(source, sidesOf(view).map(compileSource));
  const maxAgeMs = inDefinition(`view "${view.name}", maxAge`, () =>
    optionalDurationMs(view.maxAge ?? undefined),
  );
  const partials = new Map<string, { plan: PartialPlan; index: number }>();
  const compile = (name: string, feature: Aggregation): FeaturePlan => {
    const at = `view "${view.name}", feature "${name}"`;
    checkProblem(feature, at);
    const field = feature.field === null ? null : requireField(fields, feature.field, at);
    if (field !== null) checkField(feature, field, at);
    const aggregate = compileAggregate(feature, field, at);
    const conditions = compileConditions(feature.conditions, fields, at);
    const split = compileSplit(feature.split, fields, at);
    const partialWith = (all: readonly Condition[]): number => {
      const identity = JSON.stringify([
        partialOf(feature.aggregate, feature.parameters),
        field?.name ?? null,
        all,
      ]);
      const known = partials.get(identity) ?? {
        plan: { aggregate, field, conditions: all, keeps: keepsOf(feature, field, ids) },
        index: partials.size,
      };
      partials.set(identity, known);
      return known.index;
    };
    return {
      name,
      aggregate,
      partials: split?.map(({ condition }) => partialWith([...conditions, condition])) ?? [
        partialWith(conditions),
      ],
      keys: split?.map(({ key }) => key) ?? null,
      window: feature.window,
      asText: field?.kind === "decimal" || field?.kind === "bigint",
      fallback: feature.fallback,
      counts: feature.aggregate === "count",
    };
  };
  const named = Object.entries(view.features);
  if (named.length === 0) throw new DefinitionError(`view "${view.name}" has no features`);
  const features = named.map(([name, feature]) => {
    checkName(`view "${view.name}", feature`, name);
    return compile(name, feature);
  });
  const { aggregate, partials: counted } = compile(PRESENCE, count());
  const windows = widestWindows(features.map(({ window }) => window));
  const presence: PresencePlan = { aggregate, partial: counted[0] ?? 0, windows };
  const uses = [
    ...features.flatMap(({ partials: read, window }) =>
      read.map((partial) => ({ partial, window })),
    ),
    ...windows.map((window) => ({ partial: presence.partial, window })),
  ];
  const columns = keyColumns(view, fields);
  const spec = specificationOf(view, source, columns, ids);
  const specHash = specificationHash(spec);
  return {
    name: view.name,
    entity: view.entity.name,
    source: source.name,
    sourceId: source.join?.sourceId ?? source.name,
    isSigned: source.table !== null || source.join !== null,
    isInclusive: view.boundary === "inclusive",
    keyColumns: columns,
    stateId: `${view.name}@${specHash}`,
    specHash,
    spec,
    partials: [...partials.values()].map(({ plan }) => plan),
    levels: levelsOf(uses),
    features,
    presence,
    maxAgeMs,
    owner: view.owner,
    description: view.description,
  };
}

/**
 * Everything that decides the view's values, and nothing else. Members that came later are written
 * only where they are used: views from before keep their text, and with it their version.
 */
function specificationOf(
  view: FeatureView,
  { name: sourceName, fields: all, table, join }: SourcePlan,
  columns: readonly string[],
  ids: number,
): string {
  const fields = new Map(all.map((field) => [field.name, field]));
  return JSON.stringify({
    format: ENGINE_FORMAT,
    view: view.name,
    entity: { name: view.entity.name, key: view.entity.key },
    source: {
      name: sourceName,
      event_time: view.source.eventTime,
      ...(table !== null && { row_key: table.key }),
      ...(join !== null && { pairs: join.sourceId }),
    },
    key: columns,
    features: Object.entries(view.features).map(([name, f]) => {
      const field = f.field === null ? undefined : fields.get(f.field);
      const split = compileSplit(f.split, fields, name);
      const { text, order } = keepsOf(f, field ?? null, ids);
      return {
        name,
        aggregate: f.aggregate,
        ...(Object.keys(f.parameters).length > 0 && { parameters: f.parameters }),
        field: f.field,
        kind: f.field === null ? null : field?.kind,
        ...(field?.dimensions !== undefined && { dimensions: field.dimensions }),
        ...(text !== null && { max_bytes: text }),
        ...(order !== null && { order_bytes: order }),
        where: compileConditions(f.conditions, fields, name),
        ...(split !== null && {
          by: { field: f.split?.field, keys: split.at(-1)?.condition.values },
        }),
        window: f.window,
        default: f.fallback,
      };
    }),
    max_age_ms: optionalDurationMs(view.maxAge ?? undefined),
    ...(view.boundary === "inclusive" && { boundary: view.boundary }),
  });
}

function checkBoundary({ name, source, boundary }: FeatureView): void {
  if (boundary === "exclusive" || source.kind === "table_source") return;
  throw new DefinitionError(`view "${name}": boundary "inclusive" is for views of a table's rows`);
}
