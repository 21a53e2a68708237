import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EntityRef } from "../../src/features/event-log.ts";
import type { StoredState, WalkCursor } from "../../src/features/state-filling.ts";
import { contributionsOf, logEvent, newTenant } from "../support/log-events.ts";
import { truths, type Truth } from "../support/stores.ts";

describe.each(truths())("the state archive and the key store %s", (_name, open) => {
  let truth: Truth;
  beforeAll(async () => void (truth = await open()));
  afterAll(() => truth.close());

  async function fold(entity: EntityRef, eventId: string, stateIds: readonly string[]) {
    const events = [logEvent(entity.tenant, eventId)];
    const contributions = contributionsOf(events, [entity]);
    const input = { events, contributions, touched: [entity], stateIds: [], now: 1 };
    const { entities } = await truth.eventLog.append(input);
    const folded = [{ source: "payments", eventId }];
    const states = stateIds.map((stateId) => ({ stateId, bytes: btoa(`${stateId} ${eventId}`) }));
    const readVersion = entities[0]?.version ?? 0;
    const commit = { ...entity, readVersion, builds: 0, folded, poisoned: [], states };
    await truth.eventLog.commit([commit], 2);
  }

  /** Entities of the walks so far. */
  let passed = 0;
  let pages = 0;
  async function walk(
    tenant: string,
    limit: number,
    bytes?: number,
  ): Promise<readonly StoredState[]> {
    const found: StoredState[] = [];
    let cursor: WalkCursor | null = null;
    do {
      const page = await truth.stateArchive.readStates(tenant, cursor, limit, bytes);
      pages += 1;
      found.push(...page.states);
      passed += page.entities;
      cursor = page.next;
    } while (cursor !== null);
    return found;
  }

  it("walks a tenant's states page by page, each once", async () => {
    const [tenant, neighbour] = [newTenant(), newTenant()];
    const ref = (entity: string, key: string): EntityRef => ({ tenant, entity, key });
    await fold(ref("merchant", "m"), "1", ["sales@1"]);
    await fold(ref("customer", "b"), "2", ["spend@1", "visits@1"]);
    await fold(ref("customer", "a"), "3", []);
    await fold(ref("customer", "B"), "4", ["spend@1"]);
    await fold(ref("customer", "é"), "5", ["spend@1"]);
    await fold({ tenant: neighbour, entity: "customer", key: "a" }, "6", ["spend@1"]);
    await fold(ref("customer", "b"), "7", ["visits@1"]);

    const expected = [
      ["customer", "B", "spend@1", 1, "spend@1 4"],
      ["customer", "b", "spend@1", 1, "spend@1 2"],
      ["customer", "b", "visits@1", 2, "visits@1 7"],
      ["customer", "é", "spend@1", 1, "spend@1 5"],
      ["merchant", "m", "sales@1", 1, "sales@1 1"],
    ];
    for (const limit of [1, 2, 3, 100]) {
      passed = 0;
      const states = await walk(tenant, limit);
      expect(passed).toBe(5);
      expect(
        states.map(({ entity, key, stateId, version, bytes }) => [
          entity,
          key,
          stateId,
          version,
          atob(bytes),
        ]),
      ).toEqual(expected);
      expect(new Set(states.map((state) => state.tenant))).toEqual(new Set([tenant]));
    }
    expect(await walk(newTenant(), 10)).toEqual([]);
  });

  it("ends a page with the entity that has the last of so many bytes", async () => {
    const tenant = newTenant();
    for (const [key, ...ids] of [["a"], ["b", "spend@1"], ["c", "spend@1", "visits@12"], ["d"]]) {
      await fold({ tenant, entity: "customer", key: key as string }, key as string, ids);
    }
    const whole = await walk(tenant, 100);
    expect(whole.map(({ key, bytes }) => key + atob(bytes).length)).toEqual(["b9", "c9", "c11"]);
    for (const [bytes, expected] of [
      [1, 3],
      [9, 3],
      [10, 2],
      [29, 2],
      [30, 1],
    ] as const) {
      [pages, passed] = [0, 0];
      expect(await walk(tenant, 100, bytes)).toEqual(whole);
      expect([bytes, pages, passed]).toEqual([bytes, expected, 4]);
    }
  });

  it("numbers metas from one and keeps the generation", async () => {
    const tenant = newTenant();
    const first = await truth.stateArchive.nextMeta(tenant);
    const second = await truth.stateArchive.nextMeta(tenant);
    expect([first.revision, second.revision]).toEqual([1, 2]);
    expect(first.generation).toMatch(/^gen_[0-9a-f]{32}$/);
    expect(second.generation).toBe(first.generation);
    expect(first.revokedKeys).toEqual([]);
    expect((await truth.stateArchive.nextMeta(newTenant())).generation).not.toBe(first.generation);
  });

  it("names complete views alone, by hash, and none that was retired", async () => {
    const suffix = newTenant();
    const view = (name: string, specHash: string) => ({
      name: `${name}_${suffix}`,
      specHash,
      entity: suffix,
      spec: "{}",
      stateId: `${name}_${suffix}@${specHash}`,
    });
    await truth.definitionStore.registerViews([view("a", "h1"), view("b", "h1")], 1);
    await truth.definitionStore.registerViews([view("a", "h2"), view("b", "h1")], 1);
    await fold({ tenant: suffix, entity: suffix, key: "k" }, "1", []);
    await truth.definitionStore.registerViews([view("a", "h3"), view("b", "h1")], 1);
    const { views } = await truth.stateArchive.nextMeta(suffix);
    expect(views[`a_${suffix}`]).toBeUndefined();
    expect(views[`b_${suffix}`]).toEqual({ h1: 1 });
    await truth.definitionStore.markComplete(view("a", "h3").stateId);
    const later = await truth.stateArchive.nextMeta(suffix);
    expect(later.views[`a_${suffix}`]).toEqual({ h3: 3 });
  });

  it("lists a tenant's revoked keys, each revoked once", async () => {
    const [tenant, neighbour] = [newTenant(), newTenant()];
    expect(await truth.keyStore.revoke(tenant, "key_2", 10)).toBe(true);
    expect(await truth.keyStore.revoke(tenant, "key_1", 11)).toBe(true);
    expect(await truth.keyStore.revoke(tenant, "key_2", 12)).toBe(false);
    expect(await truth.keyStore.revoke(neighbour, "key_2", 12)).toBe(true);
    expect((await truth.stateArchive.nextMeta(tenant)).revokedKeys).toEqual(["key_1", "key_2"]);
  });

  it("knows the tenants that were registered in whatever way", async () => {
    const [one, two, three, four] = [newTenant(), newTenant(), newTenant(), newTenant()];
    await fold({ tenant: four, entity: "customer", key: "c" }, "1", []);
    expect(await truth.keyStore.registerTenant(one, 1)).toBe(true);
    expect(await truth.keyStore.registerTenant(one, 2)).toBe(false);
    await truth.keyStore.revoke(two, "key_1", 1);
    await truth.stateArchive.nextMeta(three);
    expect(await truth.keyStore.registerTenant(three, 1)).toBe(false);
    const tenants = await truth.stateArchive.listTenants();
    expect(tenants).toEqual(expect.arrayContaining([one, two, three, four]));
    expect(tenants).toEqual(tenants.toSorted());
    expect((await truth.stateArchive.nextMeta(one)).revision).toBe(1);
  });
});
