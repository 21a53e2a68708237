import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UsageError } from "../../../cli/args.ts";
import {
  makeTrainingSet,
  partitionsOf,
  type MakeContext,
  type MakeOptions,
} from "../../../cli/training-set/make-training-set.ts";
import { readTrainingArgs } from "../../../cli/training-set/training-args.ts";
import { customer } from "../../../definitions/entities.ts";
import { payments } from "../../../definitions/sources.ts";
import { count, last } from "../../../src/features/aggregation.ts";
import { applyDefinitions } from "../../../src/features/apply-definitions.ts";
import { featureView } from "../../../src/features/define.ts";
import { compileDefinitions } from "../../../src/features/registry.ts";
import { createTestApi, NOON, payment, type TestApi } from "../../support/requests.ts";
import { trainingContext } from "../../support/training-context.ts";

const MINUTE = 60_000;
const directory = mkdtempSync(join(tmpdir(), "freshet-training-"));
const file = (name: string): string => join(directory, name);
afterAll(() => rmSync(directory, { recursive: true }));

let api: TestApi;
const told: string[] = [];

/** Payments of c0 … c9, one a minute before noon, each known ten seconds later. */
beforeAll(async () => {
  api = await createTestApi();
  const key = await api.key();
  for (let i = 0; i < 60; i += 1) {
    const paidAt = NOON - (60 - i) * MINUTE;
    const event = payment({
      payment_id: `p${i}`,
      customer_id: `c${i % 10}`,
      amount: `${i}.50`,
      paid_at: new Date(paidAt).toISOString(),
    });
    const json = { events: [{ event, known_at: paidAt + 10_000 }] };
    await api.call("POST /v1/sources/payments/import", { key, json });
  }
  await api.settle();
});

const context = (changes: Partial<MakeContext> = {}): MakeContext =>
  trainingContext(api, told, changes);

const options = (spine: string, out: string, changes: Partial<MakeOptions> = {}): MakeOptions => ({
  tenant: "acme",
  asked: { service: "fraud_features" },
  known: "as_served",
  atColumn: "at",
  versionColumn: null,
  spine: file(spine),
  out: file(out),
  rejects: null,
  workDir: file(`${out}.work`),
  ...changes,
});

/** Rows of a spine, as a data scientist has them. */
const SPINE = Array.from({ length: 25 }, (_, i) => ({
  label: i % 3 === 0,
  customer_id: `c${(i * 7) % 12}`,
  at: NOON - i * 2 * MINUTE,
  amount: i + 0.25,
}));

/** What the API answers of the same rows. */
async function answered(known = "as_served"): Promise<Record<string, unknown>[]> {
  const rows = SPINE.map(({ customer_id, at, amount }) => ({
    entity: { customer_id },
    at,
    request: { amount },
  }));
  const json = { service: "fraud_features", known, rows };
  const answer = await api.call("POST /v1/features/history", { key: await api.key(), json });
  const body = await answer.json<{ names: string[]; rows: { values: unknown[] }[] }>();
  return body.rows.map(({ values }, i) => ({
    ...SPINE[i],
    ...Object.fromEntries(body.names.map((name, n) => [name.replace(":", "__"), values[n]])),
  }));
}

const jsonLines = (name: string): Record<string, unknown>[] =>
  readFileSync(file(name), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

function writeSpines(): void {
  const csv = SPINE.map((row) => Object.values(row).join(","));
  writeFileSync(file("spine.csv"), `${["label,customer_id,at,amount", ...csv].join("\r\n")}\r\n`);
  writeFileSync(
    file("spine.ndjson"),
    SPINE.map((row) => JSON.stringify({ ...row, at: new Date(row.at).toISOString() })).join("\n"),
  );
  const column = (name: keyof (typeof SPINE)[0]) => SPINE.map((row) => row[name]);
  const columnData = [
    { name: "label", data: column("label"), type: "BOOLEAN" as const },
    { name: "customer_id", data: column("customer_id"), type: "STRING" as const },
    { name: "at", data: SPINE.map(({ at }) => new Date(at)), type: "TIMESTAMP" as const },
    { name: "amount", data: column("amount"), type: "DOUBLE" as const },
  ];
  writeFileSync(file("spine.parquet"), new Uint8Array(parquetWriteBuffer({ columnData })));
}
beforeAll(writeSpines);

const readParquet = async (name: string) =>
  parquetReadObjects({ file: await asyncBufferFromFile(file(name)) });

describe("a training set", () => {
  it.each(["csv", "ndjson", "parquet"])("of a %s spine is what the API answers", async (format) => {
    const written = await makeTrainingSet(
      context(),
      options(`spine.${format}`, `${format}.ndjson`),
    );
    expect(written).toBe(SPINE.length);
    const expected = await answered();
    const rows = jsonLines(`${format}.ndjson`);
    for (const [i, row] of rows.entries()) {
      const { label, at, amount, ...features } = row;
      expect([String(label), Number(amount)]).toEqual([
        String(expected[i]?.["label"]),
        expected[i]?.["amount"],
      ]);
      expect(new Date(/^\d+$/.test(String(at)) ? Number(at) : String(at)).getTime()).toBe(
        expected[i]?.["at"],
      );
      expect(expected[i]).toMatchObject(features);
    }
    expect(existsSync(file(`${format}.ndjson.work`))).toBe(false);
  });

  it("is written as Parquet with the types of its features", async () => {
    await makeTrainingSet(context(), options("spine.ndjson", "typed.parquet"));
    const rows = await readParquet("typed.parquet");
    const expected = await answered();
    for (const [i, row] of rows.entries()) {
      const { payments_1h, amount_mean_30d, velocity } = {
        payments_1h: row["customer_spend__payments_1h"] as bigint,
        amount_mean_30d: row["customer_spend__amount_mean_30d"] as number | null,
        velocity: row["velocity__amount_vs_mean"] as number | null,
      };
      expect(Number(payments_1h)).toBe(expected[i]?.["customer_spend__payments_1h"]);
      expect(amount_mean_30d).toBe(expected[i]?.["customer_spend__amount_mean_30d"]);
      expect(velocity).toBe(expected[i]?.["velocity__amount_vs_mean"]);
    }
    const { schema } = await parquetMetadataAsync(await asyncBufferFromFile(file("typed.parquet")));
    const typeOf = (name: string) => schema.find((one) => one.name === name)?.type;
    expect(typeOf("label")).toBe("BOOLEAN");
    expect(typeOf("customer_spend__payments_1h")).toBe("INT64");
    expect(typeOf("customer_spend__amount_sum_7d")).toBe("BYTE_ARRAY");
    expect(typeOf("customer_spend__amount_mean_30d")).toBe("DOUBLE");
    expect(typeOf("velocity__amount_vs_mean")).toBe("DOUBLE");
  });

  it("is written as CSV, quoted where it has to be, and reads back", async () => {
    writeFileSync(
      file("odd.csv"),
      `"note","customer_id",at\n"a ""b"", c\nd",c1,${NOON}\n,c1,2026-11-22T12:00:00Z\n`,
    );
    const asked = { features: ["customer_spend:payments_1h", "customer_spend:amount_sum_7d"] };
    await makeTrainingSet(context(), options("odd.csv", "odd-out.csv", { asked }));
    expect(readFileSync(file("odd-out.csv"), "utf8")).toBe(
      "note,customer_id,at,customer_spend__payments_1h,customer_spend__amount_sum_7d\n" +
        `"a ""b"", c\nd",c1,${NOON},6,159\n,c1,2026-11-22T12:00:00Z,6,159\n`,
    );
    await makeTrainingSet(
      context(),
      options("odd-out.csv", "again.ndjson", { asked: { features: ["customer_lifetime"] } }),
    );
    expect(jsonLines("again.ndjson")[0]).toMatchObject({ note: 'a "b", c\nd' });
  });

  it("knows by default what had been committed, and with latest what is known", async () => {
    const late = { customer_id: "c9", at: NOON - MINUTE + 5_000 };
    const rows = [late, { ...late, known_at: NOON }, { ...late, at: NOON }];
    writeFileSync(file("late.ndjson"), rows.map((row) => JSON.stringify(row)).join("\n"));
    const asked = { features: ["customer_lifetime:payments"] };
    await makeTrainingSet(context(), options("late.ndjson", "late-out.ndjson", { asked }));
    const counts = (name: string) =>
      jsonLines(name).map((row) => row["customer_lifetime__payments"]);
    expect(counts("late-out.ndjson")).toEqual([5, 6, 6]);
    const latest = options("late.ndjson", "latest.ndjson", { asked, known: "latest" });
    await makeTrainingSet(context(), latest);
    expect(counts("latest.ndjson")).toEqual([6, 6, 6]);
  });

  it("names every row that cannot be used, and makes nothing of the others", async () => {
    const bad = [
      "customer_id,at",
      `c1,${NOON}`,
      "c1,yesterday",
      "",
      `,${NOON}`,
      `c1,${NOON + 1}`,
      `c1,${NOON},more`,
      "c1,",
    ];
    writeFileSync(file("bad.csv"), bad.join("\n"));
    const asked = { features: ["customer_spend:payments_1h"] };
    told.length = 0;
    const refused = makeTrainingSet(context(), options("bad.csv", "bad-out.csv", { asked }));
    await expect(refused).rejects.toThrow(/5 of 6 rows cannot be used.*--rejects/s);
    const lines = told
      .filter((line) => line.includes("bad.csv:"))
      .map((line) => line.split("bad.csv:")[1]);
    expect(lines).toEqual([
      "3: at: expected an ISO 8601 date-time with offset, as 2026-01-31T12:00:00Z",
      '5: entity.customer_id: "customer_spend" needs the key column "customer_id"',
      "6: at: nobody knows yet what will be known then; give a time that is past",
      "7: it has 3 cells, and the header 2",
      "8: at: there is no time",
    ]);
    expect(existsSync(file("bad-out.csv"))).toBe(false);
    expect(existsSync(file("bad-out.csv.work"))).toBe(false);

    const rejects = file("aside.ndjson");
    const written = await makeTrainingSet(
      context(),
      options("bad.csv", "bad-out.csv", { asked, rejects }),
    );
    expect(written).toBe(1);
    expect(jsonLines("aside.ndjson").map(({ line }) => line)).toEqual([3, 5, 6, 7, 8]);
    expect(readFileSync(file("bad-out.csv"), "utf8").split("\n")).toHaveLength(3);
  });

  it("refuses a spine whose columns are features already", async () => {
    writeFileSync(file("clash.csv"), `customer_id,at,customer_spend__payments_1h\nc1,${NOON},1\n`);
    const made = makeTrainingSet(context(), options("clash.csv", "clash-out.csv"));
    await expect(made).rejects.toThrow(/customer_spend__payments_1h/);
  });

  it("computes features of several kinds of entities side by side", async () => {
    const rows = SPINE.map((row) => ({ ...row, merchant_id: "m1" }));
    writeFileSync(file("both.ndjson"), rows.map((row) => JSON.stringify(row)).join("\n"));
    const asked = { service: "payment_review" };
    await makeTrainingSet(context(), options("both.ndjson", "both-out.ndjson", { asked }));
    const answer = await api.call("POST /v1/features/history", {
      key: await api.key(),
      json: {
        ...asked,
        rows: rows.map(({ customer_id, merchant_id, at, amount }) => ({
          entity: { customer_id, merchant_id },
          at,
          request: { amount },
        })),
      },
    });
    const { names, rows: expected } = await answer.json<{
      names: string[];
      rows: { values: unknown[] }[];
    }>();
    expect(
      jsonLines("both-out.ndjson").map((row) => names.map((name) => row[name.replace(":", "__")])),
    ).toEqual(expected.map(({ values }) => values));
  });
});

describe("the spine's other columns", () => {
  const asked = { features: ["customer_lifetime:payments"] };

  it("keep the digits of their numbers, from JSON and from Parquet", async () => {
    const row = `{"customer_id":"c1","at":${NOON},"id":9007199254740993,"tags":["a",{"b":1}]}`;
    writeFileSync(file("digits.ndjson"), `${row}\n`);
    await makeTrainingSet(context(), options("digits.ndjson", "digits-out.ndjson", { asked }));
    const text = readFileSync(file("digits-out.ndjson"), "utf8");
    expect(text).toBe(`${row.slice(0, -1)},"customer_lifetime__payments":6}\n`);
    await makeTrainingSet(context(), options("digits.ndjson", "digits.csv", { asked }));
    expect(readFileSync(file("digits.csv"), "utf8").split("\n")[1]).toBe(
      `c1,${NOON},9007199254740993,"[""a"",{""b"":1}]",6`,
    );

    const columnData = [
      { name: "customer_id", data: ["c1"], type: "STRING" as const },
      { name: "at", data: [BigInt(NOON)], type: "INT64" as const },
      { name: "id", data: [9007199254740993n], type: "INT64" as const },
    ];
    writeFileSync(file("wide.parquet"), new Uint8Array(parquetWriteBuffer({ columnData })));
    await makeTrainingSet(context(), options("wide.parquet", "wide-out.parquet", { asked }));
    expect(await readParquet("wide-out.parquet")).toEqual([
      {
        customer_id: "c1",
        at: BigInt(NOON),
        id: 9007199254740993n,
        customer_lifetime__payments: 6n,
      },
    ]);
  });

  it("may come and go from line to line of JSON, and change their type", async () => {
    const rows = [{ a: 1 }, { b: "x" }, { a: true }, { a: 1.5, b: null }];
    const lines = rows.map((row) => JSON.stringify({ customer_id: "c1", at: NOON, ...row }));
    writeFileSync(file("ragged.ndjson"), lines.join("\n"));
    await makeTrainingSet(context(), options("ragged.ndjson", "ragged.parquet", { asked }));
    const found = await readParquet("ragged.parquet");
    expect(found.map(({ a, b }: Record<string, unknown>) => [a, b])).toEqual([
      ["1", null],
      [null, "x"],
      ["true", null],
      ["1.5", null],
    ]);
  });

  it("are refused where they cannot be read", async () => {
    writeFileSync(file("broken.parquet"), "no Parquet");
    writeFileSync(file("broken.csv"), 'a,b\n1,"x"y\n');
    writeFileSync(file("empty.csv"), "");
    writeFileSync(file("twice.csv"), "at,at\n");
    for (const name of ["broken.parquet", "broken.csv", "empty.csv", "twice.csv", "absent.csv"]) {
      const made = makeTrainingSet(context(), options(name, `${name}.csv`, { asked }));
      await expect(made).rejects.toThrow(UsageError);
    }
  });
});

describe("a training set of online answers", () => {
  const asked = { service: "fraud_features" };
  const audited = (spine: string, out: string, changes: Partial<MakeOptions> = {}) =>
    options(spine, out, { asked, versionColumn: "v", ...changes });
  const REQUEST = { amount: 7.5, country: "FR" };
  interface Served {
    readonly customer_id: string;
    readonly amount: number;
    readonly country: string;
    readonly at: number;
    readonly v: Record<string, string> | null;
    readonly values: unknown[];
  }
  let served: Served[];
  let names: string[];

  /** What was answered before more became known of the same times, and what that made of it. */
  beforeAll(async () => {
    const key = await api.key();
    const entities = Array.from({ length: 12 }, (_, i) => ({ customer_id: `c${i}` }));
    const request = entities.map(() => REQUEST);
    const json = { ...asked, entities, request };
    const answer = await api.call("POST /v1/features/online", { key, json });
    const body = await answer.json<{
      as_of: number;
      names: string[];
      results: {
        entity: { customer_id: string };
        values: unknown[];
        version: Record<string, string>;
      }[];
    }>();
    ({ names } = body);
    served = body.results.map(({ entity, values, version }) => ({
      customer_id: entity.customer_id,
      ...REQUEST,
      at: body.as_of,
      v: version,
      values,
    }));
    const events = entities.map(({ customer_id }, i) => ({
      event: payment({
        payment_id: `late${i}`,
        customer_id,
        amount: "1000",
        paid_at: new Date(NOON - 30_000).toISOString(),
      }),
      known_at: NOON - 20_000,
    }));
    await api.call("POST /v1/sources/payments/import", { key, json: { events } });
    await api.settle();
  });

  const spineOf = () =>
    served.map(({ customer_id, amount, country, at, v }) => ({
      customer_id,
      amount,
      country,
      at,
      v,
    }));
  const valuesOf = (row: Record<string, unknown>) =>
    names.map((name) => row[name.replace(":", "__")]);

  it.each(["csv", "ndjson", "parquet"])(
    "has their values again from a %s spine, whatever became known since",
    async (format) => {
      const rows = spineOf();
      const texts = rows.map(({ v }) => JSON.stringify(v));
      if (format === "csv") {
        const lines = rows.map(
          ({ customer_id, amount, country, at }, i) =>
            `${customer_id},${amount},${country},${at},"${texts[i]?.replaceAll('"', '""')}"`,
        );
        writeFileSync(file("served.csv"), ["customer_id,amount,country,at,v", ...lines].join("\n"));
      } else if (format === "ndjson") {
        const lines = rows.map((row) => JSON.stringify(row));
        writeFileSync(file("served.ndjson"), lines.join("\n"));
      } else {
        const columnData = [
          {
            name: "customer_id",
            data: rows.map((row) => row.customer_id),
            type: "STRING" as const,
          },
          { name: "amount", data: rows.map(({ amount }) => amount), type: "DOUBLE" as const },
          { name: "country", data: rows.map(({ country }) => country), type: "STRING" as const },
          { name: "at", data: rows.map(({ at }) => new Date(at)), type: "TIMESTAMP" as const },
          { name: "v", data: rows.map(({ v }) => v), type: "JSON" as const },
        ];
        writeFileSync(file("served.parquet"), new Uint8Array(parquetWriteBuffer({ columnData })));
      }
      const out = `served-${format}.ndjson`;
      await makeTrainingSet(context(), audited(`served.${format}`, out));
      const made = jsonLines(out);
      expect(made.map(valuesOf)).toEqual(served.map(({ values }) => values));
      // The same rows without their versions have what was known by then, and that is more.
      const plain = `known-${format}.ndjson`;
      await makeTrainingSet(context(), options(`served.${format}`, plain, { asked }));
      expect(jsonLines(plain).map(valuesOf)).not.toEqual(served.map(({ values }) => values));
    },
  );

  it("has them again by the versions of then, of which some features are left", async () => {
    const registry = compileDefinitions([
      customer,
      payments,
      featureView("customer_spend", {
        entity: customer,
        source: payments,
        features: { last_country: last("country"), payments_1h: count().over("2h") },
      }),
    ]);
    const { archive, online, definitions, now } = api.ctx();
    const folding = { fold: async () => undefined, foldWaiting: async () => undefined };
    const progress = (): void => undefined;
    const ports = { archive, online, definitions, now, progress, ...folding };
    await applyDefinitions({ ...ports, registry, beside: true });
    const rows = spineOf().map((row) => JSON.stringify(row));
    writeFileSync(file("then.ndjson"), rows.join("\n"));
    const left = ["customer_spend:payments_1h", "customer_spend:last_country"];
    const of = { ...audited("then.ndjson", "then-out.ndjson"), asked: { features: left } };
    await makeTrainingSet(context({ registry }), of);
    const made = jsonLines("then-out.ndjson").map((row) =>
      left.map((name) => row[name.replace(":", "__")]),
    );
    const at = left.map((name) => names.indexOf(name));
    expect(made).toEqual(served.map(({ values }) => at.map((i) => values[i])));
  });

  it("takes rows without a version as any others", async () => {
    const rows = spineOf().map((row, i) =>
      i % 2 === 0 ? row : { ...row, v: i % 4 === 1 ? null : "" },
    );
    writeFileSync(file("some.ndjson"), rows.map((row) => JSON.stringify(row)).join("\n"));
    await makeTrainingSet(context(), audited("some.ndjson", "some-out.ndjson"));
    await makeTrainingSet(context(), options("some.ndjson", "none-out.ndjson", { asked }));
    const [some, none] = [jsonLines("some-out.ndjson"), jsonLines("none-out.ndjson")];
    for (const [i, row] of some.entries()) {
      const expected = i % 2 === 0 ? served[i]?.values : valuesOf(none[i] ?? {});
      expect(valuesOf(row)).toEqual(expected);
    }
  });

  it("names every version that cannot be used, by its row", async () => {
    const [first] = spineOf();
    if (first === undefined || first.v === null) throw new Error("nothing was served");
    const { customer_spend = "" } = first.v;
    const [ofView, ofEntity] = customer_spend.split(".").map(Number) as [number, number];
    const { velocity: _, ...lacking } = first.v;
    const spend = (text: unknown) => ({ ...first, v: { ...first.v, customer_spend: text } });
    const rows = [
      first,
      { ...first, v: "1.17" },
      { ...first, v: [] },
      spend(1.17),
      spend("one"),
      { ...first, v: lacking },
      spend(`${ofView + 8}.${ofEntity}`),
      spend(`${ofView}.${ofEntity + 9}`),
      { ...first, known_at: NOON },
    ];
    writeFileSync(file("wrong.ndjson"), rows.map((row) => JSON.stringify(row)).join("\n"));
    told.length = 0;
    const refused = makeTrainingSet(context(), audited("wrong.ndjson", "wrong-out.ndjson"));
    await expect(refused).rejects.toThrow(/8 of 9 rows cannot be used/);
    const noVersion = 'v: expected the version of an online answer, as {"customer_spend":"1.17"}';
    const lines = told.flatMap((line) => line.split("\n")).map((line) => line.split("ndjson:")[1]);
    expect(lines.filter((line) => line !== undefined)).toEqual([
      `2: ${noVersion}`,
      `3: ${noVersion}`,
      `4: ${noVersion}`,
      "5: version.customer_spend: expected a version as an online answer has it, as 1.17",
      '6: version.velocity: the version of "velocity" is missing',
      `7: version.customer_spend: version ${ofView + 8} of "customer_spend" was never applied`,
      `8: version.customer_spend: the entity does not have version ${ofEntity + 9} yet`,
      "9: known_at: give either known_at or version: a version says itself what was known",
    ]);
    const rejects = file("wrong-aside.ndjson");
    const made = makeTrainingSet(
      context(),
      audited("wrong.ndjson", "wrong-out.ndjson", { rejects }),
    );
    expect(await made).toBe(1);
    expect(jsonLines("wrong-aside.ndjson").map(({ line }) => line)).toEqual([
      2, 3, 4, 5, 6, 7, 8, 9,
    ]);
    expect(jsonLines("wrong-out.ndjson").map(valuesOf)).toEqual([served[0]?.values]);
  });

  it("goes on after it was killed, with the same column alone", async () => {
    const long = Array.from({ length: 1_200 }, (_, i) => ({
      ...spineOf()[i % served.length],
      note: "x".repeat(2_000),
    }));
    writeFileSync(file("audited.ndjson"), long.map((row) => JSON.stringify(row)).join("\n"));
    const { history } = context();
    let reads = 0;
    const dying = context({
      history: {
        ...history,
        async readEvents(...args) {
          reads += 1;
          if (reads > 3) throw new Error("killed");
          return history.readEvents(...args);
        },
      },
    });
    const same = audited("audited.ndjson", "audited-out.ndjson");
    await expect(makeTrainingSet(dying, same)).rejects.toThrow("killed");
    const other = makeTrainingSet(context(), { ...same, versionColumn: null });
    await expect(other).rejects.toThrow(/parts of another training set/);
    told.length = 0;
    expect(await makeTrainingSet(context(), same)).toBe(long.length);
    expect(told[0]).toMatch(/^Going on/);
    const made = jsonLines("audited-out.ndjson").map(valuesOf);
    expect(made).toEqual(long.map((_, i) => served[i % served.length]?.values));
  });
});

describe("a training set that was killed", () => {
  /** A spine of many partitions. */
  const rows = Array.from({ length: 1_000 }, (_, i) => ({
    customer_id: `c${i % 40}`,
    at: NOON - i * 1_000,
    note: "x".repeat(5_000),
  }));

  it("goes on with what was done, and ends as if nothing had happened", async () => {
    writeFileSync(file("long.ndjson"), rows.map((row) => JSON.stringify(row)).join("\n"));
    const asked = { features: ["customer_spend"] };
    await makeTrainingSet(context(), options("long.ndjson", "whole.ndjson", { asked }));

    const { history } = context();
    let reads = 0;
    const dying = context({
      history: {
        ...history,
        async readHeads(...args) {
          reads += 1;
          if (reads > 3) throw new Error("killed");
          return history.readHeads(...args);
        },
      },
    });
    const long = options("long.ndjson", "long-out.ndjson", { asked });
    await expect(makeTrainingSet(dying, long)).rejects.toThrow("killed");
    expect(existsSync(file("long-out.ndjson"))).toBe(false);

    const other = makeTrainingSet(context(), { ...long, known: "latest" });
    await expect(other).rejects.toThrow(UsageError);
    await expect(makeTrainingSet(context({ where: "elsewhere" }), long)).rejects.toThrow(
      /parts of another training set/,
    );

    let again = 0;
    const counted = context({
      now: () => NOON + 5_000,
      history: {
        ...history,
        async readHeads(...args) {
          again += 1;
          return history.readHeads(...args);
        },
      },
    });
    told.length = 0;
    expect(await makeTrainingSet(counted, long)).toBe(rows.length);
    expect(told[0]).toMatch(/^Going on/);
    const partitions = partitionsOf(file("long.ndjson"), readFileSync(file("long.ndjson")).length);
    expect(partitions).toBeGreaterThan(3);
    expect(again).toBeLessThan(partitions);
    const [continued, uninterrupted] = ["long-out.ndjson", "whole.ndjson"].map((name) =>
      readFileSync(file(name), "utf8"),
    );
    expect(continued === uninterrupted).toBe(true);
  });
});

describe("the command line", () => {
  const needed = ["--service", "fraud_features", "--spine", "a.csv", "--out", "b.parquet"];

  it("says what is missing or wrong", () => {
    const refused = (...args: string[]) => expect(() => readTrainingArgs(args)).toThrow(UsageError);
    refused();
    refused(...needed.slice(2));
    refused(...needed, "--features", "x");
    refused(...needed.slice(0, 4));
    refused(...needed.slice(0, 2), "--spine", "a.xlsx", "--out", "b.csv");
    refused(...needed, "--known", "later");
    refused(...needed, "--known", "latest", "--version-column", "v");
    refused(...needed, "--tenant", "No Tenant");
    refused(...needed, "more");
    expect(readTrainingArgs(["--help"])).toBeNull();
  });

  it("keeps parts beside the output, unless it is told where", () => {
    expect(readTrainingArgs(needed)).toMatchObject({
      asked: { service: "fraud_features" },
      known: "as_served",
      atColumn: "at",
      versionColumn: null,
      workDir: "b.parquet.work",
    });
    const more = ["--work", "parts", "--at", "seen", "--version-column", "version"];
    expect(readTrainingArgs([...needed, ...more])).toMatchObject({
      workDir: "parts",
      atColumn: "seen",
      versionColumn: "version",
    });
  });
});
