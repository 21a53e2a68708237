import { randomBytes } from "node:crypto";
import { developmentKeys } from "../local/demo/keys.ts";
import { table } from "../local/demo/words.ts";
import type { Benchmark, BenchmarkResult, Finding } from "./benchmark.ts";
import { callPair, workerdCpu, type Call } from "./feature-read/call-pair.ts";
import { runPair } from "./feature-read/run-pair.ts";
import { openShop, VIEWS, type Shop } from "./feature-read/shop.ts";
import { stateSizes } from "./feature-read/state-sizes.ts";
import { ENCRYPTION_SECRET, openEngine, registry } from "./support/engine.ts";
import { createCaller, type Caller } from "./support/http-call.ts";
import { readCost } from "./support/read-cost.ts";
import { spreadText } from "./support/rounds.ts";
import { openStores, type Stores } from "./support/stores.ts";

const SIZES = [
  { entities: 1, calls: 120 },
  { entities: 100, calls: 50 },
] as const;
const AIM = { p50: 1.3, p95: 1.5 };

const ratio = (n: number): string => n.toFixed(2);
const milliseconds = (n: number): string => n.toFixed(2);

async function openPair(stores: Stores, { tenant }: Shop) {
  const signingSecret = randomBytes(32).toString("hex");
  const redis = {
    UPSTASH_REDIS_REST_URL: stores.redisUrl,
    UPSTASH_REDIS_REST_TOKEN: stores.redisToken,
  };
  const freshet = {
    ...redis,
    DATABASE_URL: stores.connectionString,
    NEON_FETCH_ENDPOINT: stores.sqlUrl,
    KEY_SIGNING_SECRET: signingSecret,
    ENCRYPTION_SECRET,
    PAYMENTS_WEBHOOK_SECRET: `${tenant}:whsec_${randomBytes(32).toString("base64")}`,
  };
  const states = VIEWS.map((view) => {
    const plan = registry.views.get(view);
    return [plan?.stateId, plan?.keyColumns[0]];
  });
  const pair = await runPair(freshet, { ...redis, TENANT: tenant, STATES: JSON.stringify(states) });
  const { secret } = await developmentKeys(signingSecret, Number(new URL(pair.freshetUrl).port));
  return { ...pair, headers: { authorization: `Bearer ${secret}` } };
}

interface Calls {
  readonly freshet: Call;
  readonly bare: Call;
}

function callsOf(
  caller: Caller,
  pair: Awaited<ReturnType<typeof openPair>>,
  shop: Shop,
  entities: number,
): Calls {
  const bodies = Array.from({ length: 60 }, (_, turn) =>
    JSON.stringify({ features: VIEWS, entities: shop.rows(entities, turn * 7) }),
  );
  const body = (turn: number): string => bodies[turn % bodies.length] ?? "";
  return {
    freshet: (turn) =>
      caller.post(`${pair.freshetUrl}/v1/features/online`, body(turn), pair.headers),
    bare: (turn) => caller.post(pair.bareUrl, body(turn)),
  };
}

/** How many requests to the stores one call makes. */
async function requestsPerCall(stores: Stores, { freshet }: Calls) {
  const before = (await stores.readMeters()).requests;
  const calls = 20;
  for (let turn = 0; turn < calls; turn += 1) await freshet(turn);
  const after = (await stores.readMeters()).requests;
  return {
    redis: (after.redis - before.redis) / calls,
    postgres: (after.postgres - before.postgres) / calls,
  };
}

export const featureRead: Benchmark = {
  name: "feature-read",
  meaning:
    "POST /v1/features/online over HTTP, beside a Worker in the same workerd that takes the same " +
    "request and makes the bare Upstash MGET of the same keys with the same client. 1.00 would " +
    "mean that checking the caller, decoding, computing and printing the features took no time.",
  async run(say): Promise<BenchmarkResult> {
    const stores = await openStores();
    const caller = createCaller();
    try {
      const engine = await openEngine(stores);
      const shop = await openShop(engine);
      const pair = await openPair(stores, shop);
      try {
        const measured = [];
        for (const { entities, calls } of SIZES) {
          const { freshet, bare } = callsOf(caller, pair, shop, entities);
          const latency = await callPair(freshet, bare, calls);
          const requests = await requestsPerCall(stores, { freshet, bare });
          const cpu = {
            freshet: await workerdCpu(freshet, calls),
            bare: await workerdCpu(bare, calls),
          };
          measured.push({ entities, ...latency, requests, cpu });
        }
        const { tenant, stateKeys } = shop;
        const requests = Array.from({ length: 60 }, (_, i) => shop.rows(100, i * 7));
        const reads = { tenant, features: VIEWS, requests, stateKeys };
        const cpuPerEntity = await readCost(engine, reads);
        const sizes = await stateSizes(engine, shop);
        say([stores.description, "", ...table(timeRows(measured)), ""]);
        say([
          `  Decoding and assembling, in Node: ${cpuPerEntity.toFixed(1)} µs of CPU per entity ` +
            `(${(cpuPerEntity / VIEWS.length).toFixed(1)} per state).`,
          "",
          ...table(sizeRows(sizes)),
          "",
        ]);
        const data = { measured, cpuPerEntity, sizes };
        return { findings: measured.flatMap(findingsOf), data };
      } finally {
        await pair.close();
      }
    } finally {
      caller.close();
      await stores.close();
    }
  },
};

type Measured = Awaited<ReturnType<typeof callPair>> & {
  readonly entities: number;
  readonly requests: { readonly redis: number; readonly postgres: number };
  readonly cpu: { readonly freshet: number | null; readonly bare: number | null };
};

const timeRows = (measured: readonly Measured[]): readonly (readonly string[])[] => [
  [
    "ms, and CPU µs of workerd",
    "Freshet p50/p95",
    "bare MGET p50/p95",
    "ratio p50 (rounds)",
    "ratio p95 (rounds)",
    "CPU",
    "requests to Redis + Postgres",
  ],
  ...measured.map(({ entities, freshet, bare, p50Ratio, p95Ratio, cpu, requests }) => [
    `${entities} × ${VIEWS.length} views`,
    `${milliseconds(freshet.p50.median)}/${milliseconds(freshet.p95.median)}`,
    `${milliseconds(bare.p50.median)}/${milliseconds(bare.p95.median)}`,
    spreadText(p50Ratio, ratio),
    spreadText(p95Ratio, ratio),
    `${cpu.freshet?.toFixed(0) ?? "?"} / ${cpu.bare?.toFixed(0) ?? "?"}`,
    `${requests.redis} + ${requests.postgres}`,
  ]),
];

const sizeRows = (
  sizes: Awaited<ReturnType<typeof stateSizes>>,
): readonly (readonly string[])[] => [
  ["bytes of a state", "Redis value, median", "largest", "Postgres, median", "largest"],
  ...sizes.map(({ view, redis, postgres }) => [
    view,
    String(redis.median),
    String(redis.largest),
    String(postgres.median),
    String(postgres.largest),
  ]),
];

const findingsOf = ({
  entities,
  p50Ratio,
  p95Ratio,
  freshet,
  bare,
}: Measured): readonly Finding[] =>
  (["p50", "p95"] as const).map((name) => {
    const spread = name === "p50" ? p50Ratio : p95Ratio;
    const [ours, theirs] = [freshet[name].median, bare[name].median];
    return {
      what: `${name}, ${entities} × ${VIEWS.length} views`,
      measured: `${spreadText(spread, ratio)} ×`,
      beside: `${milliseconds(ours)} ms, bare MGET ${milliseconds(theirs)} ms`,
      aim: `≤ ${ratio(AIM[name])} ×`,
      met: spread.median <= AIM[name],
    };
  });
