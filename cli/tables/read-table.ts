import { readCsv } from "./csv.ts";
import { readNdjson } from "./ndjson.ts";
import { readParquet } from "./parquet.ts";
import { formatOf, type Format, type ReadTable, type TableRow } from "./table.ts";

const READERS: Readonly<Record<Format, ReadTable>> = {
  csv: readCsv,
  ndjson: readNdjson,
  parquet: readParquet,
};

/** The rows of a table, in the format that its name says. */
export const readTable = (path: string): AsyncIterable<TableRow> => READERS[formatOf(path)](path);
