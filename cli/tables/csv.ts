import { Readable } from "node:stream";
import { parse, type Info } from "csv-parse";
import { UsageError } from "../args.ts";
import type { DeclaredColumn } from "./kind.ts";
import { readUtf8 } from "./read-utf8.ts";
import { cellText, type Cell, type TableRow } from "./table.ts";

interface Parsed {
  readonly record: readonly string[];
  readonly info: Info;
}

/** The records of a CSV file, the header first. */
async function* readRecords(path: string): AsyncGenerator<Parsed> {
  const options = { bom: true, info: true, relax_column_count: true, skip_empty_lines: true };
  const source = Readable.from(readUtf8(path));
  const parser = source.pipe(parse(options));
  source.on("error", (error) => parser.destroy(error));
  parser.on("close", () => source.destroy());
  let isEmpty = true;
  try {
    for await (const parsed of parser as AsyncIterable<Parsed>) {
      isEmpty = false;
      yield parsed;
    }
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    if (!String(error.code).startsWith("CSV_")) throw error;
    throw new UsageError(`${path}: ${error.message}`);
  }
  if (isEmpty) throw new UsageError(`${path} is empty: its first line names the columns`);
}

/** The columns that the header names. Throws a UsageError where there is none. */
export async function readCsvColumns(path: string): Promise<readonly DeclaredColumn[]> {
  for await (const { record } of readRecords(path)) {
    return checkHeader(path, record).map((name) => ({ name, kind: null }));
  }
  return [];
}

/** The rows of a CSV file with a header (RFC 4180, UTF-8). Throws a UsageError where it is none. */
export async function* readCsv(path: string): AsyncGenerator<TableRow> {
  let header: readonly string[] | null = null;
  for await (const { record, info } of readRecords(path)) {
    if (header === null) {
      header = checkHeader(path, record);
      continue;
    }
    const cells = Object.fromEntries(header.map((name, i) => [name, record[i] ?? null]));
    const fits = record.length === header.length;
    const problem = `it has ${record.length} cells, and the header ${header.length}`;
    yield { line: info.lines, cells, ...(!fits && { problem }) };
  }
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
