import { aggregateOf, partialOf } from "./aggregates/catalogue.ts";
import { OTHER } from "./aggregation.ts";
import type {
  Condition,
  FeaturePlan,
  KeptField,
  LevelPlan,
  PartialPlan,
  PresencePlan,
  ViewPlan,
} from "./plan.ts";
import { specificationHash } from "./specification-hash.ts";
import {
  readSpecification,
  type FeatureSpecification,
  type ViewSpecification,
} from "./view-specification.ts";
import { LIFETIME, tileSizes, widestWindows, type Window } from "./window.ts";

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

/** Counts all events: what tells whether there are any. */
const PRESENCE: FeatureSpecification = {
  name: "",
  aggregate: "count",
  field: null,
  kind: null,
  where: [],
  window: LIFETIME,
  default: null,
};

const fieldOf = ({ field, kind, dimensions }: FeatureSpecification): KeptField | null =>
  field === null || kind === null
    ? null
    : { name: field, kind, ...(dimensions !== undefined && { dimensions }) };

/** What does not decide a view's values. */
export interface Beside extends Pick<ViewPlan, "owner" | "description"> {
  readonly fields: ReadonlyMap<string, KeptField>;
}

/** Each key of by() and its condition, `other` last; null without by(). */
function splitOf({ by }: FeatureSpecification) {
  if (by === undefined) return null;
  const { field, keys } = by;
  const other: Condition = { field, values: keys, negated: true };
  return [
    ...keys.map((key) => ({ key: String(key), condition: { field, values: [key] } })),
    { key: OTHER, condition: other },
  ];
}

/** The distinct partials of the features that are planned, in the order in which they come. */
class Partials {
  readonly #fields: Beside["fields"];
  readonly #indexes = new Map<string, number>();
  readonly plans: PartialPlan[] = [];

  constructor(fields: Beside["fields"]) {
    this.#fields = fields;
  }

  indexOf(feature: FeatureSpecification, conditions: readonly Condition[]): number {
    const { aggregate, parameters, field, max_bytes: text, order_bytes: order } = feature;
    const identity = JSON.stringify([partialOf(aggregate, parameters), field, conditions]);
    const known = this.#indexes.get(identity);
    if (known !== undefined) return known;
    this.#indexes.set(identity, this.plans.length);
    return (
      this.plans.push({
        aggregate: aggregateOf(aggregate, parameters, fieldOf(feature)),
        field: this.#fields.get(field ?? "") ?? fieldOf(feature),
        conditions,
        keeps: { text: text ?? null, order: order ?? null },
      }) - 1
    );
  }
}

function planFeature(feature: FeatureSpecification, partials: Partials): FeaturePlan {
  const { name, aggregate, parameters, kind, where, window } = feature;
  const split = splitOf(feature);
  return {
    name,
    aggregate: aggregateOf(aggregate, parameters, fieldOf(feature)),
    partials: (split ?? [null]).map((one) =>
      partials.indexOf(feature, one === null ? where : [...where, one.condition]),
    ),
    keys: split?.map(({ key }) => key) ?? null,
    window,
    asText: kind === "decimal" || kind === "bigint",
    fallback: feature.default,
    counts: aggregate === "count",
  };
}

/**
 * Pure. The plan of a view by its specification: its distinct partial states, its tiles, its features,
 * and the hash that names this version. Throws a RangeError for a parameter out of bounds.
 */
export function planView(
  specification: ViewSpecification,
  { owner, description, fields }: Beside,
): ViewPlan {
  const { view: name, entity, source } = specification;
  const partials = new Partials(fields);
  const features = specification.features.map((feature) => planFeature(feature, partials));
  const { aggregate, partials: counted } = planFeature(PRESENCE, partials);
  const windows = widestWindows(features.map(({ window }) => window));
  const presence: PresencePlan = { aggregate, partial: counted[0] ?? 0, windows };
  const uses = [
    ...features.flatMap(({ partials: read, window }) =>
      read.map((partial) => ({ partial, window })),
    ),
    ...windows.map((window) => ({ partial: presence.partial, window })),
  ];
  const spec = JSON.stringify(specification);
  const specHash = specificationHash(spec);
  return {
    name,
    entity: entity.name,
    source: source.name,
    sourceId: source.pairs ?? source.name,
    isSigned: source.row_key !== undefined || source.pairs !== undefined,
    isInclusive: specification.boundary === "inclusive",
    keyColumns: specification.key,
    stateId: `${name}@${specHash}`,
    specHash,
    spec,
    partials: partials.plans,
    levels: levelsOf(uses),
    features,
    presence,
    maxAgeMs: specification.max_age_ms,
    owner,
    description,
  };
}

/**
 * Pure. The plan of a view that any deployment registered; null where this engine would not compute
 * it as that one's does.
 */
export function planRegistered({
  spec,
  stateId,
}: Pick<ViewPlan, "spec" | "stateId">): ViewPlan | null {
  try {
    const specification = readSpecification(spec);
    if (specification === null) return null;
    const plan = planView(specification, { owner: "", description: "", fields: new Map() });
    return plan.stateId === stateId ? plan : null;
  } catch {
    return null;
  }
}
