import { err, ok, type Result } from "../result.ts";
import { parseInstant } from "../time.ts";
import type { FilterKind } from "./define.ts";
import type { Scalar } from "./filter.ts";

/** What is wrong with a value: a stable code, and what would be right. */
export interface ValueError {
  readonly code: "wrong_type" | "invalid_text" | "invalid_time" | "too_long" | "too_many";
  readonly detail: string;
}

export type ScalarKind = Exclude<FilterKind, "string[]">;

const wrongType = (expected: string): Result<never, ValueError> =>
  err({ code: "wrong_type", detail: `expected ${expected}` });

/** Pure. Text that Postgres can keep: well-formed Unicode without NUL. */
export function readText(value: unknown): Result<string, ValueError> {
  if (typeof value !== "string") return wrongType("text");
  if (value.includes("\0")) return err({ code: "invalid_text", detail: "holds a NUL" });
  if (value.isWellFormed()) return ok(value);
  return err({
    code: "invalid_text",
    detail: "is not valid Unicode: it has half a surrogate pair",
  });
}

/** Pure. A value of a filter field that is no list; a time in epoch milliseconds. */
export function readScalar(kind: ScalarKind, value: unknown): Result<Scalar, ValueError> {
  if (kind === "string") return readText(value);
  if (kind === "time") return readTime(value);
  if (kind === "boolean")
    return typeof value === "boolean" ? ok(value) : wrongType("true or false");
  // Adding 0 makes -0 the same 0 as any other.
  return Number.isFinite(value) ? ok(Number(value) + 0) : wrongType("a finite number");
}

/** Pure. Epoch milliseconds of a time as requests write it. */
export function readTime(value: unknown): Result<number, ValueError> {
  if (typeof value !== "string" && typeof value !== "number") {
    return wrongType("epoch milliseconds or an ISO 8601 date-time with offset");
  }
  const instant = parseInstant(value);
  return instant.ok ? ok(instant.value + 0) : err({ code: "invalid_time", detail: instant.error });
}
