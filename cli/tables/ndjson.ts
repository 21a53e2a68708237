import { parseExactJson } from "../../src/ingest/exact-json.ts";
import { ok, type Result } from "../../src/result.ts";
import { readUtf8 } from "./read-utf8.ts";
import type { TableRow } from "./table.ts";

/** Digits or an exponent that a double may not give back. */
const LONG_NUMBER = /[\d.]{16}|\d[eE]/;

/** Exact where that may matter: to keep every number's text takes several times as long. */
function parseLine(json: string): Result<unknown, string> {
  if (LONG_NUMBER.test(json)) return parseExactJson(json);
  try {
    return ok(JSON.parse(json));
  } catch {
    return parseExactJson(json);
  }
}

async function* readLines(path: string): AsyncGenerator<string> {
  let rest = "";
  for await (const piece of readUtf8(path)) {
    const lines = (rest + piece.toString("utf8")).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  yield rest;
}

/** The rows of a file of JSON objects, one a line. A number that a double would change keeps its text. */
export async function* readNdjson(path: string): AsyncGenerator<TableRow> {
  let line = 0;
  for await (const text of readLines(path)) {
    line += 1;
    const json = line === 1 ? text.replace(/^\uFEFF/, "") : text;
    if (json.trim() === "") continue;
    const parsed = parseLine(json);
    const value = parsed.ok ? parsed.value : null;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      yield { line, cells: value as Record<string, unknown> };
    } else {
      yield {
        line,
        cells: {},
        problem: parsed.ok ? "it is no JSON object" : `it is ${parsed.error}`,
      };
    }
  }
}
