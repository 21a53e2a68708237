import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UsageError } from "../../../cli/args.ts";
import { connectDatabase } from "../../../cli/support/database.ts";
import { findSecret } from "../../../cli/support/secrets.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "freshet-cli-"));
  await mkdir(join(root, ".freshet"));
});
afterEach(() => rm(root, { recursive: true }));

const write = (path: string, text: string) => writeFile(join(root, path), text);

describe("a secret", () => {
  it("comes from the first place that has it", async () => {
    const find = (env = {}) => findSecret("KEY_SIGNING_SECRET", { env, root });
    expect(await find()).toBeNull();
    await write(".freshet/secrets.json", '{"KEY_SIGNING_SECRET":"local"}');
    expect(await find()).toEqual({ value: "local", from: ".freshet/secrets.json" });
    await write(".dev.vars", '# for wrangler\nOTHER=1\nKEY_SIGNING_SECRET="a, b=c"\n');
    expect(await find()).toEqual({ value: "a, b=c", from: ".dev.vars" });
    expect(await find({ KEY_SIGNING_SECRET: "mine" })).toEqual({
      value: "mine",
      from: "the environment",
    });
    expect(await find({ KEY_SIGNING_SECRET: "" })).toMatchObject({ from: ".dev.vars" });
  });
});

describe("the database", () => {
  it("is none where no stack runs and no Neon is named", async () => {
    for (const env of [{}, { DATABASE_URL: "postgres://u:p@localhost/db" }]) {
      await expect(connectDatabase({ env, root })).rejects.toThrow(UsageError);
    }
  });

  it("says of a database that is not Neon's why it is not asked", async () => {
    const env = { DATABASE_URL: "postgres://user:hush@db.example.com/db" };
    const words = /DATABASE_URL names db\.example\.com, which is no Neon database.*not asked/;
    await expect(connectDatabase({ env, root })).rejects.toThrow(words);
    await expect(connectDatabase({ env, root })).rejects.not.toThrow(/hush/);
    const nonsense = { DATABASE_URL: "hush" };
    await expect(connectDatabase({ env: nonsense, root })).rejects.toThrow(/names no host/);
    const sqlUrl = `http://127.0.0.1:${await closedPort()}/sql`;
    const connectionString = "postgres://user:hush@localhost/db";
    await write(".freshet/stack.json", JSON.stringify({ sqlUrl, connectionString }));
    const stale = await connectDatabase({ env, root });
    await expect(stale.query("SELECT 1", [])).rejects.toThrow(words);
  });

  it("is Neon where the environment names it, stack or not", async () => {
    await write(
      ".freshet/stack.json",
      '{"sqlUrl":"http://localhost:1/sql","connectionString":"x"}',
    );
    const env = { DATABASE_URL: "postgres://user:hush@ep-a-pooler.eu.aws.neon.tech/db" };
    const { where } = await connectDatabase({ env, root });
    expect(where).toBe("the database at ep-a-pooler.eu.aws.neon.tech");
  });

  it("that does not answer is named, without its password", async () => {
    const sqlUrl = `http://127.0.0.1:${await closedPort()}/sql`;
    const connectionString = "postgres://user:hush@localhost/db";
    await write(".freshet/stack.json", JSON.stringify({ sqlUrl, connectionString }));
    const database = await connectDatabase({ env: {}, root });
    const failed = database.query("SELECT 1", []);
    await expect(failed).rejects.toThrow(/the local database.*npm start/);
    await expect(failed).rejects.not.toThrow(/hush/);
  });
});

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
