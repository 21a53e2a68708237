import { readCsv, readCsvColumns } from "./csv.ts";
import type { DeclaredColumn } from "./kind.ts";
import { readNdjson } from "./ndjson.ts";
import { readParquet, readParquetColumns } from "./read-parquet.ts";
import { formatOf, type Format, type ReadTable, type TableRow } from "./table.ts";

const READERS: Readonly<Record<Format, ReadTable>> = {
  csv: readCsv,
  ndjson: readNdjson,
  parquet: readParquet,
};

/** The rows of a table, in the format that its name says. */
export const readTable = (path: string): AsyncIterable<TableRow> => READERS[formatOf(path)](path);

/** The columns that a table declares, rows or not; none of lines of JSON, which have no schema. */
export async function readColumns(path: string): Promise<readonly DeclaredColumn[]> {
  const format = formatOf(path);
  if (format === "ndjson") return [];
  return format === "csv" ? readCsvColumns(path) : readParquetColumns(path);
}
