import { err, ok, type Result } from "../result.ts";

/** A number as it was written, where JSON.parse would have changed it or its digits. */
export interface NumberText {
  readonly rawJSON: string;
}

interface ExactJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): NumberText;
  isRawJSON(value: unknown): value is NumberText;
}

const exactJson = JSON as unknown as ExactJson;

const MAX_DEPTH = 64;

/** Pure. Whether brackets nest deeper than MAX_DEPTH; strings are passed over. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 92) i += 1;
      else if (c === 34) inString = false;
    } else if (c === 34) inString = true;
    else if (c === 123 || c === 91) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (c === 125 || c === 93) depth -= 1;
  }
  return false;
}

/**
 * Pure. JSON whose numbers keep their text wherever a double would not give it back; refuses what
 * is no JSON, or nests deeper than 64. Names like `__proto__` become plain properties.
 */
export function parseExactJson(text: string): Result<unknown, string> {
  if (isTooDeep(text)) return err(`nested deeper than ${MAX_DEPTH}`);
  try {
    return ok(
      exactJson.parse(text, (_key, value, { source }) =>
        typeof value === "number" && source !== undefined && String(value) !== source
          ? exactJson.rawJSON(source)
          : value,
      ),
    );
  } catch (error) {
    return err(error instanceof SyntaxError ? syntaxProblem(error) : "not JSON");
  }
}

/** The engine's message may quote the text, which may hold personal data: only the place is kept. */
function syntaxProblem(error: SyntaxError): string {
  const place = / in JSON at position (\d+)(?: \(line \d+ column \d+\))?$/.exec(error.message)?.[1];
  return place === undefined ? "not JSON" : `not JSON at position ${place}`;
}

/** Pure. The text of a number that parseExactJson read; null for anything else. */
export function numberText(value: unknown): string | null {
  if (typeof value === "number") return String(value);
  return exactJson.isRawJSON(value) ? value.rawJSON : null;
}
