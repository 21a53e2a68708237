import type { SchemaElement } from "hyparquet";
import {
  fileWriter,
  parquetWriteRows,
  schemaFromColumnData,
  type BasicType,
  type ColumnSource,
} from "hyparquet-writer";
import { decimalElement, readDecimal } from "./decimal.ts";
import { cellOfKind, type Kind } from "./kind.ts";
import type { Cell } from "./table.ts";

const ROW_GROUP = 50_000;

type Columns = readonly { readonly name: string; readonly kind: Kind }[];

function schemaOf(columns: Columns): SchemaElement[] {
  const overrides: Record<string, SchemaElement> = {};
  const columnData = columns.map(({ name, kind }): ColumnSource => {
    const digits = readDecimal(kind);
    if (digits === null) return { name, data: [], type: kind as BasicType };
    overrides[name] = decimalElement(name, digits);
    return { name, data: [] };
  });
  return schemaFromColumnData({ columnData, schemaOverrides: overrides });
}

/** Writes rows to a Parquet file (Snappy), a row group of 50,000 in memory at a time. */
export async function writeParquet(
  path: string,
  columns: Columns,
  rows: AsyncIterable<readonly Cell[]>,
): Promise<void> {
  async function* objects(): AsyncGenerator<Record<string, Cell>> {
    for await (const row of rows) {
      yield Object.fromEntries(
        columns.map(({ name, kind }, i) => [name, cellOfKind(row[i], kind)]),
      );
    }
  }
  await parquetWriteRows({
    writer: fileWriter(path),
    rows: objects(),
    columns: columns.map(({ name }) => ({ name })),
    schema: schemaOf(columns),
    rowGroupSize: ROW_GROUP,
  });
}
