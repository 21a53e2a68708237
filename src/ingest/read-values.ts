import type { z } from "zod";
import { exactToText, parseExact } from "../features/exact.ts";
import type { Field } from "../features/fields.ts";
import type { SourcePlan } from "../features/source-plan.ts";
import type { SourceRecord } from "../features/source-record.ts";
import { err, ok, type Result } from "../result.ts";
import { numberText } from "./exact-json.ts";

/** What of a source is read: all of its fields, or those that name a row. */
export type RecordShape = Pick<SourcePlan, "schema" | "fields">;

/** A record as it was sent, checked: texts, booleans, and numbers as canonical decimal text. */
export type SentValues = Record<string, SourceRecord[string]>;

/**
 * Each number of a numeric field, or of a vector, becomes what its schema expects; its text is kept
 * beside.
 */
function separateNumbers(fields: readonly Field[], value: object) {
  const record = new Map<string, unknown>(Object.entries(value));
  const texts = new Map<string, string>();
  const vectors = new Map<string, readonly (string | null)[]>();
  for (const { name, kind } of fields) {
    const given = record.get(name);
    if (kind === "vector" && Array.isArray(given)) {
      const components = given.map(numberText);
      vectors.set(name, components);
      record.set(
        name,
        components.map((text, i): unknown => (text === null ? given[i] : Number(text))),
      );
      continue;
    }
    const text = numberText(given);
    if (text === null) continue;
    if (kind === "number") texts.set(name, text);
    record.set(name, kind === "decimal" || kind === "bigint" ? text : Number(text));
  }
  return { record: Object.fromEntries(record), texts, vectors };
}

const problemOf = (error: z.ZodError): string =>
  error.issues
    .slice(0, 5)
    .map(({ path, message, code }) => {
      // The names of undeclared fields are the sender's own words: they may be personal.
      if (code === "unrecognized_keys") return "expected no other fields than the source declares";
      const text = message.replace(/^Invalid input: /, "");
      return path.length === 0 ? text : `${path.join(".")}: ${text}`;
    })
    .join("; ");

/** A number as records keep it, or what is wrong with it. */
function canonicalNumber(text: string): Result<string, string> {
  const exact = parseExact(text);
  return exact.ok ? ok(exactToText(exact.value)) : exact;
}

/** A vector as records keep it, or what is wrong with it. */
function vectorOf(components: readonly (string | null)[]): Result<readonly string[], string> {
  const kept: string[] = [];
  for (const text of components) {
    const number = canonicalNumber(text ?? "");
    if (!number.ok) return number;
    kept.push(number.value);
  }
  return ok(kept);
}

/** A plain field's value as records keep it, or what is wrong with it. */
function scalarOf(
  field: Field,
  value: unknown,
  text: string | undefined,
): Result<string | boolean | null, string> {
  if (value === null || value === undefined) return ok(null);
  if (typeof value === "boolean") return ok(value);
  if (typeof value !== "string" && typeof value !== "number") return err("is not a plain value");
  if (field.kind !== "string" && field.kind !== "time") {
    return canonicalNumber(text ?? String(value));
  }
  const string = String(value);
  if (string.includes("\0")) return err("holds a NUL");
  return string.isWellFormed() ? ok(string) : err("is not valid Unicode");
}

/**
 * Pure. The fields of one record, checked against the schema; numbers are taken from their text, and
 * what the shape does not declare is left out. The error is a sentence without any of the values.
 */
export function readValues(shape: RecordShape, value: unknown): Result<SentValues, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return err("expected an object");
  }
  const { record, texts, vectors } = separateNumbers(shape.fields, value);
  const parsed = shape.schema.safeParse(record);
  if (!parsed.success) return err(problemOf(parsed.error));
  const kept: SentValues = {};
  for (const field of shape.fields) {
    const components = vectors.get(field.name);
    const one =
      components === undefined
        ? scalarOf(field, parsed.data[field.name], texts.get(field.name))
        : vectorOf(components);
    if (!one.ok) return err(`${field.name}: ${one.error}`);
    kept[field.name] = one.value;
  }
  return ok(kept);
}
