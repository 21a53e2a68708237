import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { asyncBufferFromFile, parquetMetadataAsync, type SchemaElement } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, describe, expect, it } from "vitest";
import { UsageError } from "../../../cli/args.ts";
import { noteKinds, type Kind } from "../../../cli/tables/kind.ts";
import { readColumns, readTable } from "../../../cli/tables/read-table.ts";
import { cellText, jsonText, type Cell } from "../../../cli/tables/table.ts";
import { writeTable } from "../../../cli/tables/write-table.ts";
import { NodeBuffer } from "../../support/node-buffer.ts";

const directory = mkdtempSync(join(tmpdir(), "freshet-tables-"));
const file = (name: string): string => join(directory, name);
afterAll(() => rmSync(directory, { recursive: true }));

async function rowsOf(name: string): Promise<Readonly<Record<string, Cell>>[]> {
  const rows: Readonly<Record<string, Cell>>[] = [];
  for await (const { cells } of readTable(file(name))) rows.push(cells);
  return rows;
}

/** Writes a column of decimals, by their unscaled integers, as other programs do. */
function writeDecimals(
  name: string,
  element: Partial<SchemaElement>,
  unscaled: readonly (bigint | null)[],
): void {
  const bytes = parquetWriteBuffer({
    schema: [
      { name: "root", num_children: 1 },
      { name: "d", repetition_type: "OPTIONAL", converted_type: "DECIMAL", ...element },
    ],
    columnData: [{ name: "d", data: [...unscaled] }],
  });
  writeFileSync(file(name), new Uint8Array(bytes));
}

/** The text of a decimal, by long division. */
function textOf(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? "-" : "";
  const magnitude = unscaled < 0n ? -unscaled : unscaled;
  const unit = 10n ** BigInt(scale);
  const fraction = scale === 0 ? "" : `.${String(magnitude % unit).padStart(scale, "0")}`;
  return `${sign}${magnitude / unit}${fraction}`;
}

const PHYSICAL = [
  [9, { type: "INT32" }],
  [18, { type: "INT64" }],
  [38, { type: "FIXED_LEN_BYTE_ARRAY", type_length: 16 }],
  [38, { type: "BYTE_ARRAY" }],
] as const satisfies readonly (readonly [number, Partial<SchemaElement>])[];

describe("a decimal of a Parquet file", () => {
  it.each(PHYSICAL)("keeps up to %i digits, in and out: %j", async (precision, physical) => {
    const anyColumn = fc.record({
      scale: fc.integer({ min: 0, max: precision }),
      unscaled: fc.array(
        fc.option(
          fc.bigInt({ min: -(10n ** BigInt(precision)) + 1n, max: 10n ** BigInt(precision) - 1n }),
        ),
        { minLength: 1, maxLength: 12 },
      ),
    });
    await fc.assert(
      fc.asyncProperty(anyColumn, async ({ scale, unscaled }) => {
        writeDecimals("in.parquet", { ...physical, precision, scale }, unscaled);
        const expected = unscaled.map((one) => (one === null ? "" : textOf(one, scale)));
        const read = await rowsOf("in.parquet");
        expect(read.map(({ d }) => cellText(d))).toEqual(expected);

        const [column] = await readColumns(file("in.parquet"));
        const kind = column?.kind as Kind;
        expect(kind).toBe(`DECIMAL(${precision},${scale})`);
        async function* rows(): AsyncGenerator<readonly Cell[]> {
          for (const { d } of read) yield [d];
        }
        await writeTable(file("out.parquet"), "parquet", [{ name: "d", kind }], rows());
        expect((await rowsOf("out.parquet")).map(({ d }) => cellText(d))).toEqual(expected);
        const { schema } = await parquetMetadataAsync(
          await asyncBufferFromFile(file("out.parquet")),
        );
        expect(schema[1]).toMatchObject({
          converted_type: "DECIMAL",
          logical_type: { type: "DECIMAL", precision, scale },
          precision,
          scale,
        });
      }),
      { numRuns: 30 },
    );
  });

  it("is read where only its logical type says so, and beside other bytes", async () => {
    const bytes = parquetWriteBuffer({
      schema: [
        { name: "root", num_children: 3 },
        {
          name: "d",
          type: "INT64",
          repetition_type: "REQUIRED",
          logical_type: { type: "DECIMAL", precision: 18, scale: 3 },
        },
        { name: "t", type: "BYTE_ARRAY", repetition_type: "REQUIRED" },
        {
          name: "p",
          type: "INT32",
          converted_type: "DECIMAL",
          precision: 9,
          scale: 2,
          repetition_type: "REQUIRED",
        },
      ],
      columnData: [
        { name: "d", data: [350n, -1n] },
        { name: "t", data: [new TextEncoder().encode("é"), new TextEncoder().encode("b")] },
        { name: "p", data: [35n, 57n] },
      ],
    });
    writeFileSync(file("logical.parquet"), new Uint8Array(bytes));
    expect((await rowsOf("logical.parquet")).map((row) => jsonText(row))).toEqual([
      '{"d":0.350,"t":"é","p":0.35}',
      '{"d":-0.001,"t":"b","p":0.57}',
    ]);
  });
});

describe("what a column of JSON numbers holds", () => {
  it("is a 64-bit integer, a double or text: never less digits than were written", async () => {
    const lines = [
      '{"id":9007199254740993,"price":1.50,"exact":0.12345678901234567890,"n":1}',
      '{"id":1,"price":2,"exact":1,"n":9007199254740993}',
    ];
    writeFileSync(file("numbers.ndjson"), lines.join("\n"));
    const kinds = new Map<string, Kind | null>();
    const rows = await rowsOf("numbers.ndjson");
    for (const row of rows) noteKinds(kinds, row);
    expect(Object.fromEntries(kinds)).toEqual({
      id: "INT64",
      price: "DOUBLE",
      exact: "STRING",
      n: "INT64",
    });
    async function* cells(): AsyncGenerator<readonly Cell[]> {
      for (const row of rows) yield Object.values(row);
    }
    const columns = [...kinds].map(([name, kind]) => ({ name, kind: kind as Kind }));
    await writeTable(file("numbers.parquet"), "parquet", columns, cells());
    expect(await rowsOf("numbers.parquet")).toEqual([
      { id: 9007199254740993n, price: 1.5, exact: "0.12345678901234567890", n: 1n },
      { id: 1n, price: 2, exact: "1", n: 9007199254740993n },
    ]);
  });
});

describe("a text table", () => {
  const utf8 = (text: string): Buffer => NodeBuffer.from(text, "utf8");
  const latin1 = (text: string): Buffer => NodeBuffer.from(text, "latin1");

  it.each(["csv", "ndjson"])(
    "is refused where it is not UTF-8, by its line: %s",
    async (format) => {
      const line = (key: string) => (format === "csv" ? `${key},1\n` : `{"u":"${key}","at":1}\n`);
      const head = format === "csv" ? "u,at\n" : '{"u":"x","at":1}\n';
      const long = utf8(line("ok").repeat(20_000));
      writeFileSync(
        file(`bad.${format}`),
        NodeBuffer.concat([utf8(head), long, latin1(line("é"))]),
      );
      const read = rowsOf(`bad.${format}`);
      await expect(read).rejects.toThrow(UsageError);
      await expect(read).rejects.toThrow(/bad\.\w+:20002: .*not UTF-8.*iconv/s);
      // Cut in the middle of a character, at the end.
      writeFileSync(file(`cut.${format}`), utf8(`${head}é`).subarray(0, -1));
      await expect(rowsOf(`cut.${format}`)).rejects.toThrow(/cut\.\w+:2: .*not UTF-8/s);
    },
  );

  it.each(["csv", "ndjson"])("may begin with a mark that says UTF-8: %s", async (format) => {
    const text = format === "csv" ? "u,at\né,1\n" : '{"u":"é","at":"1"}\n';
    writeFileSync(file(`bom.${format}`), `\uFEFF${text}`);
    expect(await rowsOf(`bom.${format}`)).toEqual([{ u: "é", at: "1" }]);
  });

  it.each(["csv", "ndjson"])("is refused with words where it is UTF-16: %s", async (format) => {
    for (const [name, swap] of [
      ["le", false],
      ["be", true],
    ] as const) {
      const bytes = NodeBuffer.from("\uFEFFu,at\na,1\n", "utf16le");
      writeFileSync(file(`${name}.${format}`), swap ? bytes.swap16() : bytes);
      await expect(rowsOf(`${name}.${format}`)).rejects.toThrow(/is UTF-16.*UTF-8/);
    }
  });

  it("is read whole whatever the bytes of its characters, across the pieces of a file", async () => {
    const names = Array.from({ length: 3_000 }, (_, i) => `${"x".repeat(i % 70)}é€😀${i}`);
    writeFileSync(file("pieces.ndjson"), names.map((u) => JSON.stringify({ u })).join("\r\n"));
    writeFileSync(file("pieces.csv"), ["u", ...names].join("\n"));
    for (const name of ["pieces.ndjson", "pieces.csv"]) {
      expect((await rowsOf(name)).map(({ u }) => u)).toEqual(names);
    }
  });

  it("of JSON may hold line separators that are none of the file's", async () => {
    writeFileSync(file("separators.ndjson"), '{"u":"a\u2028b"}\n{"u":"c\u2029d"}\n');
    expect(await rowsOf("separators.ndjson")).toEqual([{ u: "a\u2028b" }, { u: "c\u2029d" }]);
  });
});

describe("the columns of a table", () => {
  it("are those of a header or a schema, rows or not; lines of JSON declare none", async () => {
    writeFileSync(file("head.csv"), "\uFEFFu,at\n");
    writeFileSync(file("head.ndjson"), '{"u":1}\n');
    expect(await readColumns(file("head.csv"))).toEqual([
      { name: "u", kind: null },
      { name: "at", kind: null },
    ]);
    expect(await readColumns(file("head.ndjson"))).toEqual([]);
    const columnData = [
      { name: "u", data: [], type: "STRING" as const },
      { name: "at", data: [], type: "TIMESTAMP" as const },
      { name: "n", data: [], type: "INT64" as const },
      { name: "x", data: [], type: "FLOAT" as const },
      { name: "j", data: [], type: "JSON" as const },
      { name: "b", data: [], type: "BOOLEAN" as const },
    ];
    writeFileSync(file("head.parquet"), new Uint8Array(parquetWriteBuffer({ columnData })));
    expect(await rowsOf("head.parquet")).toEqual([]);
    expect((await readColumns(file("head.parquet"))).map(({ name, kind }) => [name, kind])).toEqual(
      [
        ["u", "STRING"],
        ["at", "TIMESTAMP"],
        ["n", "INT64"],
        ["x", "DOUBLE"],
        ["j", "JSON"],
        ["b", "BOOLEAN"],
      ],
    );
  });
});
