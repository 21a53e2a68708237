import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { csvLine } from "./csv.ts";
import type { Kind } from "./kind.ts";
import { writeParquet } from "./write-parquet.ts";
import { jsonText, type Cell, type Format } from "./table.ts";

/** A column of a table that is written; its kind matters where the format has types. */
export interface OutputColumn {
  readonly name: string;
  readonly kind: Kind;
}

const TEXT_CHUNK = 64 * 1024;

async function* chunked(head: string, lines: AsyncIterable<string>): AsyncGenerator<string> {
  let text = head;
  for await (const line of lines) {
    text += line;
    if (text.length < TEXT_CHUNK) continue;
    yield text;
    text = "";
  }
  yield text;
}

/** Writes rows, cells in the order of the columns, as they come. */
export async function writeTable(
  path: string,
  format: Format,
  columns: readonly OutputColumn[],
  rows: AsyncIterable<readonly Cell[]>,
): Promise<void> {
  if (format === "parquet") return writeParquet(path, columns, rows);
  const names = columns.map(({ name }) => name);
  async function* lines(): AsyncGenerator<string> {
    for await (const row of rows) {
      yield format === "csv"
        ? csvLine(row)
        : `${jsonText(Object.fromEntries(names.map((name, i) => [name, row[i] ?? null])))}\n`;
    }
  }
  const head = format === "csv" ? csvLine(names) : "";
  await pipeline(Readable.from(chunked(head, lines())), createWriteStream(path));
}
