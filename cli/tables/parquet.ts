import { asyncBufferFromFile, parquetScan, type DecodedArray } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { fileWriter, parquetWriteRows } from "hyparquet-writer";
import { UsageError } from "../args.ts";
import { cellOfKind, type Kind } from "./kind.ts";
import type { Cell, TableRow } from "./table.ts";

/** The rows of a Parquet file. One row group is in memory at a time. */
export async function* readParquet(path: string): AsyncGenerator<TableRow> {
  const file = await asyncBufferFromFile(path);
  const scan = await parquetScan({ file, compressors }).catch((cause: unknown) => {
    throw new UsageError(`${path} is no Parquet file that can be read: ${String(cause)}`);
  });
  const columns = scan.metadata.schema.slice(1).map(({ name }) => name);
  if (scan.metadata.schema[0]?.num_children !== columns.length) {
    throw new UsageError(`${path}: only flat columns can be read`);
  }
  for (const range of scan.ranges) {
    const data: DecodedArray[] = [];
    for (const column of columns) data.push(await scan.readColumn({ column, ...range }));
    for (let i = 0; i < range.rowEnd - range.rowStart; i += 1) {
      const cells = columns.map((name, at): [string, Cell] => [name, data[at]?.[i] ?? null]);
      yield { line: range.rowStart + i + 1, cells: Object.fromEntries(cells) };
    }
  }
}

const ROW_GROUP = 50_000;

/** Writes rows to a Parquet file (Snappy), a row group of 50,000 in memory at a time. */
export async function writeParquet(
  path: string,
  columns: readonly { readonly name: string; readonly kind: Kind }[],
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
    columns: columns.map(({ name, kind }) => ({ name, type: kind })),
    rowGroupSize: ROW_GROUP,
  });
}
