import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AppError } from "../../src/errors.ts";
import { RejectedByStore } from "../../src/features/event-log.ts";
import { createSqlClient, type SqlClient } from "../../src/platform/neon/sql-client.ts";
import { newTenant } from "../support/log-events.ts";
import { openPgliteTruth, type SqlTruth } from "../support/stores.ts";

const SECRET = "somebody@example.com";

describe("the SQL client", () => {
  let truth: SqlTruth;
  let client: SqlClient;
  let trips = 0;
  beforeAll(async () => void (truth = await openPgliteTruth()));
  afterAll(() => truth.close());
  beforeEach(() => {
    trips = 0;
    client = clientWith({});
  });

  function clientWith(options: { connectionString?: string; timeoutMs?: number }): SqlClient {
    return createSqlClient({
      connectionString: options.connectionString ?? truth.connectionString,
      fetchEndpoint: truth.sqlUrl,
      timeoutMs: options.timeoutMs ?? 5_000,
      onRoundTrip: () => void (trips += 1),
    });
  }

  async function failure(work: Promise<unknown>): Promise<AppError | RejectedByStore> {
    const error = await work.then(
      () => null,
      (reason: unknown) => reason,
    );
    if (error instanceof AppError || error instanceof RejectedByStore) return error;
    throw new Error("expected an AppError or RejectedByStore");
  }

  /** All that anybody could print of an error. */
  const printed = (error: Error): string =>
    [error, error.cause]
      .map((part) => (part instanceof Error ? `${part.message} ${JSON.stringify(part)}` : ""))
      .join(" ");

  it("makes one request a statement and gives bigints as text", async () => {
    const rows = await client.query("SELECT $1::bigint AS a, $2::text[] AS b, $3::text AS c", [
      9_007_199_254_740_991,
      ["x", null, 'q"\\'],
      null,
    ]);
    expect(rows[0]?.["a"]).toBe("9007199254740991");
    expect(rows[0]?.["b"]).toEqual(["x", null, 'q"\\']);
    expect(rows[0]?.["c"]).toBeNull();
    expect(trips).toBe(1);
  });

  it.each([
    ["a value that is no value of its type", "SELECT $1::bigint"],
    ["a division by zero", "SELECT 1 / (length($1) * 0)"],
    ["a null where none may be", "INSERT INTO erasures (tenant) VALUES ($1)"],
  ])("says RejectedByStore of %s, without the value", async (_what, text) => {
    const error = await failure(client.query(text, [SECRET]));
    expect(error).toBeInstanceOf(RejectedByStore);
    expect(printed(error)).not.toContain(SECRET);
    expect(printed(error)).toMatch(/Postgres: 2[23][0-9A-Z]{3}/);
    expect(trips).toBe(1);
  });

  it.each([["a\0b"], ["\ud800"], [["good", "\udc00"]]])(
    "refuses text that is no Unicode or has a NUL without a request",
    async (param) => {
      const error = await failure(client.query("SELECT $1::text", [param]));
      expect(error).toBeInstanceOf(RejectedByStore);
      expect(trips).toBe(0);
    },
  );

  it.each([
    ["a table that is not there", `SELECT * FROM "${SECRET}"`],
    ["SQL that is none", `SELEC '${SECRET}'`],
  ])("says internal of %s", async (_what, text) => {
    const error = await failure(client.query(text, []));
    expect(error).toMatchObject({ code: "internal" });
    expect(printed(error)).not.toContain(SECRET);
  });

  it.each([["drop" as const], ["lose" as const], ["error" as const]])(
    "says dependency_unavailable, once, when the database does not answer (%s)",
    async (fault) => {
      truth.faults.push(fault);
      const error = await failure(client.query("SELECT $1::text", [SECRET]));
      expect(error).toMatchObject({ code: "dependency_unavailable" });
      expect(printed(error)).not.toContain(SECRET);
      expect(trips).toBe(1);
      expect(await client.query("SELECT 1 AS one", [])).toHaveLength(1);
    },
  );

  it("has done its work when only the answer was lost", async () => {
    const tenant = newTenant();
    const insert = "INSERT INTO erasures VALUES ($1, 'customer', 'c', 1)";
    truth.faults.push("lose");
    await failure(client.query(insert, [tenant]));
    expect(await failure(client.query(insert, [tenant]))).toBeInstanceOf(RejectedByStore);
  });

  it("gives up at its deadline", async () => {
    truth.faults.push({ delayMs: 2_000 });
    const error = await failure(clientWith({ timeoutMs: 50 }).query("SELECT 1", []));
    expect(error).toMatchObject({ code: "dependency_unavailable" });
    expect(printed(error)).toContain("TimeoutError");
  });

  describe("a batch", () => {
    const insert = "INSERT INTO erasures VALUES ($1, 'customer', $2, 1)";
    const countOf = async (tenant: string): Promise<number> =>
      (await client.query("SELECT FROM erasures WHERE tenant = $1", [tenant])).length;

    it("answers each statement's rows, in one request", async () => {
      const tenant = newTenant();
      const [none, rows, setting] = await client.batch([
        { text: insert, params: [tenant, "a"] },
        { text: "SELECT entity_key AS k FROM erasures WHERE tenant = $1", params: [tenant] },
        { text: "SELECT set_config('hnsw.ef_search', '77', true) AS ef", params: [] },
      ]);
      expect([none, rows, setting]).toEqual([[], [{ k: "a" }], [{ ef: "77" }]]);
      expect(trips).toBe(1);
    });

    it("is all or nothing, and says what a single statement would say", async () => {
      const tenant = newTenant();
      const good = { text: insert, params: [tenant, "a"] };
      const refused = client.batch([good, { text: "SELECT $1::bigint", params: [SECRET] }]);
      expect(await failure(refused)).toBeInstanceOf(RejectedByStore);
      const wrong = client.batch([good, { text: "SELEC", params: [] }]);
      expect(await failure(wrong)).toMatchObject({ code: "internal" });
      const unstorable = client.batch([good, { text: insert, params: [tenant, "\0"] }]);
      expect(await failure(unstorable)).toBeInstanceOf(RejectedByStore);
      expect(trips).toBe(2);
      truth.faults.push("drop");
      expect(await failure(client.batch([good]))).toMatchObject({
        code: "dependency_unavailable",
      });
      expect(await countOf(tenant)).toBe(0);
    });

    it("lets each statement see what others committed before it began", async () => {
      const level = [{ text: "SHOW transaction_isolation", params: [] }];
      expect(await client.batch(level)).toEqual([[{ transaction_isolation: "read committed" }]]);
    });

    it("is sent again as a whole when it lost a race", async () => {
      const tenant = newTenant();
      const raise = `DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40P01'; END $$`;
      const good = { text: insert, params: [tenant, "a"] };
      const error = await failure(client.batch([good, { text: raise, params: [] }]));
      expect(error).toMatchObject({ code: "dependency_unavailable" });
      expect(trips).toBe(5);
      expect(await countOf(tenant)).toBe(0);
    });
  });

  it("keeps the connection string to itself", async () => {
    const strange = [`postgresql://user:${SECRET}@`, `mysql://user:${SECRET}@host/db`, SECRET];
    for (const connectionString of strange) {
      const error = await failure(clientWith({ connectionString }).query("SELECT 1", []));
      expect(error).toMatchObject({ code: "dependency_unavailable" });
      expect(printed(error)).not.toContain(SECRET);
    }
    const wrong = truth.connectionString.replace(/:[^:@]+@/, ":wrong@");
    const error = await failure(clientWith({ connectionString: wrong }).query("SELECT 1", []));
    expect(error).toMatchObject({ code: "dependency_unavailable" });
  });

  it("sends again what lost a race, and gives up after five times", async () => {
    const raise = `DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40P01'; END $$`;
    const error = await failure(client.query(raise, []));
    expect(error).toMatchObject({ code: "dependency_unavailable" });
    expect(printed(error)).toContain("40P01");
    expect(trips).toBe(5);
  });

  it("does not blame the data for an overloaded server", async () => {
    for (const code of ["53300", "57P01", "08006", "XX000", "57014"]) {
      const raise = `DO $$ BEGIN RAISE EXCEPTION '${SECRET}' USING ERRCODE = '${code}'; END $$`;
      const error = await failure(client.query(raise, []));
      expect(error).toMatchObject({ code: "dependency_unavailable" });
      expect(printed(error)).not.toContain(SECRET);
    }
    expect(trips).toBe(5);
  });
});
