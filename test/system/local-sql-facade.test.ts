import { neon, neonConfig, NeonDbError, type FullQueryResults } from "@neondatabase/serverless";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Fault } from "../../local/facade-server.ts";
import { openPg } from "../../local/pg-backend.ts";
import { openPglite } from "../../local/pglite-backend.ts";
import type { SqlBackend } from "../../local/sql-backend.ts";
import { startSqlFacade, type SqlFacade } from "../../local/sql-facade.ts";
import { NodeBuffer } from "../support/node-buffer.ts";

const server = process.env["DATABASE_URL_TEST"];
const backends: readonly (readonly [string, () => Promise<SqlBackend>])[] = [
  ["the embedded Postgres", () => openPglite({ memory: true })],
  ...(server === undefined ? [] : [["a Postgres server", () => openPg(server)] as const]),
];

describe.each(backends)("the SQL façade before %s", (_which, open) => {
  const table = `facade_${randomUUID().replaceAll("-", "")}`;
  const faults: Fault[] = [];
  let backend: SqlBackend;
  let facade: SqlFacade;
  let sql: ReturnType<typeof connect>;

  function connect(connectionString = facade.connectionString) {
    return neon(connectionString, {
      fullResults: true,
      disableWarningInBrowsers: true,
    });
  }

  async function failureOf(work: Promise<unknown>): Promise<NeonDbError> {
    const error: unknown = await work.catch((reason: unknown) => reason);
    if (error instanceof NeonDbError) return error;
    throw new Error("expected a NeonDbError");
  }

  const values = async (text: string, params: readonly unknown[] = []): Promise<unknown> =>
    (await sql.query(text, [...params], { arrayMode: true })).rows[0];

  beforeAll(async () => {
    backend = await open();
    facade = await startSqlFacade({ backend, fault: () => faults.shift() ?? null });
    neonConfig.fetchEndpoint = facade.sqlUrl;
    sql = connect();
    await sql.query(`CREATE TABLE ${table} (id int PRIMARY KEY, note text)`);
  });
  beforeEach(async () => void (await sql.query(`DELETE FROM ${table}`)));
  afterAll(async () => {
    await sql.query(`DROP TABLE ${table}`);
    await facade.close();
    await backend.close();
  });

  it("carries every kind of value there and back as the driver reads them", async () => {
    expect(
      await values(
        "SELECT $1::int, $2::bigint, $3::float8, $4::numeric, $5::bool, $6::text, $7::text[], $8::int[], $9::jsonb, $10::text",
        [
          7,
          "9007199254740993",
          0.1,
          "1.50",
          true,
          "naïve\n\"'\\ 東京",
          ["x", "y,z", null, '"\\'],
          [1, 2, null],
          { a: [1, null] },
          null,
        ],
      ),
    ).toEqual([
      7,
      "9007199254740993",
      0.1,
      "1.50",
      true,
      "naïve\n\"'\\ 東京",
      ["x", "y,z", null, '"\\'],
      [1, 2, null],
      { a: [1, null] },
      null,
    ]);
  });

  it("carries bytes", async () => {
    const bytes = NodeBuffer.from([0, 1, 127, 128, 255]);
    expect(await values("SELECT $1::bytea", [bytes])).toEqual([bytes]);
  });

  it("carries vectors as text", async () => {
    await sql.query("CREATE EXTENSION IF NOT EXISTS vector");
    expect(await values("SELECT $1::vector <-> '[0,3]'", ["[4,0]"])).toEqual([5]);
  });

  it("tells of the fields, the command and the number of rows", async () => {
    const result: FullQueryResults<false> = await sql.query(
      `INSERT INTO ${table} VALUES (1, 'a'), (2, NULL) RETURNING id, note`,
    );
    expect(result).toMatchObject({ command: "INSERT", rowCount: 2, rowAsArray: false });
    expect(result.fields.map(({ name, dataTypeID }) => [name, dataTypeID])).toEqual([
      ["id", 23],
      ["note", 25],
    ]);
    expect(result.rows).toEqual([
      { id: 1, note: "a" },
      { id: 2, note: null },
    ]);
  });

  it("gives rows as arrays where they are asked for", async () => {
    const options = { arrayMode: true } as const;
    const result = await sql.query("SELECT 1 AS a, 2 AS a", [], options);
    expect(result.rows).toEqual([[1, 2]]);
  });

  it("answers an error with the server's fields", async () => {
    await sql.query(`INSERT INTO ${table} VALUES (1)`);
    const error = await failureOf(sql.query(`INSERT INTO ${table} VALUES (1)`));
    expect(error).toMatchObject({
      code: "23505",
      severity: "ERROR",
      table,
      constraint: `${table}_pkey`,
      detail: "Key (id)=(1) already exists.",
    });
  });

  it("goes on after an error", async () => {
    expect(await failureOf(sql.query("SELECT nothing"))).toMatchObject({ code: "42703" });
    expect(await values("SELECT 1")).toEqual([1]);
  });

  it("refuses two statements in one", async () => {
    expect(await failureOf(sql.query("SELECT 1; SELECT 2"))).toMatchObject({ code: "42601" });
  });

  it("runs a batch as one transaction", async () => {
    const results = await sql.transaction([
      sql`INSERT INTO ${sql.unsafe(table)} VALUES (1, 'a')`,
      sql`SELECT count(*)::int AS n FROM ${sql.unsafe(table)}`,
    ]);
    expect(results.map(({ rows }) => rows)).toEqual([[], [{ n: 1 }]]);
  });

  it("undoes all of a batch when one of it fails", async () => {
    const batch = sql.transaction([
      sql`INSERT INTO ${sql.unsafe(table)} VALUES (1, 'a')`,
      sql`SELECT 1 / (count(*) - 1) FROM ${sql.unsafe(table)}`,
    ]);
    expect(await failureOf(batch)).toMatchObject({ code: "22012" });
    expect(await values(`SELECT count(*)::int FROM ${table}`)).toEqual([0]);
  });

  it("begins a batch as its headers say", async () => {
    const [isolation, readOnly] = await sql.transaction(
      [sql`SHOW transaction_isolation`, sql`SHOW transaction_read_only`],
      { isolationLevel: "Serializable", readOnly: true, deferrable: true },
    );
    expect(isolation?.rows).toEqual([{ transaction_isolation: "serializable" }]);
    expect(readOnly?.rows).toEqual([{ transaction_read_only: "on" }]);
  });

  it("keeps SET LOCAL within its batch, and SET within its request", async () => {
    const [, inside] = await sql.transaction([
      sql`SET LOCAL work_mem = '123kB'`,
      sql`SHOW work_mem`,
    ]);
    expect(inside?.rows).toEqual([{ work_mem: "123kB" }]);
    await sql.query("SET work_mem = '321kB'");
    expect(await values("SHOW work_mem")).toEqual(["4MB"]);
  });

  it("answers concurrent requests, each with its own", async () => {
    const numbers = Array.from({ length: 200 }, (_, i) => i);
    const answers = await Promise.all(numbers.map((n) => values("SELECT $1::int", [n])));
    expect(answers).toEqual(numbers.map((n) => [n]));
  });

  it("refuses a connection string with another password", async () => {
    const wrong = connect(facade.connectionString.replace(/:[^:@]+@/, ":guess@"));
    const before = facade.requests();
    expect(await failureOf(wrong.query("SELECT 1"))).toMatchObject({ code: "28P01" });
    expect(facade.requests()).toBe(before + 1);
  });

  it.each([
    ["does nothing for a request that is dropped", "drop", 0],
    ["has done what it was asked when its answer is lost", "lose", 1],
    ["does nothing where an error is injected", "error", 0],
  ] as const)("%s", async (_name, fault, rows) => {
    faults.push(fault);
    await failureOf(sql.query(`INSERT INTO ${table} VALUES (1)`));
    await expect.poll(() => facade.active()).toBe(0);
    expect(await values(`SELECT count(*)::int FROM ${table}`)).toEqual([rows]);
  });

  it("delays where a delay is injected", async () => {
    faults.push({ delayMs: 60 });
    const began = performance.now();
    await sql.query("SELECT 1");
    expect(performance.now() - began).toBeGreaterThan(55);
  });
});
