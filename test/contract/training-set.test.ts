import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { consume } from "../../src/ingest/consume.ts";
import { newTenant } from "../support/log-events.ts";
import { applyAll, BASE, NOW, openPorts } from "../support/play.ts";
import { openPgliteTruth, type SqlTruth } from "../support/stores.ts";
import {
  byDevice,
  consumerOf,
  deliver,
  eventsMessage,
  expectedValues,
  logEventOf,
  type Reading,
} from "../support/write-path.ts";

const DEVICES = 20;

const readings: readonly Reading[] = Array.from({ length: 400 }, (_, i) => ({
  order: `e${i}`,
  time: BASE - i * 37_000,
  device: `d${i % DEVICES}`,
  source: "readings",
  fields: { price: `${i}.5`, level: i % 7, colour: i % 2 === 0 ? "red" : null, on: true },
}));

/** Rows long enough that they make many partitions. */
const SPINE = Array.from({ length: 6_000 }, (_, i) => ({
  device: `d${i % (DEVICES + 1)}`,
  at: BASE - i * 1_300,
  note: "x".repeat(1_500),
}));

describe("a training set in a process that is killed", () => {
  let truth: SqlTruth;
  let tenant: string;
  const directory = mkdtempSync(join(tmpdir(), "freshet-killed-"));
  const [spine, out] = [join(directory, "spine.ndjson"), join(directory, "out.ndjson")];
  const work = `${out}.work`;

  beforeAll(async () => {
    truth = await openPgliteTruth();
    tenant = newTenant();
    const ports = openPorts(truth, tenant);
    await applyAll(truth, ports, tenant);
    for (let from = 0; from < readings.length; from += 100) {
      const events = readings.slice(from, from + 100).map((one) => logEventOf(one, tenant));
      await consume(
        consumerOf(ports, () => NOW),
        [deliver(eventsMessage(events), `m${from}`)],
      );
    }
    writeFileSync(spine, SPINE.map((row) => JSON.stringify(row)).join("\n"));
  });
  afterAll(async () => {
    rmSync(directory, { recursive: true });
    await truth.close();
  });

  function start() {
    const script = join(import.meta.dirname, "../support/training-set-process.ts");
    const args = [script, truth.connectionString, truth.sqlUrl, tenant, spine, out, String(NOW)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    let printed = "";
    child.stdout.on("data", (text) => (printed += String(text)));
    return { child, exited: once(child, "exit"), printed: () => printed };
  }
  const finished = (): readonly string[] =>
    existsSync(work) ? readdirSync(work).filter((name) => name.endsWith(".values")) : [];

  it("is finished by the next, which begins where that one was", async () => {
    const first = start();
    while (finished().length === 0 && first.child.exitCode === null) await sleep(2);
    first.child.kill("SIGKILL");
    await first.exited;
    expect(first.child.signalCode).toBe("SIGKILL");
    expect(existsSync(out)).toBe(false);
    const kept = finished();
    expect(kept.length).toBeGreaterThan(0);

    const second = start();
    expect(await second.exited).toEqual([0, null]);
    expect(second.printed()).toMatch(/^Going on with/);
    expect(existsSync(work)).toBe(false);
    const rows = readFileSync(out, "utf8").trim().split("\n");
    expect(rows).toHaveLength(SPINE.length);
    const names = Object.keys(byDevice.features);
    for (const [i, line] of rows.entries()) {
      const row = JSON.parse(line) as Record<string, unknown>;
      const { device, at } = SPINE[i] as (typeof SPINE)[number];
      expect([row["device"], row["at"]]).toEqual([device, at]);
      if (i % 50 !== 0) continue;
      const own = readings.filter((one) => one.device === device && one.time < at);
      expect(names.map((name) => row[`by_device__${name}`])).toEqual(
        expectedValues("by_device", own, at),
      );
    }
  }, 60_000);
});
