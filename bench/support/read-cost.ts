import type { EntityRow } from "../../src/features/entity-rows.ts";
import type { OnlineState, StateKey } from "../../src/features/online-store.ts";
import { readOnline } from "../../src/features/read-online.ts";
import type { Engine } from "./engine.ts";
import { median } from "./rounds.ts";

const PASSES = 9;
const WARM_UP = 2;
const PAGE = 1_000;

/** Requests for features, and every state that they can ask for. */
export interface Reads {
  readonly tenant: string;
  readonly features: readonly string[];
  /** The rows of each request. */
  readonly requests: readonly (readonly EntityRow[])[];
  readonly stateKeys: readonly StateKey[];
}

/**
 * CPU microseconds that Node takes to decode and assemble a row: the verb's whole work but the
 * store's, on states that are in memory.
 */
export async function readCost(engine: Engine, reads: Reads): Promise<number> {
  const { tenant, features, requests, stateKeys } = reads;
  const held = new Map<string, OnlineState | null>();
  for (let i = 0; i < stateKeys.length; i += PAGE) {
    const page = stateKeys.slice(i, i + PAGE);
    const { states } = await engine.online.read(tenant, page);
    page.forEach(({ stateId, key }, j) => held.set(`${stateId} ${key}`, states[j] ?? null));
  }
  const { meta } = await engine.online.read(tenant, []);
  const ctx = {
    ...engine,
    whenIncomplete: "unavailable" as const,
    online: {
      read: async (_: string, keys: readonly StateKey[]) => ({
        meta,
        states: keys.map(({ stateId, key }) => held.get(`${stateId} ${key}`) ?? null),
      }),
    },
  };
  const rows = requests.reduce((sum, request) => sum + request.length, 0);
  const passes: number[] = [];
  for (let pass = 0; pass < PASSES; pass += 1) {
    const before = process.cpuUsage();
    for (const entities of requests) await readOnline(ctx, { tenant, features, entities });
    const { user, system } = process.cpuUsage(before);
    if (pass >= WARM_UP) passes.push((user + system) / rows);
  }
  return median(passes);
}
