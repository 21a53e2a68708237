import { parseInstant } from "../../time.ts";
import { exactToText, type Exact } from "../exact.ts";
import type { KeptField } from "../plan.ts";
import type { FieldValue } from "./aggregate.ts";

/** A text that two values have in common exactly where they are equal. */
export type Identity = (value: FieldValue) => string;

/** A time is its instant in milliseconds, whatever its offset. */
function instantText(text: string): string {
  const instant = parseInstant(text);
  return instant.ok ? String(instant.value) : text;
}

/** Pure. What makes values of a field equal: numbers exactly (1.0 is 1), times as instants. */
export function identityOf(field: KeptField | null): Identity {
  if (field?.kind === "time") return (value) => instantText(value as string);
  return (value) => (typeof value === "object" ? exactToText(value as Exact) : String(value));
}

/** 38 digits, a sign, a point and a zero before it; `false`. */
const NUMBER_BYTES = 1 + 41;
const BOOLEAN_BYTES = 1 + 5;

/** Pure. The most bytes of such a text, packed, where a value itself takes so many. */
export function identityBytes(field: KeptField | null, valueBytes: number): number {
  if (field?.kind === "boolean") return BOOLEAN_BYTES;
  // An instant is shorter than any time; a past event's text that is no time stays as it is.
  const isText = field === null || field.kind === "string" || field.kind === "time";
  return isText ? valueBytes : NUMBER_BYTES;
}
