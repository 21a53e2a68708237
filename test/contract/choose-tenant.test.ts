import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UsageError } from "../../cli/args.ts";
import { chooseTenant, chooseTenants } from "../../cli/support/choose-tenant.ts";
import type { Database } from "../../cli/support/database.ts";
import { createKeyStore } from "../../src/platform/neon/key-store.ts";
import { openPgliteTruth, type SqlTruth } from "../support/stores.ts";

const NOW = Date.UTC(2026, 10, 22, 12);

describe("the tenant of a command", () => {
  let truth: SqlTruth;
  let database: Database;
  const register = (tenant: string) => createKeyStore(truth).registerTenant(tenant, NOW);

  beforeAll(async () => {
    truth = await openPgliteTruth();
    database = {
      query: (...args) => truth.query(...args),
      batch: (...args) => truth.batch(...args),
      where: "the test",
      local: true,
    };
  });
  afterAll(() => truth.close());

  it("is one that is there: the named one, or the only one", async () => {
    await expect(chooseTenant(null, database)).rejects.toThrow(/there is none yet/);
    await expect(chooseTenant("acme", database)).rejects.toThrow(
      'There is no tenant "acme" in the test: there is none yet.',
    );
    await register("acme");
    expect(await chooseTenant(null, database)).toBe("acme");
    expect(await chooseTenant("acme", database)).toBe("acme");
    await expect(chooseTenant("acem", database)).rejects.toThrow(
      'There is no tenant "acem" in the test: there is acme.',
    );
    await register("globex");
    await expect(chooseTenant(null, database)).rejects.toThrow(
      /--tenant: there are acme, globex\.$/,
    );
    expect(await chooseTenants(null, database)).toEqual(["acme", "globex"]);
    expect(await chooseTenants("globex", database)).toEqual(["globex"]);
    await expect(chooseTenants("acem", database)).rejects.toThrow(UsageError);
  });

  it("is named among some, where there are many", async () => {
    for (let i = 10; i < 25; i += 1) await register(`t${i}`);
    await expect(chooseTenant("nobody", database)).rejects.toThrow(/, t\d\d and \d+ more\.$/);
  });
});
