import { aggregateOf, partialOf } from "./aggregates/catalogue.ts";
import { count, optionalDurationMs, type Aggregation, type Where } from "./aggregation.ts";
import type { FeatureView } from "./define.ts";
import { exactToText, parseExact } from "./exact.ts";
import { DefinitionError, fieldsOf, type Field } from "./fields.ts";
import { checkName } from "./names.ts";
import type { Condition, FeaturePlan, LevelPlan, PartialPlan, ViewPlan } from "./plan.ts";
import { tileSizes, type Window } from "./window.ts";

/** Part of every specification: raised when the engine computes or packs states differently. */
const ENGINE_FORMAT = 1;

const PRESENCE = "";

/** Pure. 64 bits of FNV-1a in hex, over UTF-16 code units: names a specification. */
export function specificationHash(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let i = 0; i < text.length; i += 1) {
    hash = ((hash ^ BigInt(text.charCodeAt(i))) * 0x100000001b3n) & 0xffffffffffffffffn;
  }
  return hash.toString(16).padStart(16, "0");
}

function compileConditions(
  where: Where | null,
  fields: Map<string, Field>,
  at: string,
): Condition[] {
  return Object.entries(where ?? {})
    .map(([name, wanted]) => {
      const field = requireField(fields, name, `${at}, where()`);
      if (field.pii !== null) {
        throw new DefinitionError(
          `${at}: where() cannot see "${name}", which is stored as a token`,
        );
      }
      const values = (Array.isArray(wanted) ? wanted : [wanted]) as readonly unknown[];
      return { field: name, values: values.map((value) => comparable(field, value, at)) };
    })
    .toSorted((a, b) => (a.field < b.field ? -1 : 1));
}

/** A value of a condition as records hold it; one that no record can have is refused. */
function comparable(field: Field, value: unknown, at: string): string | boolean {
  if (isNumeric(field)) {
    const exact = parseExact(String(value));
    if (exact.ok) return exactToText(exact.value);
  } else if (typeof value === (field.kind === "boolean" ? "boolean" : "string")) {
    return value as string | boolean;
  }
  throw new DefinitionError(
    `${at}, where(): "${field.name}" is a ${field.kind}, and is never ${JSON.stringify(value)}`,
  );
}

function requireField(fields: Map<string, Field>, name: string, at: string): Field {
  const field = fields.get(name);
  if (field !== undefined) return field;
  throw new DefinitionError(
    `${at}: there is no field "${name}"; the source has ${[...fields.keys()].join(", ")}`,
  );
}

const isNumeric = (field: Field): boolean =>
  field.kind === "number" || field.kind === "decimal" || field.kind === "bigint";

function checkField(feature: Aggregation, field: Field, at: string): void {
  if (field.pii === "drop")
    throw new DefinitionError(`${at}: "${field.name}" is dropped, not stored`);
  if (feature.aggregate === "first" || feature.aggregate === "last" || isNumeric(field)) return;
  throw new DefinitionError(
    `${at}: ${feature.aggregate}() needs a number, and "${field.name}" is a ${field.kind}`,
  );
}

function longestWindow(features: readonly FeaturePlan[]): Window {
  const lifetime = features.find((feature) => feature.window.kind === "lifetime");
  if (lifetime) return lifetime.window;
  const windows = features.map((feature) => feature.window);
  const length = (window: Window): number => (window.kind === "lifetime" ? 0 : window.lengthMs);
  return windows.reduce((a, b) => (length(b) > length(a) ? b : a));
}

function keyColumns(view: FeatureView, fields: Map<string, Field>): readonly string[] {
  return view.entity.key.map((part) => {
    const column = view.key[part] ?? part;
    const at = `view "${view.name}", key column "${part}"`;
    const field = requireField(fields, column, at);
    if (field.kind === "boolean" || field.pii === "drop") {
      throw new DefinitionError(`${at}: an entity key is text, a number or a time that is stored`);
    }
    return column;
  });
}

function levelsOf(features: readonly FeaturePlan[]): LevelPlan[] {
  const levels = new Map<number, { partials: Set<number>; windows: Window[] }>();
  for (const { window, partial } of features) {
    for (const sizeMs of tileSizes(window)) {
      const level = levels.get(sizeMs) ?? { partials: new Set<number>(), windows: [] };
      level.partials.add(partial);
      level.windows.push(window);
      levels.set(sizeMs, level);
    }
  }
  return [...levels]
    .toSorted(([a], [b]) => a - b)
    .map(([sizeMs, { partials, windows }]) => ({
      sizeMs,
      partials: [...partials].toSorted((a, b) => a - b),
      windows: distinctWindows(windows),
    }));
}

function distinctWindows(windows: readonly Window[]): readonly Window[] {
  return [...new Map(windows.map((window) => [JSON.stringify(window), window])).values()];
}

/**
 * Pure. Compiles a view: its distinct partial states, its tiles, its features, and the hash that
 * names this version. Throws a DefinitionError that says what to write instead.
 */
export function compileView(view: FeatureView): ViewPlan {
  const fields = new Map(fieldsOf(view.source.name, view.source.schema).map((f) => [f.name, f]));
  const partials = new Map<string, { plan: PartialPlan; index: number }>();
  const compile = (name: string, feature: Aggregation): FeaturePlan => {
    const at = `view "${view.name}", feature "${name}"`;
    const field = feature.field === null ? null : requireField(fields, feature.field, at);
    if (field !== null) checkField(feature, field, at);
    const conditions = compileConditions(feature.condition, fields, at);
    const aggregate = aggregateOf(feature.aggregate);
    const identity = JSON.stringify([
      partialOf(feature.aggregate),
      field?.name ?? null,
      conditions,
    ]);
    const known = partials.get(identity) ?? {
      plan: { aggregate, field, conditions },
      index: partials.size,
    };
    partials.set(identity, known);
    return {
      name,
      aggregate,
      partial: known.index,
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
  const presence = { ...compile(PRESENCE, count()), window: longestWindow(features) };
  const columns = keyColumns(view, fields);
  const spec = JSON.stringify({
    format: ENGINE_FORMAT,
    view: view.name,
    entity: { name: view.entity.name, key: view.entity.key },
    source: { name: view.source.name, event_time: view.source.eventTime },
    key: columns,
    features: named.map(([name, f]) => ({
      name,
      aggregate: f.aggregate,
      field: f.field,
      kind: f.field === null ? null : fields.get(f.field)?.kind,
      where: compileConditions(f.condition, fields, name),
      window: f.window,
      default: f.fallback,
    })),
    max_age_ms: optionalDurationMs(view.maxAge ?? undefined),
  });
  const specHash = specificationHash(spec);
  return {
    name: view.name,
    entity: view.entity.name,
    source: view.source.name,
    keyColumns: columns,
    stateId: `${view.name}@${specHash}`,
    specHash,
    spec,
    partials: [...partials.values()].map(({ plan }) => plan),
    levels: levelsOf([...features, presence]),
    features,
    presence,
    maxAgeMs: optionalDurationMs(view.maxAge ?? undefined),
    owner: view.owner,
    description: view.description,
  };
}
