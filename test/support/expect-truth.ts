import { expect } from "vitest";
import type { EntityRef } from "../../src/features/event-log.ts";
import type { Truth } from "./stores.ts";
import {
  expectedValues,
  readView,
  registry,
  type Ports,
  type Reading,
  type ViewName,
} from "./write-path.ts";

/** The key of the view's entity that a reading contributes to, through whatever view. */
function keyOf(view: ViewName, { device, fields, source }: Reading): string | null {
  if (view !== "by_colour") return device;
  return source === "readings" ? ((fields["colour"] as string | null) ?? null) : null;
}

/** Everything that must hold of a tenant when the dust has settled. */
export async function expectTruth(
  truth: Truth,
  ports: Ports,
  tenant: string,
  readings: readonly Reading[],
  now: number,
): Promise<void> {
  for (const view of ["by_device", "by_colour", "corrected"] as const) {
    const keys = [...new Set(readings.flatMap((reading) => keyOf(view, reading) ?? []))];
    if (keys.length === 0) continue;
    const answer = await readView(ports.online, tenant, view, keys, now);
    for (const [i, key] of keys.entries()) {
      const own = readings.filter((reading) => keyOf(view, reading) === key);
      const entity: EntityRef = { tenant, entity: view === "by_colour" ? "colour" : "device", key };
      const result = answer.results[i];
      expect(result?.values).toEqual(expectedValues(view, own, now));
      if (result?.statuses[0] !== "NOT_FOUND") {
        expect(result?.version[view]).toBe(`1.${own.length}`);
      }
      // Versions without gaps, each event once.
      const log = (await truth.readLog(entity)).map((line) => line.split("@")[0]?.split(":"));
      expect(log.map((line) => Number(line?.[0]))).toEqual(own.map((_, n) => n + 1));
      const ids = log.map((line) => line?.[1] ?? "");
      expect(ids).toHaveLength(own.length);
      expect(new Set(ids)).toEqual(new Set(own.map(({ order }) => order)));
      await expectSameInBoth(ports, entity);
    }
  }
  expect(await ports.log.findUnfinished(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
}

async function expectSameInBoth(ports: Ports, entity: EntityRef): Promise<void> {
  const views = registry.viewsByEntity.get(entity.entity) ?? [];
  const stateIds = views.map(({ stateId }) => stateId);
  const { entities } = await ports.log.append({
    events: [],
    contributions: [],
    touched: [entity],
    stateIds,
    now: 0,
  });
  const { tenant, key } = entity;
  const keys = stateIds.map((stateId) => ({ tenant, stateId, key }));
  const { states } = await ports.online.read(tenant, keys);
  for (const [i, stateId] of stateIds.entries()) {
    const bytes = entities[0]?.states.get(stateId);
    const version = entities[0]?.version;
    expect(states[i]).toEqual(bytes === undefined ? null : { kind: "state", version, bytes });
  }
}
