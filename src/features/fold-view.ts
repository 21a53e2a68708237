import type { FieldValue, Observation } from "./aggregates/aggregate.ts";
import { canonicalKey } from "./entity-key.ts";
import type { LogEvent } from "./event-log.ts";
import { parseExact, type Exact } from "./exact.ts";
import { excessOf, matches } from "./kept-text.ts";
import type { KeptField, PartialPlan, ViewPlan } from "./plan.ts";
import type { SourceRecord } from "./source-record.ts";
import { keptFrom, partialAt, type ViewState } from "./state.ts";
import { tileStart } from "./window.ts";

/** An event with its record read. */
export interface ReadEvent {
  readonly event: LogEvent;
  readonly record: SourceRecord;
}

/**
 * Pure. The canonical key that these columns make in a record; null where one of them is null.
 * Throws a RangeError for a key that is refused (accepting the event should have refused it).
 */
export function keyOf(
  { keyColumns }: Pick<ViewPlan, "keyColumns">,
  record: SourceRecord,
): string | null {
  const parts: string[] = [];
  for (const column of keyColumns) {
    const part = record[column] ?? null;
    if (part === null) return null;
    parts.push(String(part));
  }
  const key = canonicalKey(parts);
  if (!key.ok) throw new RangeError(key.error);
  return key.value;
}

const isNumeric = (field: KeptField): boolean => field.kind !== "string" && field.kind !== "time";

function fieldValue(field: KeptField, value: NonNullable<SourceRecord[string]>): FieldValue {
  if (typeof value === "boolean") return value;
  if (typeof value === "object") {
    if (value.length === field.dimensions) return value.map((text) => exactOfField(field, text));
    throw new RangeError(`${field.name}: expected ${field.dimensions} numbers`);
  }
  return isNumeric(field) ? exactOfField(field, value) : value;
}

function exactOfField(field: KeptField, text: string): Exact {
  const exact = parseExact(text);
  // The message is kept in clear: it names the field, never its value.
  if (!exact.ok) throw new RangeError(`${field.name}: ${exact.error}`);
  return exact.value;
}

/** What a partial takes of the event: null where its condition or its field's null leaves it out. */
function observe(
  partial: PartialPlan,
  event: EventFacts,
  record: SourceRecord,
): Observation | null {
  const { field, conditions } = partial;
  const value = field === null ? true : (record[field.name] ?? null);
  if (value === null || !matches(conditions, record)) return null;
  return {
    value: field === null ? true : fieldValue(field, value),
    time: event.eventTime,
    order: event.orderKey,
  };
}

/** What folding needs of an event besides its record. */
export type EventFacts = Pick<LogEvent, "source" | "sign" | "eventTime" | "orderKey">;

/** For each partial of the plan, what it takes of an event. */
export type Observations = readonly (Observation | null)[];

/**
 * Pure. What the view's partials take of an event of the entity `key`; null where the view takes
 * nothing of it, because its source or key is another, or it would keep too long a text of it (which
 * nobody may send, but past events have: what takes them back is passed over likewise). Throws a RangeError for an event that cannot
 * be added, or taken back.
 */
export function observeEvent(
  plan: ViewPlan,
  key: string,
  event: EventFacts,
  record: SourceRecord,
): Observations | null {
  if (event.source !== plan.sourceId || keyOf(plan, record) !== key) return null;
  if (event.sign !== 1 && !plan.isSigned) {
    throw new RangeError("events of this source cannot be retracted");
  }
  if (excessOf(plan.partials, record, event.orderKey) !== null) return null;
  return plan.partials.map((partial) => observe(partial, event, record));
}

/** Pure, but for `state`, which it changes: adds what observeEvent found, into every size of tile. */
export function addObservations(
  plan: ViewPlan,
  state: ViewState,
  time: number,
  observations: Observations,
): void {
  state.newest = Math.max(state.newest ?? time, time);
  const horizon = Math.max(state.horizon ?? time, time);
  state.horizon = horizon;
  for (const [i, level] of plan.levels.entries()) {
    const tiles = state.levels[i];
    const start = tileStart(level.sizeMs, time);
    const from = keptFrom(level.sizeMs, level.windows, horizon);
    if (tiles === undefined || start < from) continue;
    const partials = tiles.get(start) ?? level.partials.map((at) => partialAt(plan, at).empty());
    for (const [j, at] of level.partials.entries()) {
      const seen = observations[at];
      if (seen) partials[j] = partialAt(plan, at).add(partials[j], seen);
    }
    tiles.set(start, partials);
  }
}

/**
 * Pure, but for `state`, which it changes. Adds one event (+1) of the entity `key` to the view's
 * state; answers whether the view takes it (its source and key are the view's). An event older than every
 * window changes nothing but is taken. Throws a RangeError for an event that cannot be added.
 */
export function addEvent(plan: ViewPlan, state: ViewState, key: string, read: ReadEvent): boolean {
  const { event, record } = read;
  const observations = observeEvent(plan, key, event, record);
  if (observations === null) return false;
  state.ingested = Math.max(state.ingested, event.ingestTime);
  addObservations(plan, state, event.eventTime, observations);
  return true;
}

/** Drops what no read can cover any more; done once after a fold's events. */
export function dropUnreachable(plan: ViewPlan, state: ViewState): void {
  const { horizon } = state;
  if (horizon === null) return;
  for (const [i, { sizeMs, partials, windows, windowsOf }] of plan.levels.entries()) {
    const from = keptFrom(sizeMs, windows, horizon);
    const shorter = partials.flatMap((at, j) => {
      const ownFrom = keptFrom(sizeMs, windowsOf[j] ?? windows, horizon);
      return ownFrom > from ? [{ j, ownFrom, aggregate: partialAt(plan, at) }] : [];
    });
    for (const [start, held] of state.levels[i] ?? []) {
      if (start < from) state.levels[i]?.delete(start);
      for (const { j, ownFrom, aggregate } of shorter) {
        if (start < ownFrom) held[j] = aggregate.empty();
      }
    }
  }
}
