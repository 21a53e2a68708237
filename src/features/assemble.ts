import type { Aggregate, FeatureValue } from "./aggregates/aggregate.ts";
import type { ByteReader } from "./bytes.ts";
import type { FeaturePlan, ViewPlan } from "./plan.ts";
import { partialAt, type StateHead } from "./state.ts";
import { coverWindow } from "./window.ts";

export type Status = "PRESENT" | "NULL_VALUE" | "NOT_FOUND" | "OUTSIDE_MAX_AGE" | "ERASED";

/** Values and statuses in the order of the view's features; statuses from before defaults. */
export interface ViewAnswer {
  readonly values: readonly FeatureValue[];
  readonly statuses: readonly Status[];
}

/** A feature that reads a partial of the tiles that begin in a range. */
interface Use {
  readonly slot: number;
  readonly from: number;
  readonly to: number;
}

/** A partial that every tile of a level holds, and which features read it. */
interface PartialRead {
  readonly aggregate: Aggregate<unknown>;
  readonly uses: readonly Use[];
}

/** A view's read at one instant. */
export interface ReadPlan {
  readonly plan: ViewPlan;
  readonly asOf: number;
  /** The view's features, then its presence; a slot is a position in here. */
  readonly slots: readonly FeaturePlan[];
  /** Per level, the partials in the order in which its tiles hold them. */
  readonly levels: readonly {
    readonly sizeMs: number;
    readonly partials: readonly PartialRead[];
  }[];
}

/** Pure. Works out once, for all entities of a request, which tiles each feature merges. */
export function planRead(plan: ViewPlan, asOf: number): ReadPlan {
  const slots = [...plan.features, plan.presence];
  const uses = plan.levels.map(({ partials }) => partials.map((): Use[] => []));
  for (const [slot, { window, partial }] of slots.entries()) {
    for (const { sizeMs, from, to } of coverWindow(window, asOf)) {
      const i = plan.levels.findIndex((level) => level.sizeMs === sizeMs);
      const j = plan.levels[i]?.partials.indexOf(partial) ?? -1;
      uses[i]?.[j]?.push({ slot, from, to });
    }
  }
  const levels = plan.levels.map(({ sizeMs, partials }, i) => ({
    sizeMs,
    partials: partials.map((at, j) => ({
      aggregate: partialAt(plan, at),
      uses: uses[i]?.[j] ?? [],
    })),
  }));
  return { plan, asOf, slots, levels };
}

/** Merges the tiles that cover each feature's window, in one pass over the packed state. */
function mergeTiles({ slots, levels }: ReadPlan, { reader }: StateHead): unknown[] {
  const merged = slots.map(({ aggregate }) => aggregate.empty());
  for (const { sizeMs, partials } of levels) {
    let index = 0;
    for (let left = reader.uint(); left > 0; left -= 1) {
      index += reader.int();
      for (const read of partials) mergePartial(read, index * sizeMs, reader, merged);
    }
  }
  return merged;
}

/** Merges the partial at which the reader stands into the slots that use it, or passes over it. */
function mergePartial(
  { aggregate, uses }: PartialRead,
  start: number,
  reader: ByteReader,
  merged: unknown[],
): void {
  let only = -1;
  let readers = 0;
  for (const { slot, from, to } of uses) {
    if (start < from || start >= to) continue;
    only = slot;
    readers += 1;
  }
  if (readers === 0) return aggregate.skip(reader);
  if (readers === 1) {
    merged[only] = aggregate.mergeFrom(merged[only], reader);
    return;
  }
  const partial = aggregate.decode(reader);
  for (const { slot, from, to } of uses) {
    if (start >= from && start < to) merged[slot] = aggregate.merge(merged[slot], partial);
  }
}

const emptyValue = (feature: FeaturePlan): FeatureValue => (feature.counts ? 0 : feature.fallback);

/** Pure. The answer where the entity has no live event in the view, or was erased. */
export function answerWithout(plan: ViewPlan, status: "NOT_FOUND" | "ERASED"): ViewAnswer {
  const erased = status === "ERASED";
  return {
    values: plan.features.map((feature) => (erased ? null : emptyValue(feature))),
    statuses: plan.features.map(() => status),
  };
}

/** A number beyond the range of doubles has no JSON: it is null. */
const representable = (value: FeatureValue): FeatureValue =>
  typeof value === "number" && !Number.isFinite(value) ? null : value;

/** Pure, but that it moves the head's reader. The view's features of one entity. */
export function answerFrom(read: ReadPlan, head: StateHead): ViewAnswer {
  const { plan, asOf } = read;
  const merged = mergeTiles(read, head);
  if (head.newest === null || merged.at(-1) === 0) return answerWithout(plan, "NOT_FOUND");
  const tooOld = plan.maxAgeMs !== null && head.newest < asOf - plan.maxAgeMs;
  const values: FeatureValue[] = [];
  const statuses: Status[] = [];
  plan.features.forEach(({ aggregate, asText, fallback }, slot) => {
    const value = tooOld ? null : representable(aggregate.finish(merged[slot], asText));
    values.push(value ?? fallback);
    statuses.push(tooOld ? "OUTSIDE_MAX_AGE" : value === null ? "NULL_VALUE" : "PRESENT");
  });
  return { values, statuses };
}
