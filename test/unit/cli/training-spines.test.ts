import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import fc from "fast-check";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { parquetWriteBuffer, type ColumnSource } from "hyparquet-writer";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { UsageError } from "../../../cli/args.ts";
import { makeTrainingSet, type MakeOptions } from "../../../cli/training-set/make-training-set.ts";
import { approxCountDistinct, count, countDistinct } from "../../../src/features/aggregation.ts";
import { apiKey, eventSource } from "../../../src/features/define-source.ts";
import { entity, featureView, onDemand } from "../../../src/features/define.ts";
import { decimal } from "../../../src/features/fields.ts";
import { createTestApi, NOON, type TestApi } from "../../support/requests.ts";
import { trainingContext } from "../../support/training-context.ts";

const account = entity("account", { key: "account_id" });
const sales = eventSource("sales", {
  schema: z.object({
    id: z.string(),
    account_id: decimal(),
    item: z.string(),
    at: z.iso.datetime({ offset: true }),
  }),
  id: "id",
  eventTime: "at",
  accept: [apiKey()],
});
const sold = featureView("sold", {
  entity: account,
  source: sales,
  features: {
    n: count(),
    items: countDistinct("item", { max: 2 }),
    about: approxCountDistinct("item"),
    half: countDistinct("item").default(0.5),
  },
});
/** What a function is given of the request, as JSON that tells types apart. */
const request = z.object({
  x: z.number(),
  text: z.string().optional(),
  whole: z.bigint().optional(),
  exact: decimal().optional(),
  flag: z.boolean().optional(),
});
const seen = onDemand("seen", {
  version: 1,
  request,
  from: [sold],
  features: {
    all: ({ request: given }) =>
      JSON.stringify(
        Object.entries(given).map(([name, value]) => [name, typeof value, String(value)]),
      ),
  },
});

let directory = "";
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "freshet-spines-"))));
afterEach(() => rmSync(directory, { recursive: true }));
const file = (name: string): string => join(directory, name);
let api: TestApi;
const told: string[] = [];
beforeAll(async () => {
  api = await createTestApi({ definitions: [account, sales, sold, seen] });
  const json = Array.from({ length: 5 }, (_, i) => ({
    id: `s${i}`,
    account_id: i < 4 ? "7" : "0.35",
    item: `i${i}`,
    at: new Date(NOON - 60_000).toISOString(),
  })).map((event) => ({ event, known_at: NOON - 50_000 }));
  const key = await api.key();
  await api.call("POST /v1/sources/sales/import", { key, json: { events: json } });
  await api.settle();
});
afterEach(() => void told.splice(0));

async function make(
  spine: string,
  out: string,
  features: readonly string[] = ["sold:n"],
  changes: Partial<MakeOptions> = {},
): Promise<number> {
  return makeTrainingSet(trainingContext(api, told), {
    tenant: "acme",
    asked: { features },
    known: "as_served",
    atColumn: "at",
    versionColumn: null,
    spine: file(spine),
    out: file(out),
    rejects: null,
    workDir: file(`${out}.work`),
    ...changes,
  });
}

const write = (name: string, text: string | Uint8Array): void => writeFileSync(file(name), text);
const read = (name: string): string => readFileSync(file(name), "utf8");
const lines = (name: string) =>
  read(name)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const writeParquet = (name: string, columnData: ColumnSource[]): void =>
  write(name, new Uint8Array(parquetWriteBuffer({ columnData })));
const ROWS = `account_id,at\n7,${NOON}\n,1\n`;

describe("files that are one file", () => {
  it("are refused, and stay as they are, whatever they are called", async () => {
    write("spine.csv", ROWS);
    mkdirSync(file("below"));
    symlinkSync(file("spine.csv"), file("soft.csv"));
    linkSync(file("spine.csv"), file("hard.csv"));
    symlinkSync(directory, file("way"));
    const same = [
      file("spine.csv"),
      file("below/../spine.csv"),
      file("./spine.csv"),
      file("soft.csv"),
      file("hard.csv"),
      file("way/spine.csv"),
      relative(process.cwd(), file("spine.csv")),
    ];
    for (const other of same) {
      for (const changes of [{ out: other }, { rejects: other }]) {
        const made = make("spine.csv", "new.csv", ["sold:n"], changes);
        await expect(made).rejects.toThrow(UsageError);
        await expect(made).rejects.toThrow(/--spine .* are the same file/);
      }
      expect(read("spine.csv")).toBe(ROWS);
    }
    expect(existsSync(file("new.csv.work"))).toBe(false);
  });

  it("are refused where nothing is there yet", async () => {
    write("spine.csv", ROWS);
    mkdirSync(file("later"));
    symlinkSync(file("later"), file("late"));
    symlinkSync(file("later/new.csv"), file("dangling.csv"));
    const options: readonly Partial<MakeOptions>[] = [
      { rejects: file("later/new.csv") },
      { rejects: file("late/new.csv") },
      { rejects: file("dangling.csv") },
      { rejects: file("later/../later/new.csv") },
      { rejects: file("later/new.csv.tmp") },
    ];
    for (const changes of options) {
      const made = make("spine.csv", "later/new.csv", ["sold:n"], changes);
      await expect(made).rejects.toThrow(/are the same file/);
    }
    expect(existsSync(file("later/new.csv"))).toBe(false);
    const workDir = file("later");
    for (const changes of [
      { workDir },
      { workDir: file("late") },
      { workDir: directory },
      { workDir: file("spine.csv") },
      { workDir: file("parts"), rejects: file("parts") },
    ]) {
      const made = make("spine.csv", "later/new.csv", ["sold:n"], changes);
      await expect(made).rejects.toThrow("--work");
    }
    expect(read("spine.csv")).toBe(ROWS);
  });

  it("are no directories, and lie in one that is there", async () => {
    write("spine.csv", ROWS);
    mkdirSync(file("folder.csv"));
    const refused = async (words: RegExp, ...args: Parameters<typeof make>) => {
      await expect(make(...args)).rejects.toThrow(UsageError);
      await expect(make(...args)).rejects.toThrow(words);
    };
    await refused(/--spine .*folder\.csv is no file/, "folder.csv", "o.csv");
    await refused(/--out .*folder\.csv is no file/, "spine.csv", "folder.csv");
    await refused(/there is no directory .*spine\.csv/, "spine.csv", "spine.csv/o.csv");
    await refused(/there is no directory .*nowhere/, "spine.csv", "nowhere/o.csv");
    await refused(/There is no file/, "absent.csv", "o.csv");
    symlinkSync(file("circle.csv"), file("round.csv"));
    symlinkSync(file("round.csv"), file("circle.csv"));
    await refused(/There is no file/, "circle.csv", "o.csv");
    const rejects = file("folder.csv");
    await refused(/--rejects .* is no file/, "spine.csv", "o.csv", ["sold:n"], { rejects });
  });

  it("of somebody else are not removed with the work directory", async () => {
    write("spine.csv", `account_id,at\n7,${NOON}\n`);
    mkdirSync(file("mine"));
    write("mine/precious", "x");
    const made = make("spine.csv", "o.csv", ["sold:n"], { workDir: file("mine") });
    await expect(made).rejects.toThrow(/mine has other files in it, as precious/);
    expect(read("mine/precious")).toBe("x");
  });
});

describe("a spine that is to be mended", () => {
  it.each<readonly [string, string | Uint8Array]>([
    ["nothing", ""],
    ["a column twice", "account_id,at,at\n"],
    ["a clash", `account_id,at,sold__n\n7,${NOON},1\n`],
    ["no times", `account_id,time\n7,${NOON}\n`],
    ["another encoding", Uint8Array.of(...new TextEncoder().encode("account_id,at\n"), 0xe9, 10)],
    ["bad quotes", 'account_id,at\n7,"x"y\n'],
    ["a bad row", ROWS],
  ])("leaves no work directory behind, so that the same command goes on: %s", async (_, text) => {
    write("mended.csv", text);
    await expect(make("mended.csv", "mended-out.csv")).rejects.toThrow(UsageError);
    expect(existsSync(file("mended-out.csv.work"))).toBe(false);
    write("mended.csv", `account_id,at\n7,${NOON}\n`);
    expect(await make("mended.csv", "mended-out.csv")).toBe(1);
  });

  it("is told once which columns it lacks, and what it is separated by", async () => {
    write("names.csv", `account_id,time\n7,${NOON}\n8,${NOON}\n`);
    const rejects = file("aside.ndjson");
    await expect(make("names.csv", "o.csv", ["sold:n"], { rejects })).rejects.toThrow(
      /names\.csv lacks the column "at"; it has "account_id", "time"\. .*--at/,
    );
    write("semi.csv", `account_id;at\n7;${NOON}\n`);
    await expect(make("semi.csv", "o.csv")).rejects.toThrow(
      /lacks the columns "at", "account_id"; it has "account_id;at"\..* by semicolons: /,
    );
    write("tabs.csv", `account_id\tat\n7\t${NOON}\n`);
    await expect(make("tabs.csv", "o.csv")).rejects.toThrow(/separated by tabs/);
    write("names.ndjson", `{"account_id":7,"when":${NOON}}\n`);
    await expect(make("names.ndjson", "o.csv")).rejects.toThrow(
      /lacks the column "at"; it has "account_id", "when"/,
    );
    write("request.csv", `account_id,at\n7,${NOON}\n`);
    await expect(make("request.csv", "o.csv", ["seen"])).rejects.toThrow(/lacks the column "x"/);
    told.length = 0;
    write("request.csv", `account_id,at,x\n7,${NOON},\n`);
    await expect(make("request.csv", "o.csv", ["seen"])).rejects.toThrow(/1 of 1 rows/);
    expect(told[0]).toMatch(/request\.csv:2: x: on-demand features need it, and it is empty$/);
  });

  it("keeps its columns without any row", async () => {
    write("none.csv", "label,account_id,at\n");
    expect(await make("none.csv", "none-out.csv")).toBe(0);
    expect(read("none-out.csv")).toBe("label,account_id,at,sold__n\n");
    writeParquet("none.parquet", [
      { name: "label", data: [], type: "BOOLEAN" },
      { name: "account_id", data: [], type: "INT64" },
      { name: "at", data: [], type: "TIMESTAMP" },
    ]);
    expect(await make("none.parquet", "none-out.parquet")).toBe(0);
    const { schema } = await parquetMetadataAsync(
      await asyncBufferFromFile(file("none-out.parquet")),
    );
    expect(schema.slice(1).map(({ name, type }) => [name, type])).toEqual([
      ["label", "BOOLEAN"],
      ["account_id", "INT64"],
      ["at", "INT64"],
      ["sold__n", "INT64"],
    ]);
  });
});

describe("what on-demand features are given of a row", () => {
  const at = new Date(NOON);
  const givenOf = (line: Record<string, unknown> | undefined) =>
    Object.fromEntries(
      (JSON.parse(String(line?.["seen__all"])) as [string, string, string][]).map(
        ([name, type, text]) => [name, `${type} ${text}`],
      ),
    );

  it("is of Parquet's 64-bit integers what their schema takes, without loss where it can", async () => {
    const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    const safe = fc.maxSafeInteger().map(BigInt);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(int64, safe), { minLength: 1 }), async (values) => {
        const column = (name: string): ColumnSource => ({ name, data: values, type: "INT64" });
        writeParquet("int64.parquet", [
          { name: "account_id", data: values.map(() => 7n), type: "INT64" },
          { name: "at", data: values.map(() => at), type: "TIMESTAMP" },
          ...["x", "text", "whole", "exact"].map(column),
        ]);
        expect(await make("int64.parquet", "int64.ndjson", ["seen"])).toBe(values.length);
        expect(lines("int64.ndjson").map(givenOf)).toEqual(
          values.map((value) => ({
            // As online, where a client's JSON number is a double.
            x: `number ${Number(value)}`,
            text: `string ${value}`,
            whole: `bigint ${value}`,
            exact: `string ${value}`,
          })),
        );
      }),
      { numRuns: 10 },
    );
  });

  it("is of decimals their digits, and the entity of a decimal key is found", async () => {
    const decimals = {
      type: "INT64",
      converted_type: "DECIMAL",
      precision: 18,
      scale: 2,
      repetition_type: "REQUIRED",
    } as const;
    const bytes = parquetWriteBuffer({
      schema: [
        { name: "root", num_children: 4 },
        { name: "account_id", ...decimals },
        {
          name: "at",
          type: "INT64",
          converted_type: "TIMESTAMP_MILLIS",
          repetition_type: "REQUIRED",
        },
        { name: "x", ...decimals },
        { name: "exact", ...decimals },
      ],
      columnData: [
        { name: "account_id", data: [700n, 35n] },
        { name: "at", data: [at, at] },
        { name: "x", data: [57n, 29n] },
        { name: "exact", data: [999_999_999_999_999_999n, -1n] },
      ],
    });
    write("decimals.parquet", new Uint8Array(bytes));
    await make("decimals.parquet", "decimals.ndjson", ["sold:n", "seen"]);
    const made = lines("decimals.ndjson");
    expect(made.map((line) => line["sold__n"])).toEqual([4, 1]);
    expect(made.map(givenOf)).toEqual([
      { x: "number 0.57", exact: "string 9999999999999999.99" },
      { x: "number 0.29", exact: "string -0.01" },
    ]);
    await make("decimals.parquet", "decimals.csv");
    expect(read("decimals.csv").split("\n")[1]).toMatch(/^7\.00,.*,0\.57,9999999999999999\.99,4$/);
    await make("decimals.parquet", "decimals-out.parquet");
    await make("decimals-out.parquet", "again.csv", ["sold:items"]);
    expect(read("again.csv").split("\n")[2]).toMatch(/^0\.35,.*,0\.29,-0\.01,1,1$/);
  });

  it("is true or false as other programs write them", async () => {
    const written = ["true", "False", "TRUE", "false"];
    const rows = written.map((flag) => `7,${NOON},1,${flag},${flag}`);
    write("flags.csv", ["account_id,at,x,flag,text", ...rows].join("\n"));
    await make("flags.csv", "flags.ndjson", ["seen"]);
    expect(lines("flags.ndjson").map(givenOf)).toEqual(
      written.map((flag) => ({
        x: "number 1",
        flag: `boolean ${flag.toLowerCase()}`,
        text: `string ${flag}`,
      })),
    );
  });
});

describe("a count of different values", () => {
  it("is a 64-bit integer, and tells where it reached its bound", async () => {
    write("counts.csv", `account_id,at\n7,${NOON}\n0.35,${NOON}\n7.0,${NOON}\n`);
    await make("counts.csv", "counts.parquet", ["sold"], { capped: true });
    expect(told.at(-1)).toBe("sold:items reached its bound in 2 rows: the truth is more there.");
    const buffer = await asyncBufferFromFile(file("counts.parquet"));
    const { schema } = await parquetMetadataAsync(buffer);
    const types = Object.fromEntries(schema.map(({ name, type }) => [name, type]));
    expect(types).toMatchObject({
      sold__n: "INT64",
      sold__items: "INT64",
      sold__about: "INT64",
      sold__half: "DOUBLE",
    });
    expect(await parquetReadObjects({ file: buffer })).toMatchObject([
      { sold__items: 2n, sold__about: 4n, sold__half: 4, capped: ["sold__items"] },
      { sold__items: 1n, sold__about: 1n, sold__half: 1, capped: [] },
      { sold__items: 2n, sold__about: 4n, sold__half: 4, capped: ["sold__items"] },
    ]);
    await make("counts.csv", "counts.csv.csv", ["sold:n"]);
    expect(read("counts.csv.csv").split("\n")[0]).toBe("account_id,at,sold__n");
    write("taken.csv", `account_id,at,capped\n7,${NOON},1\n`);
    const clash = make("taken.csv", "taken-out.csv", ["sold"], { capped: true });
    await expect(clash).rejects.toThrow(/has a column "capped" already/);
  });
});
