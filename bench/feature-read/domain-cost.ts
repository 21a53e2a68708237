import type { OnlineState } from "../../src/features/online-store.ts";
import { readOnline } from "../../src/features/read-online.ts";
import { median } from "../support/rounds.ts";
import type { Engine } from "../support/engine.ts";
import { VIEWS, type Shop } from "./shop.ts";

const ENTITIES = 100;
const READS = 60;
const PASSES = 9;
const PAGE = 1_000;

/**
 * CPU microseconds that Node takes to decode and assemble an entity's states of all views: the
 * verb's whole work but the store's, on states that are in memory.
 */
export async function domainCost(engine: Engine, shop: Shop): Promise<number> {
  const { tenant, stateKeys } = shop;
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
      read: async (_: string, keys: Shop["stateKeys"]) => ({
        meta,
        states: keys.map(({ stateId, key }) => held.get(`${stateId} ${key}`) ?? null),
      }),
    },
  };
  const requests = Array.from({ length: READS }, (_, i) => shop.rows(ENTITIES, i * 7));
  const passes: number[] = [];
  for (let pass = 0; pass < PASSES; pass += 1) {
    const before = process.cpuUsage();
    for (const entities of requests) await readOnline(ctx, { tenant, features: VIEWS, entities });
    const { user, system } = process.cpuUsage(before);
    if (pass > 1) passes.push((user + system) / (READS * ENTITIES));
  }
  return median(passes);
}
