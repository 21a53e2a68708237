import type { FieldError } from "../errors.ts";
import { err, ok, type Result } from "../result.ts";
import type { CollectionPlan, FilterField } from "./collection-plan.ts";
import type { FieldValue } from "./filter.ts";
import { readScalar, readText, readTime, type ValueError } from "./read-value.ts";
import { readVector } from "./read-vector.ts";

/** A document as it is indexed. */
export interface ReadDocument {
  /** Null where the collection has no title field, or the document none. */
  readonly title: string | null;
  /** The other text fields, a blank line between them; where all are blank, the title. */
  readonly text: string;
  /** What was sent, without the vector, as JSON in the collection's order; times in epoch ms. */
  readonly body: string;
  readonly fields: Readonly<Record<string, FieldValue>>;
  readonly expiresAt: number | null;
  /** Of unit length; null: the embedder gives it. */
  readonly vector: readonly number[] | null;
}

/** All text of a document, in UTF-16 units, as all lengths here. */
export const MAX_TEXT = 1_048_576;
const MAX_STRING = 1_024;
const MAX_ITEM = 512;
const MAX_ITEMS = 100;
const MAX_ERRORS = 100;

/**
 * Pure. The document in a JSON object without its id. Null is absence; at least one text field is
 * not blank. Errors name the member, as `vector[3]`, and what would be right.
 */
export function readDocument(
  plan: CollectionPlan,
  input: unknown,
): Result<ReadDocument, readonly FieldError[]> {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return err([{ path: "", code: "wrong_type", detail: "expected an object" }]);
  }
  const members = new Map(Object.entries(input).filter(([, value]) => (value ?? null) !== null));
  const errors: FieldError[] = unknownMembers(plan, members);
  const read = <T>(name: string, reader: (value: unknown) => Result<T, MemberError>): T | null => {
    const value = members.has(name) ? reader(members.get(name)) : null;
    if (value === null || value.ok) return value?.value ?? null;
    const { at = "", code, detail } = value.error;
    errors.push({ path: `${name}${at}`, code, detail });
    return null;
  };

  const texts = textNames(plan).map((name) => ({ name, value: read(name, readText) }));
  const values = plan.fields.map((field) => ({
    name: field.name,
    value: read(field.name, (value) => readField(field, value)),
  }));
  const expiresAt = read("expires_at", readTime);
  const vector = vectorOf(plan, members.get("vector"));
  checkTexts(texts, errors);
  if (!vector.ok) errors.push(...vector.error);
  if (!vector.ok || errors.length > 0) return err(errors.slice(0, MAX_ERRORS));

  const fields: Record<string, FieldValue> = {};
  for (const { name, value } of values) if (value !== null) fields[name] = value;
  const accepted = [...texts, ...values, { name: "expires_at", value: expiresAt }];
  const present = accepted.filter(({ value }) => value !== null);
  const body = JSON.stringify(Object.fromEntries(present.map(({ name, value }) => [name, value])));
  return ok({ ...titleAndText(plan, texts), body, fields, expiresAt, vector: vector.value });
}

interface MemberError extends ValueError {
  /** Where in a list, as `[1]`. */
  readonly at?: string;
}

interface Text {
  readonly name: string;
  readonly value: string | null;
}

const textNames = ({ titleField, textFields }: CollectionPlan): readonly string[] =>
  titleField === null ? textFields : [titleField, ...textFields];

const isBlank = (text: string | null): boolean => text === null || text.trim() === "";

function titleAndText({ titleField }: CollectionPlan, texts: readonly Text[]) {
  const written = texts.filter(({ value }) => !isBlank(value));
  const title = written.find(({ name }) => name === titleField)?.value ?? null;
  const others = written.filter(({ name }) => name !== titleField);
  const text = others.length === 0 ? (title ?? "") : others.map((one) => one.value).join("\n\n");
  return { title, text };
}

function checkTexts(texts: readonly Text[], errors: FieldError[]): void {
  const names = texts.map(({ name }) => name).join(", ");
  const path = texts[0]?.name ?? "";
  const total = texts.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
  if (total > MAX_TEXT) {
    const detail = `the text has at most ${MAX_TEXT} UTF-16 units, not ${total}`;
    errors.push({ path, code: "too_long", detail });
  }
  if (texts.every(({ value }) => isBlank(value)) && !errors.some((e) => isText(texts, e))) {
    errors.push({ path, code: "required", detail: `expected text in at least one of ${names}` });
  }
}

const isText = (texts: readonly Text[], { path }: FieldError): boolean =>
  texts.some(({ name }) => name === path);

function unknownMembers(plan: CollectionPlan, members: ReadonlyMap<string, unknown>): FieldError[] {
  const known = [
    ...textNames(plan),
    ...plan.fields.map(({ name }) => name),
    "expires_at",
    "vector",
  ];
  const detail = `a document of "${plan.name}" has ${known.join(", ")}`;
  return [...members.keys()]
    .filter((name) => !known.includes(name))
    .slice(0, MAX_ERRORS)
    .map((path) => ({ path, code: "unknown_field", detail }));
}

function readField({ kind }: FilterField, value: unknown): Result<FieldValue, MemberError> {
  if (kind === "string[]") return readList(value);
  const scalar = readScalar(kind, value);
  if (typeof value !== "string" || kind !== "string" || value.length <= MAX_STRING) return scalar;
  return err({ code: "too_long", detail: `expected at most ${MAX_STRING} characters` });
}

function readList(value: unknown): Result<readonly string[], MemberError> {
  if (!Array.isArray(value)) return err({ code: "wrong_type", detail: "expected a list of text" });
  if (value.length > MAX_ITEMS) {
    return err({ code: "too_many", detail: `expected at most ${MAX_ITEMS} texts` });
  }
  const items: string[] = [];
  for (const [i, item] of value.entries()) {
    const text = readText(item);
    if (!text.ok) return err({ ...text.error, at: `[${i}]` });
    if (text.value.length > MAX_ITEM) {
      return err({
        at: `[${i}]`,
        code: "too_long",
        detail: `expected at most ${MAX_ITEM} characters`,
      });
    }
    items.push(text.value);
  }
  return ok(items);
}

function vectorOf(
  { name, chunk, embedder }: CollectionPlan,
  value: unknown,
): Result<readonly number[] | null, readonly FieldError[]> {
  if (value === undefined && embedder.kind !== "client") return ok(null);
  if (value === undefined) {
    const detail = `expected a list of ${embedder.dimensions} finite numbers`;
    return err([{ path: "vector", code: "required", detail }]);
  }
  if (chunk === "none") return readVector(value, embedder.dimensions);
  const detail = `"${name}" splits its documents, and a vector stands for a whole one: leave it out`;
  return err([{ path: "vector", code: "not_allowed", detail }]);
}
