import { createReadStream } from "node:fs";
import { parse, type Info } from "csv-parse";
import { UsageError } from "../args.ts";
import { cellText, type Cell, type TableRow } from "./table.ts";

interface Parsed {
  readonly record: readonly string[];
  readonly info: Info;
}

/** The rows of a CSV file with a header (RFC 4180, UTF-8). Throws a UsageError where it is none. */
export async function* readCsv(path: string): AsyncGenerator<TableRow> {
  const options = { bom: true, info: true, relax_column_count: true, skip_empty_lines: true };
  const source = createReadStream(path);
  const parser = source.pipe(parse(options));
  source.on("error", (error) => parser.destroy(error));
  let header: readonly string[] | null = null;
  try {
    for await (const { record, info } of parser as AsyncIterable<Parsed>) {
      if (header === null) {
        header = checkHeader(path, record);
        continue;
      }
      const cells = Object.fromEntries(header.map((name, i) => [name, record[i] ?? null]));
      const fits = record.length === header.length;
      const problem = `it has ${record.length} cells, and the header ${header.length}`;
      yield { line: info.lines, cells, ...(!fits && { problem }) };
    }
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    if (!String(error.code).startsWith("CSV_")) throw error;
    throw new UsageError(`${path}: ${error.message}`);
  }
  if (header === null) throw new UsageError(`${path} is empty: its first line names the columns`);
}

function checkHeader(path: string, header: readonly string[]): readonly string[] {
  const twice = header.find((name, i) => header.indexOf(name) !== i);
  if (twice === undefined) return header;
  throw new UsageError(`${path}: the column "${twice}" is there twice`);
}

const NEEDS_QUOTES = /[",\r\n]/;

function quoted(text: string): string {
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Pure. A line of a CSV file. */
export const csvLine = (cells: readonly Cell[]): string =>
  `${cells.map((cell) => quoted(cellText(cell))).join(",")}\n`;
