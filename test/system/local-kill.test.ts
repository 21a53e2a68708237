import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPglite } from "../../local/pglite-backend.ts";

const WRITER = join(import.meta.dirname, "local-kill-writer.ts");

describe("the embedded Postgres", () => {
  let directory: string;
  beforeAll(async () => void (directory = await mkdtemp(join(tmpdir(), "freshet-test-"))));
  afterAll(() => rm(directory, { recursive: true, force: true }));

  /** Kills a writer after so many acknowledged rows; answers the last of them. */
  async function writeAndKill(dataDir: string, rows: number): Promise<number> {
    const writer = spawn(process.execPath, [WRITER, dataDir], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(writer, "exit");
    let written = 0;
    let last = 0;
    for await (const line of createInterface({ input: writer.stdout })) {
      last = Number(line);
      if (++written === rows) writer.kill("SIGKILL");
    }
    await exited;
    return last;
  }

  it("has every acknowledged row after kill -9, twice over, and goes on", async () => {
    const dataDir = join(directory, "postgres");
    const first = await writeAndKill(dataDir, 300);
    const acknowledged = await writeAndKill(dataDir, 100);
    expect(acknowledged).toBeGreaterThan(first);

    const backend = await openPglite({ dataDir });
    const { rows } = await backend.query({
      text: `SELECT count(*), max(n), bool_and(filling = repeat(md5(n::text), 200)) FROM numbered`,
      params: [],
    });
    const [count, max, whole] = rows[0] ?? [];
    expect(Number(max)).toBeGreaterThanOrEqual(acknowledged);
    expect([count, whole]).toEqual([max, "t"]);
    await backend.maintain();
    await backend.close();
  });

  it("begins anew when it was killed before it was ready", async () => {
    const dataDir = join(directory, "unready");
    const writer = spawn(process.execPath, [WRITER, dataDir], { stdio: "ignore" });
    setTimeout(() => writer.kill("SIGKILL"), 700);
    await once(writer, "exit");
    const backend = await openPglite({ dataDir });
    expect((await backend.query({ text: "SELECT 1", params: [] })).rows).toEqual([["1"]]);
    await backend.close();
  });
});
