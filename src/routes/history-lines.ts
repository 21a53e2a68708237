import type { z } from "@hono/zod-openapi";
import { AppError, type FieldError } from "../errors.ts";
import type { RowAnswer } from "../features/columns.ts";
import type { HistoryRow } from "../features/history/prepare-row.ts";
import type { HistoryReader } from "../features/read-history.ts";
import type { Result } from "../result.ts";
import { historyRow } from "./history-schemas.ts";
import { withLongKeys } from "./middleware/query-body.ts";
import { fieldErrorsOf } from "./problem.ts";

/** Rows that are read, computed and answered at a time. */
const BATCH = 1_000;
/** The most rows of one request: more are sent in several. */
const MAX_ROWS = 100_000;
const MAX_LINE_CHARS = 64 * 1024;

/**
 * The lines of a stream of UTF-8 text, without those that are blank. Throws AppError
 * `invalid_request` where it is none, `payload_too_large` for a line over 64 KB.
 */
export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let text = "";
  const checked = (line: string): string => {
    if (line.length <= MAX_LINE_CHARS) return line;
    throw new AppError("payload_too_large", `a line is over ${MAX_LINE_CHARS} characters`);
  };
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      throw new AppError("invalid_request", "the body is not valid UTF-8");
    }
  };
  for await (const bytes of stream as unknown as AsyncIterable<Uint8Array>) {
    text += decode(bytes);
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield checked(line);
    checked(text);
  }
  text += decode();
  if (text.trim() !== "") yield text;
}

/** Pure. A line as its schema reads it, or everything that is wrong with it. */
export function readLine<S extends z.ZodType>(
  schema: S,
  line: string,
): Result<z.output<S>, readonly FieldError[]> {
  let value: unknown;
  try {
    value = JSON.parse(withLongKeys(line));
  } catch {
    return { ok: false, error: [{ path: "", code: "invalid_json", detail: "it is not JSON" }] };
  }
  const parsed = schema.safeParse(value);
  return parsed.success
    ? { ok: true, value: parsed.data }
    : { ok: false, error: fieldErrorsOf(parsed.error) };
}

type Refused = { readonly ok: false; readonly error: readonly FieldError[] };

/** Pure. A row as the wire has it. */
export const printRow = ({ values, statuses, capped }: RowAnswer) => ({
  values,
  statuses,
  ...(capped.length > 0 && { capped }),
});

/** Pure. A row as a client sends it, in the code's names. */
export const rowOf = (row: z.output<typeof historyRow>): HistoryRow => ({
  entity: row.entity,
  at: row.at,
  knownAt: row.known_at,
  version: row.version,
  request: row.request,
});

/**
 * The answer's lines: the names, then for each row in its order what it is or why it is refused, and
 * at the end how many there were: an answer without that line was cut. Holds a thousand rows. Tells
 * at the end what is degraded in any of them.
 */
export async function* answerLines(
  reader: HistoryReader,
  lines: AsyncIterator<string>,
  onDegraded: (names: Iterable<string>) => void,
): AsyncGenerator<string> {
  yield `${JSON.stringify({ names: reader.names })}\n`;
  const degraded = new Set<string>();
  let [first, refused] = [0, 0];
  for (let done = false; !done;) {
    const batch: (Result<HistoryRow, never> | Refused)[] = [];
    while (batch.length < BATCH) {
      const line = await lines.next();
      done = line.done === true;
      if (line.done === true) break;
      const read = readLine(historyRow, line.value);
      batch.push(read.ok ? { ok: true, value: rowOf(read.value) } : read);
    }
    if (first + batch.length > MAX_ROWS) {
      throw new AppError("payload_too_large", `send at most ${MAX_ROWS} rows in a request`);
    }
    if (batch.length === 0) break;
    const answer = await reader.read(
      batch.flatMap((row) => (row.ok ? [row.value] : [])),
      () => "",
    );
    for (const name of answer.degraded) degraded.add(name);
    const computed = answer.rows.values();
    let text = "";
    for (const row of batch) {
      const result = row.ok ? computed.next().value : row;
      if (result?.ok === true) text += `${JSON.stringify(printRow(result.value))}\n`;
      else {
        refused += 1;
        text += `${JSON.stringify({ errors: result?.error ?? [] })}\n`;
      }
    }
    first += batch.length;
    yield text;
  }
  onDegraded(degraded);
  const failed = degraded.size > 0 && { degraded: [...degraded] };
  yield `${JSON.stringify({ done: { rows: first, refused }, ...failed })}\n`;
}
