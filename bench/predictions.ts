import { definitions } from "../definitions/index.ts";
import { table } from "../local/demo/words.ts";
import { compileDeployment } from "../src/deployment.ts";
import type { ModelPlan } from "../src/predictions/model-plan.ts";
import type { Benchmark, BenchmarkResult, Finding } from "./benchmark.ts";
import { callPair, workerdCpu, type Call } from "./feature-read/call-pair.ts";
import { openShop, type Shop } from "./feature-read/shop.ts";
import { evaluationCost } from "./predictions/evaluation-cost.ts";
import { openEngine } from "./support/engine.ts";
import { createCaller, type Caller } from "./support/http-call.ts";
import { openWorker, type BenchWorker } from "./support/open-worker.ts";
import { spreadText } from "./support/rounds.ts";
import { openStores, type Stores } from "./support/stores.ts";

const MODEL = "fraud";
const SIZES = [
  { entities: 1, calls: 240 },
  { entities: 100, calls: 100 },
] as const;
const AIM = 1.1;
const BODIES = 60;
const COUNTED_CALLS = 20;
const COUNTRIES = ["DE", "AT", "BR", "FR"];

const ratio = (n: number): string => n.toFixed(2);
const milliseconds = (n: number): string => n.toFixed(2);

interface Calls {
  readonly prediction: Call;
  readonly features: Call;
}

/** Both are asked about the same customers and payments; the read names the model's features. */
function callsOf(
  caller: Caller,
  { url, headers }: BenchWorker,
  shop: Shop,
  model: ModelPlan,
  entities: number,
): Calls {
  const asked = Array.from({ length: BODIES }, (_, turn) => ({
    entities: shop.rows(entities, turn * 7).map(({ customer_id }) => ({ customer_id })),
    request: Array.from({ length: entities }, (__, i) => ({
      amount: 10 + ((turn + i) % 90),
      country: COUNTRIES[(turn + i) % COUNTRIES.length],
    })),
  }));
  const predictions = asked.map((body) => JSON.stringify(body));
  const reads = asked.map((body) => JSON.stringify({ features: model.features, ...body }));
  const post = (path: string, bodies: readonly string[]): Call => {
    return (turn) => caller.post(`${url}${path}`, bodies[turn % BODIES] ?? "", headers);
  };
  return {
    prediction: post(`/v1/models/${MODEL}/predictions`, predictions),
    features: post("/v1/features/online", reads),
  };
}

/** What one call makes of requests to the stores, and how many characters it answers. */
async function perCall(stores: Stores, call: Call) {
  const before = (await stores.readMeters()).requests;
  let characters = 0;
  for (let turn = 0; turn < COUNTED_CALLS; turn += 1) characters += (await call(turn)).text.length;
  const after = (await stores.readMeters()).requests;
  return {
    redis: (after.redis - before.redis) / COUNTED_CALLS,
    postgres: (after.postgres - before.postgres) / COUNTED_CALLS,
    characters: characters / COUNTED_CALLS,
  };
}

async function measure(stores: Stores, { prediction, features }: Calls, calls: number) {
  const { freshet, bare, p50Ratio, p95Ratio } = await callPair(prediction, features, calls);
  return {
    prediction: {
      ...freshet,
      cpu: await workerdCpu(prediction, calls),
      ...(await perCall(stores, prediction)),
    },
    features: {
      ...bare,
      cpu: await workerdCpu(features, calls),
      ...(await perCall(stores, features)),
    },
    p50Ratio,
    p95Ratio,
  };
}

export const predictions: Benchmark = {
  name: "predictions",
  meaning:
    "POST /v1/models/fraud/predictions over HTTP, beside POST /v1/features/online of exactly the " +
    "features that the model takes, for the same customers and payments, at the same Worker. 1.00 " +
    "means that a prediction costs what reading its features costs.",
  async run(say): Promise<BenchmarkResult> {
    const model = compileDeployment(definitions).models.get(MODEL);
    if (model === undefined) throw new Error(`there is no model "${MODEL}"`);
    const stores = await openStores();
    const caller = createCaller();
    try {
      const shop = await openShop(await openEngine(stores));
      const worker = await openWorker(stores);
      try {
        const measured: Measured[] = [];
        for (const { entities, calls } of SIZES) {
          const both = callsOf(caller, worker, shop, model, entities);
          measured.push({ entities, ...(await measure(stores, both, calls)) });
        }
        const evaluationUs = evaluationCost(model);
        say([stores.description, "", ...table(rowsOf(measured)), ""]);
        say([
          `  Evaluating the model (${model.inputs.length} inputs of ${model.features.length} ` +
            `features), in Node: ${evaluationUs.toFixed(2)} µs of CPU per entity.`,
          "",
        ]);
        return { findings: measured.flatMap(findingsOf), data: { measured, evaluationUs } };
      } finally {
        await worker.close();
      }
    } finally {
      caller.close();
      await stores.close();
    }
  },
};

type Measured = Awaited<ReturnType<typeof measure>> & { readonly entities: number };

const rowsOf = (measured: readonly Measured[]): readonly (readonly string[])[] => [
  [
    "entities",
    "",
    "p50/p95 ms",
    "ratio p50 (rounds)",
    "ratio p95 (rounds)",
    "CPU µs of workerd",
    "requests to Redis + Postgres",
    "characters answered",
  ],
  ...measured.flatMap(({ entities, prediction, features, p50Ratio, p95Ratio }) =>
    [
      { name: "prediction", of: prediction, p50: p50Ratio, p95: p95Ratio },
      { name: "its features", of: features, p50: null, p95: null },
    ].map(({ name, of, p50, p95 }) => [
      String(entities),
      name,
      `${milliseconds(of.p50.median)}/${milliseconds(of.p95.median)}`,
      p50 === null ? "" : spreadText(p50, ratio),
      p95 === null ? "" : spreadText(p95, ratio),
      of.cpu?.toFixed(0) ?? "?",
      `${of.redis} + ${of.postgres}`,
      of.characters.toFixed(0),
    ]),
  ),
];

const findingsOf = ({
  entities,
  prediction,
  features,
  p50Ratio,
  p95Ratio,
}: Measured): readonly Finding[] =>
  (["p50", "p95"] as const).map((name) => {
    const spread = name === "p50" ? p50Ratio : p95Ratio;
    return {
      what: `${name}, ${entities} ${entities === 1 ? "entity" : "entities"}`,
      measured: `${spreadText(spread, ratio)} ×`,
      beside:
        `${milliseconds(prediction[name].median)} ms, ` +
        `its features ${milliseconds(features[name].median)} ms`,
      aim: `≤ ${ratio(AIM)} ×`,
      met: spread.median <= AIM,
    };
  });
