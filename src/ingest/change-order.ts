import { exactToText, parseExact } from "../features/exact.ts";
import type { Field } from "../features/fields.ts";
import { err, ok, type Result } from "../result.ts";
import { parseInstant } from "../time.ts";
import { numberText } from "./exact-json.ts";

const MAX_PARTS = 4;
const MAX_DIGITS = 38;

/** Milliseconds from the year 0 to 1970, so that no date-time is negative. */
const YEAR_0_MS = 62_167_219_200_000n;
const LSN = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i;
const FRACTION_BELOW_MS = /\.\d{3}(\d{1,6})/;

/** How long the number is, then the number: longer ones are greater. */
function sortable(whole: bigint): string {
  const digits = whole.toString();
  return `${String(digits.length).padStart(2, "0")}${digits}`;
}

/** Nanoseconds; what is finer is cut off. */
function instantOf(text: string): Result<bigint, string> {
  const instant = parseInstant(text);
  if (!instant.ok) return instant;
  const below = FRACTION_BELOW_MS.exec(text)?.[1] ?? "";
  return ok((BigInt(instant.value) + YEAR_0_MS) * 1_000_000n + BigInt(below.padEnd(6, "0")));
}

function wholeOf(text: string): Result<bigint, string> {
  const exact = parseExact(text);
  const digits = exact.ok ? exactToText(exact.value) : "";
  return /^\d+$/.test(digits) && digits.length <= MAX_DIGITS
    ? ok(BigInt(digits))
    : err(`expected a whole number from 0, of at most ${MAX_DIGITS} digits`);
}

/** A Postgres log sequence number as the whole number that it stands for. */
function lsnOf(text: string): bigint | null {
  const [, high, low] = LSN.exec(text) ?? [];
  return high === undefined || low === undefined
    ? null
    : (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}

const FORMS = "expected a whole number, a log sequence number as 16/B374D848, or a date-time";

function partOf(value: unknown, column: Field | null): Result<bigint, string> {
  const text = numberText(value) ?? (typeof value === "string" ? value : null);
  if (text === null) return err(FORMS);
  if (column !== null) return column.kind === "time" ? instantOf(text) : wholeOf(text);
  if (typeof value !== "string" || /^\d+$/.test(text)) return wholeOf(text);
  const lsn = lsnOf(text);
  if (lsn !== null) return ok(lsn);
  const instant = instantOf(text);
  return instant.ok ? instant : err(FORMS);
}

/**
 * Pure. A change's order as text that sorts as the orders do: a whole number of up to 38 digits, a
 * Postgres LSN, a date-time with offset (to the nanosecond), or a list of these, compared from the
 * first to the last; of the column that orders the source, what that column holds.
 */
export function orderText(value: unknown, column: Field | null): Result<string, string> {
  const parts: readonly unknown[] = column === null && Array.isArray(value) ? value : [value];
  if (parts.length === 0 || parts.length > MAX_PARTS) {
    return err(`expected a list of 1 to ${MAX_PARTS} numbers`);
  }
  const texts: string[] = [];
  for (const part of parts) {
    const whole = partOf(part, column);
    if (!whole.ok) return whole;
    texts.push(sortable(whole.value));
  }
  return ok(texts.join("."));
}
