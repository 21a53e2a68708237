import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEMO_TENANT, developmentKeys } from "../local/demo/keys.ts";
import { duration, grouped, percentile, table } from "../local/demo/words.ts";
import { prepare } from "../local/prepare.ts";
import { startStack, type Stack } from "../local/stack.ts";
import { parseKeySecrets } from "../src/governance/key-secrets.ts";
import type { Benchmark, BenchmarkResult } from "./benchmark.ts";
import { startProbes } from "./lag/probes.ts";
import { sendSteadily } from "./lag/send.ts";
import { makeDatabase } from "./support/database.ts";
import { describeStores } from "./support/describe.ts";
import { createCaller, type Caller } from "./support/http-call.ts";

const LOAD = { perSecond: 500, perRequest: 5, seconds: 15 };
const WARM_UP = { ...LOAD, seconds: 3 };
const PATIENCE_MS = 60_000;
const AIM_MS = 2_000;

async function keyOf(stack: Stack): Promise<Readonly<Record<string, string>>> {
  const signing = parseKeySecrets(stack.secrets["KEY_SIGNING_SECRET"] ?? "");
  if (!signing.ok) throw new Error(signing.error);
  const { secret } = await developmentKeys(signing.value[0] ?? "", 0);
  return { authorization: `Bearer ${secret}` };
}

async function measure(caller: Caller, stack: Stack) {
  const headers = await keyOf(stack);
  const run = async (load: typeof LOAD, name: string) => {
    const probes = startProbes(caller, stack.url, headers);
    const sent = await sendSteadily(caller, stack.url, headers, probes, { ...load, name });
    const backlog = probes.open();
    const lags = await probes.finish(PATIENCE_MS);
    const lost = probes.open();
    if (lost > 0) throw new Error(`${lost} payments were not visible after a minute`);
    return { ...sent, lags, backlog };
  };
  await run(WARM_UP, "warm");
  return run(LOAD, "lag");
}

export const lag: Benchmark = {
  name: "lag",
  meaning:
    `${LOAD.perSecond} payments a second through POST /v1/sources/payments/events, in requests of ` +
    `${LOAD.perRequest}, for ${LOAD.seconds} seconds on the whole local stack. The lag of a payment ` +
    "is the time from sending it to the first answer of POST /v1/features/online that shows it; " +
    "one in each request is watched. Beside it, the time until the 202.",
  async run(say): Promise<BenchmarkResult> {
    const database = await makeDatabase();
    const dataDir = mkdtempSync(join(tmpdir(), "freshet-bench-"));
    const caller = createCaller();
    try {
      const stack = await startStack({ dataDir, port: 0, databaseUrl: database.url });
      try {
        await prepare(stack, DEMO_TENANT, () => undefined);
        const measured = await measure(caller, stack);
        const { lags, acceptMs, events, ms, backlog } = measured;
        const times = (of: readonly number[]) => ({
          p50: percentile(of, 0.5),
          p95: percentile(of, 0.95),
          p99: percentile(of, 0.99),
          worst: Math.max(...of),
        });
        const found = { lag: times(lags), accept: times(acceptMs) };
        const cells = ({ p50, p95, p99, worst }: ReturnType<typeof times>) =>
          [p50, p95, p99, worst].map(duration);
        say([
          describeStores(stack.sql.backend, stack.redis.backend),
          "",
          ...table([
            ["", "p50", "p95", "p99", "worst"],
            ["until visible in features", ...cells(found.lag)],
            ["until the 202", ...cells(found.accept)],
          ]),
          "",
          `  ${grouped(events)} payments were sent in ${duration(ms)}, ${grouped(lags.length)} of them ` +
            `watched; ${backlog} of these were on their way when the last one was accepted.`,
          "",
        ]);
        return {
          findings: [
            {
              what: `lag p99 at ${LOAD.perSecond} events/s`,
              measured: duration(found.lag.p99),
              beside: `p50 ${duration(found.lag.p50)}; until the 202, p99 ${duration(found.accept.p99)}`,
              aim: `< ${duration(AIM_MS)}`,
              met: found.lag.p99 < AIM_MS,
            },
          ],
          data: { ...found, events, ms, backlog },
        };
      } finally {
        await stack.close();
      }
    } finally {
      caller.close();
      rmSync(dataDir, { recursive: true, force: true });
      await database.drop();
    }
  },
};
