import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RegisteredView, ViewToRegister } from "../../src/features/definition-store.ts";
import type { EntityRef, LogEvent } from "../../src/features/event-log.ts";
import { contributionsOf, logEvent, newTenant } from "../support/log-events.ts";
import { truths, type Truth } from "../support/stores.ts";

describe.each(truths())("the definition store %s", (_name, open) => {
  let truth: Truth;
  beforeAll(async () => void (truth = await open()));
  afterAll(() => truth.close());

  /** The registry is everybody's, so that names are a test's own. */
  const view = (name: string, hash: string, entity: string): ViewToRegister => ({
    name,
    stateId: `${name}@${hash}`,
    specHash: hash,
    spec: `{"z":["${hash}"],"a":"1"}`,
    entity,
  });

  async function fold(entity: EntityRef, events: readonly LogEvent[]): Promise<void> {
    const contributions = contributionsOf(events, [entity]);
    const input = { events, contributions, touched: [entity], stateIds: [], now: 1 };
    for (const { pending, version, builds } of (await truth.eventLog.append(input)).entities) {
      const folded = pending.map(({ source, eventId }) => ({ source, eventId }));
      const states = [{ stateId: "old@1", bytes: "AAAA" }];
      await truth.eventLog.commit(
        [{ ...entity, readVersion: version, builds, folded, poisoned: [], states }],
        50,
      );
    }
  }

  const mine = async (suffix: string): Promise<readonly RegisteredView[]> =>
    (await truth.definitionStore.listViews()).filter(({ name }) => name.endsWith(suffix));

  it("numbers the versions of each view and answers in the order asked", async () => {
    const suffix = newTenant();
    const a1 = view(`a_${suffix}`, "1", suffix);
    const b1 = view(`b_${suffix}`, "1", suffix);
    const first = await truth.definitionStore.registerViews([b1, a1], 1);
    expect(first).toEqual([
      { ...b1, version: 1, complete: true, retired: false, joinPlan: null },
      { ...a1, version: 1, complete: true, retired: false, joinPlan: null },
    ]);
    const a2 = view(`a_${suffix}`, "2", suffix);
    const second = await truth.definitionStore.registerViews([b1, a2], 2);
    expect(second.map(({ stateId, version }) => [stateId, version])).toEqual([
      [b1.stateId, 1],
      [a2.stateId, 2],
    ]);
    expect((await mine(suffix)).map(({ stateId }) => stateId)).toEqual([
      a1.stateId,
      a2.stateId,
      b1.stateId,
    ]);
    expect(await truth.definitionStore.registerViews([], 3)).toEqual([]);
  });

  it("registers the same views again without a trace", async () => {
    const suffix = newTenant();
    const views = [view(`a_${suffix}`, "1", suffix)];
    await truth.definitionStore.registerViews(views, 1);
    const before = await mine(suffix);
    await truth.definitionStore.registerViews(views, 2);
    expect(await mine(suffix)).toEqual(before);
  });

  it("keeps the join of a view of pairs, also one that was registered without", async () => {
    const suffix = newTenant();
    const pairs = view(`pairs_${suffix}`, "1", suffix);
    const joinPlan = '{"z":1,"a":[2]}';
    const register = async (one: ViewToRegister) =>
      (await truth.definitionStore.registerViews([one], 1))[0];
    expect((await register(pairs))?.joinPlan).toBeNull();
    expect(await register({ ...pairs, joinPlan })).toEqual({
      ...pairs,
      version: 1,
      complete: true,
      retired: false,
      joinPlan,
    });
    expect((await register(pairs))?.joinPlan).toBe(joinPlan);
  });

  it("holds a view of entities with a history incomplete until it is built", async () => {
    const suffix = newTenant();
    const entity = { tenant: suffix, entity: suffix, key: "k" };
    await fold(entity, [logEvent(suffix, "1")]);
    const late = view(`late_${suffix}`, "1", suffix);
    const [registered] = await truth.definitionStore.registerViews([late], 1);
    expect(registered?.complete).toBe(false);
    await truth.definitionStore.markComplete(late.stateId);
    const [again] = await truth.definitionStore.registerViews([late], 1);
    expect(again?.complete).toBe(true);
  });

  it("takes a view that returns as incomplete and without the states that nobody kept", async () => {
    const suffix = newTenant();
    const entity = { tenant: suffix, entity: suffix, key: "k" };
    const [one, two] = [view(`v_${suffix}`, "1", suffix), view(`v_${suffix}`, "2", suffix)];
    await truth.definitionStore.registerViews([one], 1);
    await fold(entity, [logEvent(suffix, "1")]);
    const state = { ...entity, version: 1, stateId: one.stateId, bytes: "AAAA" };
    expect(await truth.definitionStore.putBuiltStates([state])).toEqual([true]);

    await truth.definitionStore.registerViews([two], 2);
    expect((await mine(suffix)).map(({ complete }) => complete)).toEqual([true, false]);
    const [back] = await truth.definitionStore.registerViews([one], 3);
    expect(back).toMatchObject({ version: 1, complete: false });
    const { states } = await truth.stateArchive.readStates(suffix, null, 9);
    expect(states.map(({ stateId }) => stateId)).toEqual(["old@1"]);
    await truth.definitionStore.markComplete(one.stateId);
    const [stays] = await truth.definitionStore.registerViews([one], 4);
    expect(stays?.complete).toBe(true);
  });

  it("tells who lacks a view in use that an entity is another's to fold", async () => {
    const kind = newTenant();
    const [one, two] = [view(`one_${kind}`, "1", kind), view(`two_${kind}`, "1", kind)];
    const newerFor = async (...stateIds: readonly string[]) => {
      const touched = [{ tenant: kind, entity: kind, key: "k" }];
      const input = { events: [], contributions: [], touched, stateIds, now: 1 };
      return [...(await truth.eventLog.append(input)).newerFor];
    };
    await truth.definitionStore.registerViews([one], 1);
    expect(await newerFor(one.stateId)).toEqual([]);
    // A deployment that was not applied yet, and may be rolled back.
    expect(await newerFor(two.stateId)).toEqual([kind]);
    expect(await newerFor(one.stateId, two.stateId)).toEqual([]);
    await truth.definitionStore.registerViews([one, two], 2);
    expect(await newerFor(one.stateId)).toEqual([kind]);
    expect(await newerFor(one.stateId, two.stateId)).toEqual([]);
    await truth.definitionStore.registerViews([one], 3);
    expect(await newerFor(one.stateId)).toEqual([]);
  });

  it("takes a view from the metas before entities need it no longer", async () => {
    const kind = newTenant();
    const [one, two] = [view(`one_${kind}`, "1", kind), view(`two_${kind}`, "1", kind)];
    const seen = async () => {
      const touched = [{ tenant: kind, entity: kind, key: "k" }];
      const input = { events: [], contributions: [], touched, stateIds: [two.stateId], now: 1 };
      const { newerFor } = await truth.eventLog.append(input);
      const { views } = await truth.stateArchive.nextMeta(kind);
      return [views[one.name] !== undefined, views[two.name] !== undefined, newerFor.has(kind)];
    };
    await truth.definitionStore.registerViews([one, two], 1);
    expect(await seen()).toEqual([true, true, true]);
    const kept = (await truth.definitionStore.listViews())
      .map(({ stateId }) => stateId)
      .filter((stateId) => stateId !== one.stateId);
    expect(await truth.definitionStore.withdrawViews(kept)).toBe(1);
    expect(await seen()).toEqual([false, true, true]);
    expect(await truth.definitionStore.withdrawViews(kept)).toBe(1);
    // As a plan sees it: there is something to do, should it be wanted.
    expect((await mine(kind)).map(({ complete }) => complete)).toEqual([false, true]);
    await truth.definitionStore.retireViews(kept, 2);
    expect(await seen()).toEqual([false, true, false]);
    expect(await truth.definitionStore.withdrawViews(kept)).toBe(0);
  });

  it("reads histories of all tenants in pages, each in the order of its versions", async () => {
    const kind = newTenant();
    const [first, second] = [`a${newTenant()}`, `b${newTenant()}`];
    const entities = [
      { tenant: first, entity: kind, key: "B" },
      { tenant: first, entity: kind, key: "a" },
      { tenant: second, entity: kind, key: "A" },
    ];
    for (const entity of entities.toReversed()) {
      await fold(entity, [logEvent(entity.tenant, `${entity.key}1`)]);
      await fold(entity, [logEvent(entity.tenant, `${entity.key}2`, { sign: -1, knownAt: 3 })]);
    }
    await fold({ tenant: first, entity: `${kind}x`, key: "B" }, [logEvent(first, "other")]);

    const two = { entities: 2, events: 100, bytes: 10_000 };
    const page = await truth.definitionStore.readHistories(kind, null, two);
    expect(page.tooLarge).toBeNull();
    expect(page.histories.map(({ tenant, key, version }) => [tenant, key, version])).toEqual([
      [first, "B", 2],
      [first, "a", 2],
    ]);
    expect(page.histories[1]?.events).toEqual([
      { ...logEvent(first, "a1"), version: 1 },
      { ...logEvent(first, "a2", { sign: -1, knownAt: 3 }), version: 2 },
    ]);
    const last = await truth.definitionStore.readHistories(kind, { tenant: first, key: "a" }, two);
    expect(last.histories.map(({ tenant, entity, key }) => [tenant, entity, key])).toEqual([
      [second, kind, "A"],
    ]);
    const end = { tenant: second, key: "A" };
    const none = { histories: [], tooLarge: null };
    expect(await truth.definitionStore.readHistories(kind, end, two)).toEqual(none);
  });

  it("reads whole histories within the limits, and names one that is more by itself", async () => {
    const tenant = newTenant();
    const kind = newTenant();
    const body = (bytes: number): string => JSON.stringify({ note: "é".repeat((bytes - 11) / 2) });
    for (const [key, sizes] of [
      ["a", [101]],
      ["b", [101, 101]],
      ["c", [101, 101, 101, 101]],
      ["d", [901]],
    ] as const) {
      const events = sizes.map((size, i) => logEvent(tenant, `${key}${i}`, { body: body(size) }));
      await fold({ tenant, entity: kind, key }, events);
    }
    const ref = (key: string): EntityRef => ({ tenant, entity: kind, key });
    const keysAfter = async (key: string, entities: number, events: number, bytes = 10_000) => {
      const limits = { entities, events, bytes };
      const after = { tenant, key };
      const page = await truth.definitionStore.readHistories(kind, after, limits);
      for (const one of page.histories) expect(one.events).toHaveLength(one.version);
      const keys = page.histories.map((one) => one.key).join("");
      return page.tooLarge === null ? keys : { keys, ...page.tooLarge };
    };
    expect(await keysAfter("", 10, 100)).toBe("abcd");
    expect(await keysAfter("", 10, 6)).toBe("ab");
    expect(await keysAfter("", 10, 3)).toBe("ab");
    expect(await keysAfter("", 1, 3)).toBe("a");
    expect(await keysAfter("b", 10, 3)).toEqual({ keys: "", ...ref("c"), version: 4 });
    expect(await keysAfter("c", 10, 3)).toBe("d");
    expect(await keysAfter("", 10, 100, 303)).toBe("ab");
    expect(await keysAfter("", 10, 100, 302)).toBe("a");
    expect(await keysAfter("a", 10, 100, 1_506)).toBe("bc");
    expect(await keysAfter("c", 10, 100, 901)).toBe("d");
    expect(await keysAfter("c", 10, 100, 900)).toEqual({ keys: "", ...ref("d"), version: 1 });
    expect(await keysAfter("d", 10, 0, 0)).toBe("");
  });

  it("reads any versions of an entity in the order asked, as many as have so many bytes", async () => {
    const tenant = newTenant();
    const ref = { tenant, entity: newTenant(), key: "k" };
    const body = (bytes: number): string => JSON.stringify({ note: "é".repeat((bytes - 11) / 2) });
    const events = [101, 101, 501, 101].map((size, i) =>
      logEvent(tenant, `e${i + 1}`, { body: body(size) }),
    );
    await fold(ref, events);
    await fold({ ...ref, key: "other" }, [logEvent(tenant, "other")]);
    const { definitionStore } = truth;
    const read = async (versions: readonly number[], bytes: number) => {
      const page = await definitionStore.readVersions(ref, versions, bytes);
      for (const { version, ...event } of page.events) expect(event).toEqual(events[version - 1]);
      return [page.head, page.covered, page.events.map(({ version }) => version).join("")];
    };
    expect(await read([4, 3, 2, 1], 10_000)).toEqual([4, 4, "4321"]);
    expect(await read([4, 3, 2, 1], 102)).toEqual([4, 2, "43"]);
    expect(await read([4, 3, 2, 1], 101)).toEqual([4, 1, "4"]);
    expect(await read([3, 1], 1)).toEqual([4, 1, "3"]);
    expect(await read([2, 4], 10_000)).toEqual([4, 2, "24"]);
    // Those beyond the head are not there yet.
    expect(await read([4, 5, 6], 10_000)).toEqual([4, 3, "4"]);
    expect(await read([5, 6], 1)).toEqual([4, 2, ""]);
    const nobody = await definitionStore.readVersions({ ...ref, key: "nobody" }, [1, 2], 1);
    expect(nobody).toEqual({ head: 0, covered: 2, events: [] });
  });

  it("does not list entities that only wait", async () => {
    const kind = newTenant();
    const two = { entities: 2, events: 100, bytes: 10_000 };
    const none = { histories: [], tooLarge: null };
    const entity = { tenant: kind, entity: kind, key: "k" };
    const events = [logEvent(kind, "1")];
    const contributions = contributionsOf(events, [entity]);
    const input = { events, contributions, touched: [entity], stateIds: [], now: 1 };
    const { entities } = await truth.eventLog.append(input);
    expect(await truth.definitionStore.readHistories(kind, null, two)).toEqual(none);
    const poisoned = (entities[0]?.pending ?? []).map(({ source, eventId }) => ({
      source,
      eventId,
    }));
    const poison = { ...entity, readVersion: 0, builds: 0, folded: [], poisoned, states: [] };
    expect((await truth.eventLog.commit([poison], 2)).won).toEqual([true]);
    expect(await truth.definitionStore.readHistories(kind, null, two)).toEqual(none);
    const [registered] = await truth.definitionStore.registerViews([view(kind, "1", kind)], 1);
    expect(registered?.complete).toBe(true);
  });

  it("keeps a built state only for the version that it was built from", async () => {
    const tenant = newTenant();
    const ref = (key: string): EntityRef => ({ tenant, entity: tenant, key });
    await fold(ref("k"), [logEvent(tenant, "1"), logEvent(tenant, "2")]);
    await fold(ref("m"), [logEvent(tenant, "1m")]);
    const built = (key: string, version: number, stateId: string, bytes: string) => ({
      ...ref(key),
      version,
      stateId,
      bytes,
    });
    const answers = await truth.definitionStore.putBuiltStates([
      built("m", 1, "new@1", "AQ=="),
      built("k", 1, "new@1", "Ag=="),
      built("k", 2, "other@1", "Aw=="),
      built("nobody", 0, "new@1", "BA=="),
      built("k", 2, "old@1", "BQ=="),
    ]);
    expect(answers).toEqual([true, false, true, false, true]);
    const { states } = await truth.stateArchive.readStates(tenant, null, 9);
    expect(
      states.map(({ key, stateId, version, bytes }) => [key, stateId, version, bytes]),
    ).toEqual([
      ["k", "old@1", 2, "BQ=="],
      ["k", "other@1", 2, "Aw=="],
      ["m", "new@1", 1, "AQ=="],
      ["m", "old@1", 1, "AAAA"],
    ]);
    expect(await truth.definitionStore.putBuiltStates([])).toEqual([]);
  });
});
