// Run as a process of its own by bench/history.ts, so that its memory is measured apart: makes a
// training set as `npm run training-set` does, and says what that took.
import { createVault } from "../../src/governance/vault.ts";
import { createDefinitionStore } from "../../src/platform/neon/definition-store.ts";
import { createHistoryLog } from "../../src/platform/neon/history-log.ts";
import { createSqlClient } from "../../src/platform/neon/sql-client.ts";
import { makeTrainingSet } from "../../cli/training-set/make-training-set.ts";
import { TENANT } from "./load.ts";
import { tenRegistry } from "./view.ts";

export interface Made {
  readonly rows: number;
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakBytes: number;
  readonly steps: readonly string[];
}

const [connectionString = "", fetchEndpoint = "", spine = "", out = ""] = process.argv.slice(2);
const sql = createSqlClient({ connectionString, fetchEndpoint, timeoutMs: 60_000 });
const steps: string[] = [];
const tell = (line: string): void => void steps.push(line.trim());
const began = performance.now();
const rows = await makeTrainingSet(
  {
    registry: tenRegistry,
    history: createHistoryLog(sql),
    definitions: createDefinitionStore(sql),
    vault: createVault("an encryption secret for benchmarks alone"),
    where: fetchEndpoint,
    terminal: { print: tell, tell },
    // As on a terminal, but that nobody looks.
    screen: { tell, draw: () => undefined },
    now: () => Date.now(),
  },
  {
    tenant: TENANT,
    asked: { features: ["ten"] },
    known: "as_served",
    atColumn: "at",
    versionColumn: null,
    rejects: null,
    workDir: `${out}.work`,
    spine,
    out,
  },
);
const { user, system } = process.cpuUsage();
const made: Made = {
  rows,
  ms: performance.now() - began,
  cpuMs: (user + system) / 1_000,
  // Kilobytes, whatever the system says of its pages.
  peakBytes: process.resourceUsage().maxRSS * 1_024,
  steps,
};
process.send?.(made);
