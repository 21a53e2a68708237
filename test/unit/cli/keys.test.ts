import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { runCommand } from "../../../cli/args.ts";
import { runKeys } from "../../../cli/support/keys-command.ts";
import { verifyApiKey } from "../../../src/governance/api-key.ts";
import { rolesByName } from "../../../src/governance/built-in-roles.ts";
import { DAY_MS } from "../../../src/time.ts";
import { createMemoryKeyStore } from "../../support/fakes/memory-key-store.ts";
import { createMemoryTruth } from "../../support/fakes/memory-truth.ts";

const SECRET = "the-first-secret-of-thirty-two-bytes";
const NOW = 1_795_324_745_202;

interface Run {
  readonly code: number;
  readonly printed: string;
  readonly told: string;
}

function command(secret: string | null = SECRET, now = NOW) {
  const truth = createMemoryTruth();
  const keys = async (...args: string[]): Promise<Run> => {
    const printed: string[] = [];
    const told: string[] = [];
    const terminal = {
      print: (line: string) => void printed.push(line),
      tell: (line: string) => void told.push(line),
    };
    const code = await runCommand(terminal, "keys --help", () =>
      runKeys(args, {
        terminal,
        roles: rolesByName(),
        now,
        findSecret: async () => (secret === null ? null : { value: secret, from: ".dev.vars" }),
        openStore: async () => ({ where: "the test", store: createMemoryKeyStore(truth) }),
      }),
    );
    return { code, printed: printed.join("\n"), told: told.join("\n") };
  };
  return { keys, truth };
}

const { keys } = command();
const valid = ["create", "--tenant", "acme", "--role", "reader"];
const claimsOf = async (key: string) => {
  const verified = await verifyApiKey([SECRET], key, NOW);
  if (!verified.ok) throw new Error(verified.error);
  return verified.value;
};

describe("keys create", () => {
  it("prints a secret key alone, and tells what it may do", async () => {
    const args = ["--tenant", "acme", "--role", "reader", "--role", "producer"];
    const run = await keys("create", ...args, "--name", "Reports", "--expires", "90d");
    expect(run.code).toBe(0);
    expect(run.printed).toMatch(/^fr_live_[\w.-]+$/);
    expect(await claimsOf(run.printed)).toEqual({
      v: 1,
      tenant: "acme",
      kid: expect.stringMatching(/^key_[0-9a-z]{26}$/) as string,
      roles: ["reader", "producer"],
      name: "Reports",
      exp: Math.floor((NOW + 90 * DAY_MS) / 1000),
    });
    expect(run.told).toMatch(/^key_\w+ "Reports": secret key of tenant acme$/m);
    expect(run.told).toMatch(/ producer {2}ingest on source:\*$/m);
    expect(run.told).toMatch(/cannot be shown again/);
    expect(run.told).not.toContain(run.printed);
    expect(run.told).not.toContain(SECRET);
  });

  it("prints a publishable key, and tells only what such a key may do", async () => {
    const origins = ["--origin", "https://shop.example", "--origin", "http://localhost:5173"];
    const roles = ["--role", "admin", "--role", "producer"];
    const run = await keys("create", "--tenant", "acme", ...roles, "--publishable", ...origins);
    expect(run.printed).toMatch(/^fr_pub_/);
    expect(await claimsOf(run.printed)).toMatchObject({
      origins: ["https://shop.example", "http://localhost:5173"],
    });
    expect(run.told).toMatch(/read_features/);
    expect(run.told).toMatch(/producer {2}grants nothing that this key may do/);
    expect(run.told).not.toMatch(/ingest|erase/);
  });

  it("signs with the first secret of a list", async () => {
    const rotating = command(`a-new-secret-of-at-least-32-bytes!!,${SECRET}`);
    const { printed } = await rotating.keys(...valid);
    expect(await verifyApiKey([SECRET], printed, NOW)).toMatchObject({ error: "bad_signature" });
  });

  it("says that a role nobody declared grants nothing", async () => {
    const run = await keys("create", "--tenant", "acme", "--role", "typo");
    expect(run.told).toMatch(/typo: no such role, so it grants nothing/);
  });

  it.each([
    [["create"], /--tenant acme/],
    [["create", "--tenant", "acme"], /at least one --role/],
    [["create", "--tenant", "Acme", "--role", "reader"], /"Acme" is no tenant/],
    [["create", "--tenant", "__proto__", "--role", "reader"], /is no tenant/],
    [["create", "--tenant", "acme", "--role", "*"], /roles\.0/],
    [[...valid, "--publishable"], /--origin https/],
    [[...valid, "--origin", "https://shop.example"], /add --publishable/],
    [[...valid, "--publishable", "--origin", "https://shop.example/"], /is no origin/],
    [[...valid, "--publishable", "--origin", "*"], /is no origin/],
    [[...valid, "--expires", "soon"], /--expires "soon"/],
    [[...valid, "--expires", "0d"], /--expires "0d"/],
    [[...valid, "--name", "x".repeat(81)], /name/],
    [[...valid, "--frob"], /--frob/],
    [[...valid, "extra"], /"extra"/],
    [["create", "--tenant"], /--tenant/],
  ])("refuses %j", async (args, message) => {
    const run = await keys(...args);
    expect(run).toMatchObject({ code: 2, printed: "" });
    expect(run.told).toMatch(message);
    expect(run.told).toMatch(/See: keys --help$/);
  });

  it.each([
    [null, /npm start makes one/],
    ["too-short", /in \.dev\.vars: signing secret 1 of 1 is shorter than 32 bytes/],
  ])("needs a good signing secret, not %j", async (secret, message) => {
    const run = await command(secret).keys(...valid);
    expect(run).toMatchObject({ code: 2, printed: "" });
    expect(run.told).toMatch(message);
    expect(run.told).not.toContain("too-short");
  });
});

describe("keys inspect", () => {
  it("explains a key, expired or not", async () => {
    const publishable = ["--publishable", "--origin", "https://shop.example"];
    const { printed: key } = await keys(...valid, "--expires", "1h", ...publishable);
    const fresh = await keys("inspect", key);
    expect(fresh.code).toBe(0);
    expect(fresh.printed).toMatch(/publishable key of tenant acme/);
    expect(fresh.printed).toMatch(/from {6}https:\/\/shop\.example, in browsers only/);
    expect(fresh.printed).toMatch(/expires {3}on 20/);
    const old = await command(SECRET, NOW + DAY_MS).keys("inspect", key);
    expect(old.printed).toMatch(/expires {3}expired on 20/);
  });

  it("says why it cannot explain another text", async () => {
    const { printed: key } = await keys(...valid);
    expect(await keys("inspect", "hello")).toMatchObject({ code: 1, printed: "" });
    expect((await keys("inspect", "hello")).told).toMatch(/no API key/);
    expect((await keys("inspect", `${key.slice(0, -2)}AA`)).told).toMatch(/No secret/);
    expect(await keys("inspect")).toMatchObject({ code: 2 });
    expect(await keys("inspect", key, key)).toMatchObject({ code: 2 });
  });
});

describe("keys revoke", () => {
  it("revokes a key by its id, once", async () => {
    const { keys: run, truth } = command();
    const first = await run("revoke", "--tenant", "acme", "key_01abc");
    expect(first.printed).toBe("key_01abc of tenant acme is revoked in the test.");
    const again = await run("revoke", "--tenant", "acme", "key_01abc");
    expect(again.printed).toMatch(/was revoked already/);
    expect([first.code, again.code]).toEqual([0, 0]);
    expect([...(truth.revokedKeys.get("acme") ?? [])]).toEqual(["key_01abc"]);
  });

  it("revokes a key that is given whole, even an expired one", async () => {
    const { keys: run, truth } = command(SECRET, NOW + DAY_MS);
    const { printed: key } = await keys(...valid, "--expires", "1h");
    expect((await run("revoke", key)).code).toBe(0);
    expect([...(truth.revokedKeys.get("acme") ?? [])]).toEqual([(await claimsOf(key)).kid]);
    expect((await run("revoke", "--tenant", "globex", key)).told).toMatch(/another tenant/);
  });

  it.each([
    [["revoke", "key_01abc"], /--tenant acme/],
    [["revoke", "--tenant", "acme"], /revoke --tenant/],
    [["revoke", "--tenant", "acme", "evt_01"], /Neither a key id nor a key/],
    [["revoke", "--tenant", "acme", "key_1'; DROP TABLE tenants"], /Neither/],
  ])("refuses %j", async (args, message) => {
    const { keys: run, truth } = command();
    const { code, told } = await run(...args);
    expect(code).toBe(2);
    expect(told).toMatch(message);
    expect(truth.revokedKeys.size).toBe(0);
  });
});

describe("the keys command", () => {
  it("explains itself", async () => {
    expect((await keys("--help")).printed).toMatch(/Roles: admin, producer, reader/);
    expect(await keys("create", "-h")).toMatchObject({ code: 0 });
    expect(await keys()).toMatchObject({ code: 2 });
    expect((await keys("mint")).told).toMatch(/create, inspect or revoke/);
  });

  it("runs as a program", async () => {
    const cli = join(import.meta.dirname, "../../../cli/keys.ts");
    const args = [cli, "create", "--tenant", "acme", "--role", "reader"];
    const env = { ...process.env, KEY_SIGNING_SECRET: SECRET };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { env });
    expect(await claimsOf(stdout.trim())).toMatchObject({ tenant: "acme", roles: ["reader"] });
    expect(stderr).toMatch(/secret key of tenant acme/);
  });
});
