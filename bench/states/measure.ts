import { encodeOnlineState, stateKey } from "../../src/platform/upstash/online-values.ts";
import type { ViewPlan } from "../../src/features/plan.ts";
import { readOnline } from "../../src/features/read-online.ts";
import { callInTurns, type Call, type Round } from "../support/call-in-turns.ts";
import type { Engine } from "../support/engine.ts";
import { readCost } from "../support/read-cost.ts";
import { median, ratioOf, spreadOf } from "../support/rounds.ts";
import { keyColumn, keysOf, TENANT, type Crowd } from "./crowds.ts";
import { isSameAnswer } from "./compare.ts";
import { queryFeatures } from "./event-rows.ts";
import { memoryOf, type RunRedis } from "./redis.ts";
import { readHashes, writeHashes, type TileHashes } from "./tile-hashes.ts";
import { coveredTiles, heldTiles, nameOf } from "./tiles.ts";
import { registry, type View } from "./views.ts";

const CALLS = { rounds: 4, calls: 15 };
const CPU_REQUESTS = 40;

/** What the bench needs to look at states from all sides; the clock stands still. */
export interface Lab {
  readonly engine: Engine;
  readonly redis: RunRedis;
  readonly asOf: number;
}

/** What is kept of an entity: how many tiles, how many of them a read merges, and how many bytes. */
interface Held {
  readonly kept: number;
  readonly merged: number;
  readonly value: number;
  /** Of the name of the key. */
  readonly nameLength: number;
  readonly hashes: TileHashes;
}

function planOf(view: View): ViewPlan {
  const plan = registry.views.get(view);
  if (plan === undefined) throw new Error(`there is no view ${view}`);
  return plan;
}

/** Medians over the entities of a crowd: what a view's state of one of them takes, and its read. */
export async function measureView(lab: Lab, crowd: Crowd, view: View) {
  const { engine, redis, asOf } = lab;
  const plan = planOf(view);
  const keys = keysOf(crowd, view);
  const stateKeys = keys.map((key) => ({ tenant: TENANT, stateId: plan.stateId, key }));
  const { states } = await engine.online.read(TENANT, stateKeys);
  const covered = new Set(coveredTiles(plan, asOf).map(nameOf));
  const entities: Held[] = [];
  for (const [i, key] of keys.entries()) {
    const state = states[i];
    if (state?.kind !== "state") throw new Error(`${view} has no state of ${key}`);
    const held = heldTiles(plan, state.bytes);
    entities.push({
      kept: held.length,
      merged: held.filter((tile) => covered.has(nameOf(tile))).length,
      value: encodeOnlineState(state).length,
      nameLength: stateKey({ tenant: TENANT, stateId: plan.stateId, key }).length,
      hashes: await writeHashes(redis, plan, key, state.bytes),
    });
  }
  const middle = (pick: (one: Held) => number): number => median(entities.map(pick));
  const memory = await memoryOf(redis, stateKeys.map(stateKey));
  return {
    crowd: crowd.name,
    events: crowd.events,
    view,
    features: plan.features.length,
    tiles: {
      kept: middle(({ kept }) => kept),
      merged: middle(({ merged }) => merged),
      covered: covered.size,
    },
    redis: {
      value: middle(({ value }) => value),
      length: middle(({ value, nameLength }) => value + nameLength),
      memory: memory === null ? null : median(memory),
      hashes: middle(({ hashes }) => hashes.memory ?? Number.NaN),
      hashesLength: middle(({ hashes }) => hashes.length),
    },
    postgres: await stateRows(engine, plan, keys),
    cpuUs: await cpuOf(engine, plan, view, keys),
    one: await timesOf(lab, plan, view, keys, 1),
    all: await timesOf(lab, plan, view, keys, keys.length),
    entities: keys.length,
    differing: await countDiffering(lab, view, keys),
  };
}

/** Bytes of a state's row, as it lies in the table: compressed where that pays. */
async function stateRows({ sql }: Engine, plan: ViewPlan, keys: readonly string[]) {
  const [row] = await sql.query(
    `SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY pg_column_size(s.*))::int AS median
       FROM entity_states s WHERE tenant = $1 AND state_id = $2 AND entity_key = ANY ($3::text[])`,
    [TENANT, plan.stateId, keys],
  );
  return Number(row?.["median"]);
}

function cpuOf(engine: Engine, plan: ViewPlan, view: View, keys: readonly string[]) {
  const rows = keys.map((key) => ({ [keyColumn(view)]: key }));
  return readCost(engine, {
    tenant: TENANT,
    features: [view],
    requests: Array.from({ length: CPU_REQUESTS }, () => rows),
    stateKeys: keys.map((key) => ({ tenant: TENANT, stateId: plan.stateId, key })),
  });
}

/** So many entities a call, each over its façade: Freshet, a hash per tile, SQL over the events. */
async function timesOf(lab: Lab, plan: ViewPlan, view: View, keys: readonly string[], at: number) {
  const { engine, redis, asOf } = lab;
  const keysAt = (turn: number): readonly string[] =>
    Array.from({ length: at }, (_, i) => keys[(turn + i) % keys.length] ?? "");
  const timed =
    (work: (keys: readonly string[]) => Promise<unknown>): Call =>
    async (turn) => {
      const begun = performance.now();
      await work(keysAt(turn));
      return { status: 200, text: "", ms: performance.now() - begun };
    };
  const [freshet = [], hashes = [], sql = []] = await callInTurns(
    [
      timed((some) => read(engine, view, some, asOf)),
      timed((some) => readHashes(redis, plan, some, asOf)),
      timed((some) => queryFeatures(engine.sql, view, some, asOf)),
    ],
    CALLS,
  );
  const p50 = (rounds: readonly Round[]) => spreadOf(rounds.map((one) => one.p50));
  return {
    entities: at,
    ms: { freshet: p50(freshet), hashes: p50(hashes), sql: p50(sql) },
    besideSql: ratioOf(sql, freshet, (round) => round.p50),
    besideHashes: ratioOf(hashes, freshet, (round) => round.p50),
  };
}

async function read(engine: Engine, view: View, keys: readonly string[], asOf: number) {
  const entities = keys.map((key) => ({ [keyColumn(view)]: key }));
  const ctx = { ...engine, whenIncomplete: "unavailable" as const };
  const { results } = await readOnline(ctx, { tenant: TENANT, features: [view], entities, asOf });
  return results.map(({ values }) => values);
}

/** Of how many entities a feature is not what SQL says. */
async function countDiffering({ engine, asOf }: Lab, view: View, keys: readonly string[]) {
  const values = await read(engine, view, keys, asOf);
  const answers = await queryFeatures(engine.sql, view, keys, asOf);
  return answers.filter((answer, i) => !isSameAnswer(planOf(view), values[i] ?? [], answer)).length;
}
