import {
  asyncBufferFromFile,
  parquetMetadataAsync,
  parquetScan,
  type DecodedArray,
  type FileMetaData,
  type SchemaElement,
} from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { UsageError } from "../args.ts";
import { decimalOf, decimalText, digitsOf, unscaledOf } from "./decimal.ts";
import type { DeclaredColumn, Kind } from "./kind.ts";
import { rawJson, type Cell, type TableRow } from "./table.ts";

async function opened(path: string) {
  const file = await asyncBufferFromFile(path);
  const metadata = await readable(path, () => parquetMetadataAsync(file));
  const columns = metadata.schema.slice(1);
  if (metadata.schema[0]?.num_children !== columns.length) {
    throw new UsageError(`${path}: only flat columns can be read`);
  }
  return { file, metadata, columns };
}

async function readable<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw new UsageError(`${path} is no Parquet file that can be read: ${String(cause)}`);
  }
}

/** What the library makes of a column. */
function kindOf(element: SchemaElement): Kind {
  const { type, converted_type: converted, logical_type: logical } = element;
  const digits = digitsOf(element);
  if (element.repetition_type === "REPEATED") return "JSON";
  if (digits !== null) return decimalOf(digits);
  if (type === "INT96" || converted === "DATE" || logical?.type === "TIMESTAMP") return "TIMESTAMP";
  if (converted === "TIMESTAMP_MILLIS" || converted === "TIMESTAMP_MICROS") return "TIMESTAMP";
  if (converted === "JSON") return "JSON";
  if (logical?.type === "GEOMETRY" || logical?.type === "GEOGRAPHY") return "JSON";
  if (logical?.type === "FLOAT16" || type === "FLOAT") return "DOUBLE";
  if (type === "BYTE_ARRAY" || logical?.type === "UUID") return "STRING";
  if (type === undefined || type === "FIXED_LEN_BYTE_ARRAY") return "JSON";
  const bits = logical?.type === "INTEGER" && !logical.isSigned ? logical.bitWidth : 0;
  if (converted === "UINT_64" || bits === 64) return "DECIMAL(20,0)";
  return converted === "UINT_32" || bits === 32 ? "INT64" : type;
}

/** The columns of a Parquet file. Throws a UsageError where it is none. */
export async function readParquetColumns(path: string): Promise<readonly DeclaredColumn[]> {
  const { columns } = await opened(path);
  return columns.map((element) => ({ name: element.name, kind: kindOf(element) }));
}

/**
 * The schema without its decimals' types: their integers are then read as they are, of which the
 * library would make doubles.
 */
const withoutDecimals = (metadata: FileMetaData): FileMetaData => ({
  ...metadata,
  schema: metadata.schema.map((element) => {
    if (digitsOf(element) === null) return element;
    const { converted_type: _converted, logical_type: _logical, ...bare } = element;
    return bare;
  }),
});

/** The rows of a Parquet file. One row group is in memory at a time. */
export async function* readParquet(path: string): AsyncGenerator<TableRow> {
  const { file, metadata, columns } = await opened(path);
  const bare = withoutDecimals(metadata);
  const scan = await readable(path, () => parquetScan({ file, compressors, metadata: bare }));
  // Bytes are text elsewhere.
  const exact = await readable(path, () =>
    parquetScan({ file, compressors, metadata: bare, utf8: false }),
  );
  const readers = columns.map((element) => ({ name: element.name, digits: digitsOf(element) }));
  for (const range of scan.ranges) {
    const data: DecodedArray[] = [];
    for (const { name: column, digits } of readers) {
      const from = digits === null ? scan : exact;
      data.push(await readable(path, () => from.readColumn({ column, ...range })));
    }
    for (let i = 0; i < range.rowEnd - range.rowStart; i += 1) {
      const cells = readers.map(({ name, digits }, at): [string, Cell] => {
        const cell = (data[at]?.[i] ?? null) as Cell;
        if (digits === null || cell === null) return [name, cell];
        return [name, rawJson(decimalText(unscaledOf(cell as bigint), digits.scale))];
      });
      yield { line: range.rowStart + i + 1, cells: Object.fromEntries(cells) };
    }
  }
}
