import { keptBy } from "./aggregates/catalogue.ts";
import type { Aggregation } from "./aggregation.ts";
import type { Field } from "./fields.ts";
import type { Condition, Keeps } from "./plan.ts";
import type { SourceRecord } from "./source-record.ts";
import type { SourcePlan } from "./source-plan.ts";

/** What a view keeps of a text, and of an event's id, where their schema sets no bound: bytes. */
const TEXT_BYTES = 256;
const ID_BYTES = 128;

/** `t1_` and 22 characters. */
const TOKEN_BYTES = 25;
/** A date-time with an offset, to the picosecond; or a number of 38 digits. */
const PLAIN_BYTES = 41;
/** 128 bits in hex. */
const HASH_BYTES = 32;
/** No id has more characters, of three bytes each; no row's key more bytes. */
const MAX_ID_BYTES = 768;
const MAX_KEY_BYTES = 512;

function fieldBytes({ kind, pii, maxBytes }: Field, unbounded: number): number {
  if (kind !== "string") return PLAIN_BYTES;
  return pii === "token" ? TOKEN_BYTES : (maxBytes ?? unbounded);
}

/** Pure. The most bytes of the order keys of a source's events; of pairs, of both their sides'. */
export function orderBytes(
  { idField, fields, table }: SourcePlan,
  sides: readonly SourcePlan[] = [],
): number {
  if (sides.length > 0) return sides.reduce((sum, side) => sum + orderBytes(side), 1);
  const columns = table?.key ?? (idField === null ? [] : [idField]);
  if (columns.length === 0) return HASH_BYTES;
  const named = fields.filter(({ name }) => columns.includes(name));
  const bytes = named.reduce((sum, field) => sum + 1 + fieldBytes(field, ID_BYTES), -1);
  return Math.min(bytes, table === null ? MAX_ID_BYTES : MAX_KEY_BYTES);
}

/** Pure. What an aggregate's partial keeps of each event, at most so many bytes of it. */
export function keepsOf({ aggregate }: Aggregation, field: Field | null, order: number): Keeps {
  const kept = keptBy(aggregate);
  const isText = field?.kind === "string" || field?.kind === "time";
  return {
    text: kept !== null && isText ? fieldBytes(field, TEXT_BYTES) : null,
    order: kept === "event" ? order : null,
  };
}

/** A text that is longer than what may be kept of it: a field's, or an event's order key (null). */
export interface Excess {
  readonly field: string | null;
  readonly maxBytes: number;
}

/** What UTF-8 takes at most for a UTF-16 unit. */
const BYTES_PER_UNIT = 3;
const encoder = new TextEncoder();

/** Pure. Whether a text has more bytes of UTF-8 than so many. */
const isLonger = (text: string, maxBytes: number): boolean =>
  text.length * BYTES_PER_UNIT > maxBytes && encoder.encode(text).length > maxBytes;

/** A null is like no value, not even like an empty text, and not unlike one either. */
export const matches = (conditions: readonly Condition[], record: SourceRecord): boolean =>
  conditions.every(({ field, values, negated = false }) => {
    const value = record[field] ?? null;
    return value !== null && values.includes(value as string | boolean) !== negated;
  });

/** What a partial keeps of which events; `field` null is of every event. */
export interface Keeping {
  readonly field: Pick<Field, "name"> | null;
  readonly conditions: readonly Condition[];
  readonly keeps: Keeps;
}

/** Pure. What of an event is longer than some partial may keep of it; null where nothing is. */
export function excessOf(
  partials: readonly Keeping[],
  record: SourceRecord,
  orderKey: string,
): Excess | null {
  for (const { field, conditions, keeps } of partials) {
    if (keeps.text === null && keeps.order === null) continue;
    const value = field === null ? "" : (record[field.name] ?? null);
    if (value === null || !matches(conditions, record)) continue;
    if (keeps.text !== null && isLonger(value as string, keeps.text)) {
      return { field: field?.name ?? null, maxBytes: keeps.text };
    }
    if (keeps.order !== null && isLonger(orderKey, keeps.order)) {
      return { field: null, maxBytes: keeps.order };
    }
  }
  return null;
}
