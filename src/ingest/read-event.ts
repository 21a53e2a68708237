import type { z } from "zod";
import type { LogEvent } from "../features/event-log.ts";
import { exactToText, parseExact } from "../features/exact.ts";
import type { Field } from "../features/fields.ts";
import { keyOf } from "../features/fold-view.ts";
import type { Registry } from "../features/registry.ts";
import type { SourcePlan } from "../features/source-plan.ts";
import { recordToText, type SourceRecord } from "../features/source-record.ts";
import type { Vault } from "../governance/vault.ts";
import { err, ok, type Result } from "../result.ts";
import { MINUTE_MS, parseInstant } from "../time.ts";
import { digest } from "../digest.ts";
import { numberText } from "./exact-json.ts";

/** Why an event is not accepted: a stable code, and a sentence without any of its values. */
export interface Rejection {
  readonly code: "invalid_event" | "event_in_future" | "event_too_large" | "event_id_conflict";
  readonly detail: string;
}

/** How far a sender's clock may be ahead of ours. */
export const MAX_AHEAD_MS = 5 * MINUTE_MS;

const MAX_ID_LENGTH = 256;

/** Quoted once more, even a body of nothing but quotes fits in a queue message of 128,000 bytes. */
const MAX_BODY_BYTES = 60_000;

const invalid = (detail: string): Result<never, Rejection> =>
  err({ code: "invalid_event", detail });

type Kept = Record<string, SourceRecord[string]>;

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

function readValues(source: SourcePlan, value: unknown): Result<Kept, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return err("expected an object");
  }
  const { record, texts, vectors } = separateNumbers(source.fields, value);
  const parsed = source.schema.safeParse(record);
  if (!parsed.success) return err(problemOf(parsed.error));
  const kept: Kept = {};
  for (const field of source.fields) {
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

interface Timing {
  readonly eventTime: number;
  readonly originalEventTime: number | null;
}

/** The event's time; up to five minutes ahead of ours it is ours, further ahead it is refused. */
function timingOf(source: SourcePlan, kept: Kept, ingestTime: number): Result<Timing, Rejection> {
  const field = source.fields.find(({ name }) => name === source.eventTimeField);
  const sent = kept[source.eventTimeField] ?? "";
  const instant = parseInstant(field?.kind === "number" ? Number(sent) : String(sent));
  if (!instant.ok) return invalid(`${source.eventTimeField}: ${instant.error}`);
  if (instant.value > ingestTime + MAX_AHEAD_MS) {
    const detail = `${source.eventTimeField}: more than five minutes ahead of our clock`;
    return err({ code: "event_in_future", detail });
  }
  if (instant.value <= ingestTime) return ok({ eventTime: instant.value, originalEventTime: null });
  return ok({ eventTime: ingestTime, originalEventTime: instant.value });
}

/** What is wrong with the entity keys that the views would take from the record, if anything. */
function keyProblem(registry: Registry, source: SourcePlan, record: SourceRecord): string | null {
  for (const view of registry.viewsBySource.get(source.name) ?? []) {
    try {
      keyOf(view, record);
    } catch (error) {
      return `${view.keyColumns.join(", ")}: ${error instanceof Error ? error.message : "refused"}`;
    }
  }
  return null;
}

export interface ReadEventInput {
  readonly tenant: string;
  readonly source: SourcePlan;
  /** As parseExactJson read it. */
  readonly value: unknown;
  /** Epoch ms. */
  readonly ingestTime: number;
  /** When it was known, for imports; null for live events. */
  readonly knownAt: number | null;
}

/**
 * Validates and masks one record: the event as the log will keep it, or why it is refused. Numbers
 * are taken from their text; fields that the source does not declare are left out.
 */
export async function readEvent(
  ctx: { readonly registry: Registry; readonly vault: Vault },
  input: ReadEventInput,
): Promise<Result<LogEvent, Rejection>> {
  const { tenant, source, ingestTime, knownAt } = input;
  const kept = readValues(source, input.value);
  if (!kept.ok) return invalid(kept.error);
  const timing = timingOf(source, kept.value, ingestTime);
  if (!timing.ok) return timing;
  const masked = await ctx.vault.mask(tenant, kept.value, source.fields);
  const record = masked as SourceRecord;
  const problem = keyProblem(ctx.registry, source, record);
  if (problem !== null) return invalid(problem);
  const body = recordToText(record);
  if (new TextEncoder().encode(body).length > MAX_BODY_BYTES) {
    return err({ code: "event_too_large", detail: `over ${MAX_BODY_BYTES} bytes` });
  }
  const bodyHash = await digest(body);
  const eventId = source.idField === null ? bodyHash : String(record[source.idField]);
  if (eventId === "" || eventId.length > MAX_ID_LENGTH) {
    return invalid(`${source.idField}: an event id has 1 to ${MAX_ID_LENGTH} characters`);
  }
  return ok({
    tenant,
    source: source.name,
    eventId,
    ...timing.value,
    ingestTime,
    orderKey: eventId,
    sign: 1,
    body,
    bodyHash,
    knownAt,
  });
}
