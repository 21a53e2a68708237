import { AppError } from "../errors.ts";
import type { RecordToAccept } from "../ingest/accept.ts";
import { MAX_RECORDS } from "../ingest/body.ts";
import { numberText, parseExactJson } from "../ingest/exact-json.ts";
import { err, ok, type Result } from "../result.ts";
import { parseInstant } from "../time.ts";
import { utf8 } from "./middleware/body.ts";

/**
 * Pure. The records of `{"events":[{"event":{…},"known_at":…}]}`, their numbers exact. An entry
 * without an event or a time is a record that failed. Throws AppError for a body of another form.
 */
export function readImport(contentType: string, body: Uint8Array): readonly RecordToAccept[] {
  if (!/^application\/json\b/i.test(contentType.trim())) {
    throw new AppError("unsupported_media_type", "send Content-Type: application/json");
  }
  const parsed = parseExactJson(utf8(body));
  if (!parsed.ok) throw new AppError("invalid_request", `the body is ${parsed.error}`);
  const events = isObject(parsed.value) ? parsed.value["events"] : undefined;
  if (!Array.isArray(events)) {
    const detail = 'expected {"events":[{"event":{…},"known_at":…}]}';
    throw new AppError("invalid_request", detail, {
      errors: [{ path: "events", code: "invalid_type", detail: "expected an array" }],
    });
  }
  if (events.length > MAX_RECORDS) {
    throw new AppError("payload_too_large", `send at most ${MAX_RECORDS} events in a request`);
  }
  return events.map(readEntry);
}

function readEntry(entry: unknown): RecordToAccept {
  const { event, known_at: sent } = isObject(entry) ? entry : {};
  const text = JSON.stringify(event ?? entry) ?? "null";
  const knownAt = readKnownAt(sent);
  if (!isObject(event)) return { value: err("event: expected an object"), text, knownAt: null };
  return knownAt.ok
    ? { value: ok(event), text, knownAt: knownAt.value }
    : { value: err(`known_at: ${knownAt.error}`), text, knownAt: null };
}

function readKnownAt(value: unknown): Result<number, string> {
  const digits = numberText(value);
  if (digits !== null) return parseInstant(Number(digits));
  return parseInstant(typeof value === "string" ? value : Number.NaN);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
