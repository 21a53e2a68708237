import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { takeLock } from "../../local/lock.ts";
import { StartupError } from "../../local/startup-error.ts";

const HOLDER = join(import.meta.dirname, "local-lock-holder.ts");

describe("the lock on a data directory", () => {
  let parent: string;
  beforeAll(async () => void (parent = await mkdtemp(join(tmpdir(), "freshet-test-"))));
  afterAll(() => rm(parent, { recursive: true, force: true }));

  it("is one process's, and says whose and what to do", async () => {
    const directory = join(parent, "held");
    const holder = spawn(process.execPath, [HOLDER, directory], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    const refusal = takeLock(directory);
    await expect(refusal).rejects.toThrow(StartupError);
    await expect(refusal).rejects.toThrow(`in use by process ${holder.pid}. Stop that first`);

    holder.kill("SIGKILL");
    await once(holder, "exit");
    const lock = await takeLock(directory);
    lock.release();
  });

  it("is held once, and free when released", async () => {
    const directory = join(parent, "released");
    const lock = await takeLock(directory);
    await expect(takeLock(directory)).rejects.toThrow(`in use by process ${process.pid}`);
    lock.release();
    (await takeLock(directory)).release();
  });

  it("is given to one of many who want it at once", async () => {
    const directory = join(parent, "wanted");
    const taken = await Promise.allSettled(Array.from({ length: 8 }, () => takeLock(directory)));
    const winners = taken.filter((result) => result.status === "fulfilled");
    expect(winners).toHaveLength(1);
    winners[0]?.value.release();
  });
});
