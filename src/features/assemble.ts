import type { Aggregate, AggregateValue, FeatureValue } from "./aggregates/aggregate.ts";
import type { ByteReader } from "./bytes.ts";
import type { FeaturePlan, ViewPlan } from "./plan.ts";
import { partialAt, type StateHead } from "./state.ts";
import { coverWindow, isSameWindow, LIFETIME_TILE_MS, type Window } from "./window.ts";

export type Status = "PRESENT" | "NULL_VALUE" | "NOT_FOUND" | "OUTSIDE_MAX_AGE" | "ERASED";

/** Values and statuses in the order of the view's features; statuses from before defaults. */
export interface ViewAnswer {
  readonly values: readonly FeatureValue[];
  readonly statuses: readonly Status[];
  /** Positions of the features whose value is a bound that was reached. */
  readonly capped: readonly number[];
}

/** A partial merged over a window, of which features are made. */
export interface Slot {
  readonly aggregate: Aggregate<unknown>;
  readonly partial: number;
  readonly window: Window;
}

/** A slot that reads a partial of the tiles that begin in a range. */
interface Use {
  readonly slot: number;
  readonly from: number;
  readonly to: number;
}

/** A partial that every tile of a level holds, and which slots read it. */
interface PartialRead {
  readonly aggregate: Aggregate<unknown>;
  readonly uses: readonly Use[];
  /** Whether the level has but one tile, so that whoever reads it merges it with nothing. */
  readonly isAlone: boolean;
}

/** What a read of a view merges and makes of it, at whatever instant. */
export interface ReadShape {
  readonly plan: ViewPlan;
  readonly slots: readonly Slot[];
  /** Per feature, its slot, or that of each of its keys. */
  readonly slotsOf: readonly (readonly number[])[];
  /** The slots that tell whether the entity is found. */
  readonly presence: readonly number[];
  /** Positions of the features that may reach a bound. */
  readonly capping: readonly number[];
}

/** A view's read at one instant. */
export interface ReadPlan extends ReadShape {
  /** No event of a state lies at or after it. */
  readonly asOf: number;
  /** Per level, the partials in the order in which its tiles hold them. */
  readonly levels: readonly {
    readonly sizeMs: number;
    readonly partials: readonly PartialRead[];
  }[];
}

/** Finds the slot of a partial and a window, or makes it: features share what they merge. */
function slotOf(slots: Slot[], plan: ViewPlan, partial: number, window: Window): number {
  const known = slots.findIndex(
    (slot) => slot.partial === partial && isSameWindow(slot.window, window),
  );
  if (known >= 0) return known;
  return slots.push({ aggregate: partialAt(plan, partial), partial, window }) - 1;
}

/** Pure. Works out once, for all instants, which partials each feature merges over which windows. */
export function shapeRead(plan: ViewPlan): ReadShape {
  const slots: Slot[] = [];
  const slotsOf = plan.features.map(({ partials, window }) =>
    partials.map((partial) => slotOf(slots, plan, partial, window)),
  );
  const presence = plan.presence.windows.map((window) =>
    slotOf(slots, plan, plan.presence.partial, window),
  );
  const capping = plan.features.flatMap(({ aggregate }, at) =>
    aggregate.isCapped === undefined ? [] : [at],
  );
  return { plan, slots, slotsOf, presence, capping };
}

/** Pure. The instant whose exclusive value is the view's at T: of an inclusive one, just after T. */
export const instantOf = ({ isInclusive }: ViewPlan, at: number): number =>
  isInclusive ? at + 1 : at;

/** Pure. Works out once, for all entities of a request, which tiles each feature merges. */
export function planRead(plan: ViewPlan, instant: number): ReadPlan {
  const asOf = instantOf(plan, instant);
  const shape = shapeRead(plan);
  const { slots } = shape;
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
      isAlone: sizeMs === LIFETIME_TILE_MS,
    })),
  }));
  return { ...shape, asOf, levels };
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
  { aggregate, uses, isAlone }: PartialRead,
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
    merged[only] =
      isAlone && aggregate.decodeAlone !== undefined
        ? aggregate.decodeAlone(reader)
        : aggregate.mergeFrom(merged[only], reader);
    return;
  }
  const partial = aggregate.decode(reader);
  for (const { slot, from, to } of uses) {
    if (start >= from && start < to) merged[slot] = aggregate.merge(merged[slot], partial);
  }
}

/** The one value for every key of a feature that is split, or as it is. */
const spread = ({ keys }: FeaturePlan, value: AggregateValue): FeatureValue =>
  keys === null ? value : Object.fromEntries(keys.map((key) => [key, value]));

/** What a feature answers instead of null. */
const unfilled = (feature: FeaturePlan): FeatureValue => spread(feature, feature.fallback);

const emptyValue = (feature: FeaturePlan): FeatureValue =>
  feature.counts ? spread(feature, 0) : unfilled(feature);

/** Pure. The answer where the entity has no live event in the view, or was erased. */
export function answerWithout(plan: ViewPlan, status: "NOT_FOUND" | "ERASED"): ViewAnswer {
  const erased = status === "ERASED";
  return {
    values: plan.features.map((feature) => (erased ? null : emptyValue(feature))),
    statuses: plan.features.map(() => status),
    capped: [],
  };
}

/** A number beyond the range of doubles has no JSON: it is null. */
function representable(value: AggregateValue): AggregateValue {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "object" || value === null) return value;
  return value.map((one) => (typeof one === "number" && !Number.isFinite(one) ? null : one));
}

/** What a view answers of an entity whose newest event is older than its maxAge. */
const answerTooOld = ({ features }: ViewPlan): ViewAnswer => ({
  values: features.map(unfilled),
  statuses: features.map(() => "OUTSIDE_MAX_AGE"),
  capped: [],
});

/** Appends a feature's value and status. The default stands for nothing, not for too much. */
function finish(
  { aggregate, asText, keys, fallback }: FeaturePlan,
  slots: readonly number[],
  merged: readonly unknown[],
  asOf: number,
  values: FeatureValue[],
  statuses: Status[],
): void {
  if (keys === null) {
    const finished = aggregate.finish(merged[slots[0] as number], asText, asOf);
    const value = finished === null ? null : representable(finished);
    values.push(finished === null ? fallback : value);
    statuses.push(value === null ? "NULL_VALUE" : "PRESENT");
    return;
  }
  const finished = slots.map((slot) => aggregate.finish(merged[slot], asText, asOf));
  const found = finished.map((one) => (one === null ? null : representable(one)));
  const valueAt = (i: number): AggregateValue =>
    (finished[i] === null ? fallback : found[i]) ?? null;
  values.push(Object.fromEntries(keys.map((key, i) => [key, valueAt(i)])));
  statuses.push(found.every((one) => one === null) ? "NULL_VALUE" : "PRESENT");
}

/** Pure, but that it moves the head's reader. The view's features of one entity. */
export function answerFrom(read: ReadPlan, head: StateHead): ViewAnswer {
  return answerMerged(read, read.asOf, head.newest, mergeTiles(read, head));
}

/**
 * Pure. The view's features at `asOf`, of the slots' merged partials and the newest event time of
 * the state (null where it is empty).
 */
export function answerMerged(
  read: ReadShape,
  asOf: number,
  newest: number | null,
  merged: readonly unknown[],
): ViewAnswer {
  const { plan, slotsOf, capping } = read;
  const { features, maxAgeMs } = plan;
  if (newest === null || !isFound(read, merged)) return answerWithout(plan, "NOT_FOUND");
  if (maxAgeMs !== null && newest < asOf - maxAgeMs) return answerTooOld(plan);
  const values: FeatureValue[] = [];
  const statuses: Status[] = [];
  for (let at = 0; at < features.length; at += 1) {
    const slots = slotsOf[at] as readonly number[];
    finish(features[at] as FeaturePlan, slots, merged, asOf, values, statuses);
  }
  const capped =
    capping.length === 0 ? capping : capping.filter((at) => isCapped(read, at, merged));
  return { values, statuses, capped };
}

function isFound({ presence }: ReadShape, merged: readonly unknown[]): boolean {
  for (const slot of presence) if (merged[slot] !== 0) return true;
  return false;
}

const isCapped = ({ plan, slotsOf }: ReadShape, at: number, merged: readonly unknown[]): boolean =>
  slotsOf[at]?.some((slot) => plan.features[at]?.aggregate.isCapped?.(merged[slot])) === true;
