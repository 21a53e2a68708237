import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { UsageError } from "../../../cli/args.ts";
import { readStartOptions } from "../../../local/start-options.ts";
import { StartupError } from "../../../local/startup-error.ts";

describe("readStartOptions", () => {
  it("has defaults for everything", () => {
    expect(readStartOptions([], {})).toEqual({
      help: false,
      port: 8787,
      dataDir: resolve(".freshet"),
      demo: true,
      reset: false,
      databaseUrl: undefined,
      redisUrl: undefined,
    });
  });

  it("takes options from the command line and the environment", () => {
    const args = ["--data-dir", "/data", "--no-demo", "--reset"];
    const env = { PORT: "9000", REDIS_URL: "redis://localhost", DATABASE_URL: "" };
    expect(readStartOptions(args, env)).toMatchObject({
      port: 9000,
      dataDir: "/data",
      demo: false,
      reset: true,
      databaseUrl: undefined,
      redisUrl: "redis://localhost",
    });
  });

  it("lets --port win over PORT", () => {
    expect(readStartOptions(["--port", "0"], { PORT: "9000" }).port).toBe(0);
  });

  it.each(["http", "-1", "65536", "80.5"])("refuses %s for a port", (PORT) => {
    expect(() => readStartOptions([], { PORT })).toThrow(StartupError);
  });

  it("refuses to reset when the database is somebody else's", () => {
    const env = { DATABASE_URL: "postgres://host/db" };
    expect(() => readStartOptions(["--reset"], env)).toThrow(/empty that yourself/);
  });

  it("refuses an option that there is not", () => {
    expect(() => readStartOptions(["--prot", "1"], {})).toThrow(UsageError);
  });
});
