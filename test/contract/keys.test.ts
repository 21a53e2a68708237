import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runKeys } from "../../cli/support/keys-command.ts";
import { connectDatabase } from "../../cli/support/database.ts";
import { rolesByName } from "../../src/governance/built-in-roles.ts";
import { createKeyStore } from "../../src/platform/neon/key-store.ts";
import { openPgliteTruth, type SqlTruth } from "../support/stores.ts";

describe("keys revoke on the local database", () => {
  let truth: SqlTruth;
  let root: string;
  beforeAll(async () => {
    truth = await openPgliteTruth();
    root = await mkdtemp(join(tmpdir(), "freshet-keys-"));
    await mkdir(join(root, ".freshet"));
    const { sqlUrl, connectionString } = truth;
    await writeFile(
      join(root, ".freshet/stack.json"),
      JSON.stringify({ sqlUrl, connectionString }),
    );
  });
  afterAll(async () => {
    await truth.close();
    await rm(root, { recursive: true });
  });

  it("writes the key's id once, and registers its tenant", async () => {
    const printed: string[] = [];
    const revoke = () =>
      runKeys(["revoke", "--tenant", "acme", "key_01abc"], {
        terminal: { print: (line) => void printed.push(line), tell: () => undefined },
        roles: rolesByName(),
        now: 1_795_324_745_202,
        findSecret: async () => null,
        openStore: async () => {
          const database = await connectDatabase({ env: {}, root });
          return { where: database.where, store: createKeyStore(database) };
        },
      });
    expect([await revoke(), await revoke()]).toEqual([0, 0]);
    expect(printed).toEqual([
      "key_01abc of tenant acme is revoked in the local database.",
      "key_01abc of tenant acme was revoked already in the local database.",
    ]);
    const rows = await truth.query("SELECT tenant, key_id, revoked_at FROM revoked_keys");
    expect(rows).toEqual([{ tenant: "acme", key_id: "key_01abc", revoked_at: "1795324745202" }]);
    expect(await truth.query("SELECT tenant FROM tenants")).toEqual([{ tenant: "acme" }]);
  });
});
