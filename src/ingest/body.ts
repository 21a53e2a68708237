import { AppError } from "../errors.ts";
import { err, ok, type Result } from "../result.ts";
import { parseExactJson } from "./exact-json.ts";

/** A record as it was sent: its value and text, or what is wrong with its line. */
export type SentRecord = Result<unknown, string> & { readonly text: string };

/** The most records that one request may hold. */
export const MAX_RECORDS = 1_000;

const isNdjson = (contentType: string): boolean =>
  /^application\/(x-ndjson|ndjson|jsonl|x-jsonlines)\b/i.test(contentType.trim());

const isJson = (contentType: string): boolean =>
  /^application\/([a-z0-9.+-]+\+)?json\b/i.test(contentType.trim());

function readLines(text: string): SentRecord[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => ({ ...parseExactJson(line), text: line }));
}

function readJson(text: string): SentRecord[] {
  const parsed = parseExactJson(text);
  if (!parsed.ok) throw new AppError("invalid_request", `the body is ${parsed.error}`);
  const values = Array.isArray(parsed.value) ? (parsed.value as unknown[]) : [parsed.value];
  // Numbers that were kept as text are written back as they came.
  return values.map((value) => ({ ...ok(value), text: JSON.stringify(value) ?? "null" }));
}

/**
 * Pure. The records of a request body: a JSON object, an array of them, or NDJSON. A line that is
 * no JSON is a record that failed. Throws AppError for a body that is none of these.
 */
export function readRecords(contentType: string, body: Uint8Array): readonly SentRecord[] {
  if (!isNdjson(contentType) && !isJson(contentType)) {
    throw new AppError("unsupported_media_type", "send application/json or application/x-ndjson");
  }
  const text = decodeUtf8(body);
  if (!text.ok) throw new AppError("invalid_request", text.error);
  const records = isNdjson(contentType) ? readLines(text.value) : readJson(text.value);
  if (records.length > MAX_RECORDS) {
    throw new AppError("payload_too_large", `send at most ${MAX_RECORDS} events in a request`);
  }
  return records;
}

function decodeUtf8(body: Uint8Array): Result<string, string> {
  try {
    return ok(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(body));
  } catch {
    return err("the body is not valid UTF-8");
  }
}
