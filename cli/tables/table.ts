import { extname } from "node:path";
import { UsageError } from "../args.ts";

/** A cell as its format has it: JSON's values, and a Parquet file's dates and 64-bit integers. */
export type Cell = unknown;

/** A row of a table: `line` is where it ends in a text file, and its number, from 1, in another. */
export interface TableRow {
  readonly line: number;
  readonly cells: Readonly<Record<string, Cell>>;
  /** Why it cannot be read; its cells are then what could be. */
  readonly problem?: string;
}

/** Reads a table from its beginning, row by row, in bounded memory. */
export type ReadTable = (path: string) => AsyncIterable<TableRow>;

export const FORMATS = ["csv", "ndjson", "parquet"] as const;
export type Format = (typeof FORMATS)[number];

const BY_EXTENSION: Readonly<Record<string, Format>> = {
  ".csv": "csv",
  ".ndjson": "ndjson",
  ".jsonl": "ndjson",
  ".parquet": "parquet",
};

/** Pure. The format that a file's name says. Throws a UsageError where it says none. */
export function formatOf(path: string): Format {
  const format = BY_EXTENSION[extname(path).toLowerCase()];
  if (format !== undefined) return format;
  throw new UsageError(`"${path}" is no table: name it .csv, .ndjson, .jsonl or .parquet`);
}

/** Pure. A cell as text: dates as ISO 8601, lists and objects as JSON, nothing as empty. */
export function cellText(cell: Cell): string {
  if (cell === null || cell === undefined) return "";
  if (cell instanceof Date) return cell.toISOString();
  if (typeof cell === "string") return cell;
  const isPlain = typeof cell === "number" || typeof cell === "boolean" || typeof cell === "bigint";
  return isPlain ? String(cell) : jsonText(cell);
}

/** Pure. JSON of a value that may hold dates and 64-bit integers; these keep their digits. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    typeof one === "bigint" ? rawJson(String(one)) : one,
  );
}

/** Pure. A number as it is written: a cell that keeps all its digits. */
export const rawJson = (text: string): unknown =>
  (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);
