import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EventLog, type EntityRef } from "../../src/features/event-log.ts";
import {
  append,
  commitAll,
  customer,
  foldOf,
  look,
  merchant,
  only,
  refs,
  unfinished,
} from "../support/event-log-calls.ts";
import { logEvent, newTenant } from "../support/log-events.ts";
import { truths, type Truth } from "../support/stores.ts";

describe.each(truths())("committing to the event log %s", (_name, open) => {
  let truth: Truth;
  let log: EventLog;
  beforeAll(async () => {
    truth = await open();
    log = truth.eventLog;
  });
  afterAll(() => truth.close());

  it("numbers the events in the order of the fold and keeps its states", async () => {
    const tenant = newTenant();
    const events = ["1", "2", "3"].map((id) => logEvent(tenant, id));
    await append(log, events, [customer(tenant)]);
    const snapshot = await look(log, customer(tenant));
    const folded = refs(snapshot.pending).toReversed();
    const { won } = await log.commit([foldOf(snapshot, { folded })], 6_000);
    expect(won).toEqual([true]);

    const after = await look(log, customer(tenant));
    expect(after).toMatchObject({ version: 3, pending: [], erased: false });
    expect([...after.states]).toEqual([["spend@1", "AAEC"]]);
    const order = folded.map(({ eventId }, index) => `${index + 1}:${eventId}@6000`);
    expect(await truth.readLog(customer(tenant))).toEqual(order);
  });

  it("returns only the states that are asked for", async () => {
    const tenant = newTenant();
    await append(log, [logEvent(tenant, "1")], [customer(tenant)]);
    await commitAll(log, customer(tenant));
    expect((await look(log, customer(tenant), ["visits@1"])).states.size).toBe(0);
    expect((await look(log, customer(tenant), [])).states.size).toBe(0);
  });

  it("keeps a state that is left out, and long ones byte for byte", async () => {
    const tenant = newTenant();
    const long = btoa("\0\u00ff packed ".repeat(5_000));
    await append(log, [logEvent(tenant, "1")], [customer(tenant)]);
    const states = [
      { stateId: "spend@1", bytes: long },
      { stateId: "visits@1", bytes: "" },
    ];
    await log.commit([foldOf(await look(log, customer(tenant)), { states })], 6_000);
    await append(log, [logEvent(tenant, "2")], [customer(tenant)]);
    const next = { states: [{ stateId: "visits@1", bytes: "AA==" }] };
    await log.commit([foldOf(await look(log, customer(tenant)), next)], 6_000);
    const { states: held, version } = await look(log, customer(tenant));
    expect(version).toBe(2);
    expect(held.get("spend@1")).toBe(long);
    expect(held.get("visits@1")).toBe("AA==");
  });

  it("changes nothing for an entity whose version has moved", async () => {
    const tenant = newTenant();
    await append(log, [logEvent(tenant, "1")], [customer(tenant)]);
    const stale = await look(log, customer(tenant));
    await commitAll(log, customer(tenant));
    await append(log, [logEvent(tenant, "2")], [customer(tenant)]);
    const before = await look(log, customer(tenant));
    const lost = foldOf(stale, { states: [{ stateId: "spend@1", bytes: "////" }] });
    expect(await log.commit([lost], 7_000)).toEqual({ won: [false] });
    expect(await look(log, customer(tenant))).toEqual(before);
    expect(await truth.readLog(customer(tenant))).toEqual(["1:1@6000"]);
  });

  it("answers in the order of the commits, whatever their order", async () => {
    const tenant = newTenant();
    const touched = ["b", "a", "d", "c"].map((key) => customer(tenant, key));
    await append(log, [logEvent(tenant, "1")], touched);
    await commitAll(log, customer(tenant, "a"));
    await commitAll(log, customer(tenant, "c"));
    await append(log, [logEvent(tenant, "2")], touched);
    const { entities } = await append(log, [], touched);
    const commits = entities.map((entity) =>
      foldOf(entity, entity.key === "a" ? { readVersion: 0 } : {}),
    );
    const { won } = await log.commit(commits, 7_000);
    expect(won).toEqual([true, false, true, true]);
    expect(await truth.readLog(customer(tenant, "c"))).toEqual(["1:1@6000", "2:2@7000"]);
    expect((await look(log, customer(tenant, "a"))).pending).toHaveLength(1);
  });

  it("loses when a state was built since it read the entity: that state lacks its events", async () => {
    const [tenant, entity] = [newTenant(), customer(newTenant())];
    const ref = { ...entity, tenant };
    await append(log, [logEvent(tenant, "1")], [ref]);
    await commitAll(log, ref);
    await append(log, [logEvent(tenant, "2")], [ref]);
    const before = await look(log, ref);
    const state = { ...ref, version: 1, stateId: "built@1", bytes: "AAEC" };
    expect(await truth.definitionStore.putBuiltStates([state])).toEqual([true]);
    expect((await log.commit([foldOf(before)], 7_000)).won).toEqual([false]);
    const after = await look(log, ref, ["built@1"]);
    expect(after).toMatchObject({ version: 1, builds: 1, states: new Map([["built@1", "AAEC"]]) });
    expect((await log.commit([foldOf(after)], 7_000)).won).toEqual([true]);
  });

  it("takes poison away without a number", async () => {
    const tenant = newTenant();
    const events = ["1", "2", "3"].map((id) => logEvent(tenant, id));
    await append(log, events, [customer(tenant), merchant(tenant)]);
    const snapshot = await look(log, customer(tenant));
    const [folded, poisoned] = [
      refs(snapshot.pending).slice(1),
      refs(snapshot.pending).slice(0, 1),
    ];
    const mixed = foldOf(snapshot, { folded, poisoned });
    expect((await log.commit([mixed], 6_000)).won).toEqual([true]);
    expect(await look(log, customer(tenant))).toMatchObject({ version: 2, pending: [] });
    expect((await look(log, merchant(tenant))).pending).toHaveLength(3);
  });

  it("neither moves the version nor asks for a projection when all was poison", async () => {
    const tenant = newTenant();
    await append(log, [logEvent(tenant, "1")], [customer(tenant)]);
    const poisoned = refs((await look(log, customer(tenant))).pending);
    const poison = foldOf(await look(log, customer(tenant)), { folded: [], poisoned, states: [] });
    expect((await log.commit([poison], 6_000)).won).toEqual([true]);
    expect(await look(log, customer(tenant))).toMatchObject({ version: 0, pending: [] });
    expect(await unfinished(log, tenant)).toEqual([]);

    const { verdicts, entities } = await append(
      log,
      [logEvent(tenant, "1"), logEvent(tenant, "2")],
      [customer(tenant)],
    );
    expect(verdicts).toEqual(["duplicate", "accepted"]);
    expect(entities[0]).toMatchObject({ version: 0, pending: [logEvent(tenant, "2")] });
    await commitAll(log, customer(tenant));
    expect(await truth.readLog(customer(tenant))).toEqual(["1:2@6000"]);
    expect((await log.commit([poison], 6_000)).won).toEqual([false]);
  });

  it("refuses everything when one fold names what does not wait", async () => {
    const tenant = newTenant();
    await append(log, [logEvent(tenant, "1")], [customer(tenant), merchant(tenant)]);
    const good = foldOf(await look(log, merchant(tenant)));
    const snapshot = await look(log, customer(tenant));
    const strange = [...refs(snapshot.pending), { source: "payments", eventId: "nobody's" }];
    const twice = [...refs(snapshot.pending), ...refs(snapshot.pending)];
    for (const folded of [strange, twice]) {
      const commits = [good, foldOf(snapshot, { folded })];
      const commit = log.commit(commits, 6_000);
      await expect(commit).rejects.toMatchObject({ code: "internal" });
    }
    expect(await look(log, customer(tenant))).toMatchObject({ version: 0 });
    expect(await look(log, merchant(tenant))).toMatchObject({ version: 0 });
    expect(await truth.readLog(merchant(tenant))).toEqual([]);
  });

  it("knows an import since the time that it names, and never later than now", async () => {
    const tenant = newTenant();
    const events = [
      logEvent(tenant, "a", { knownAt: 40 }),
      logEvent(tenant, "b", { knownAt: 99_000 }),
      logEvent(tenant, "c"),
    ];
    const { entities } = await append(log, events, [customer(tenant)]);
    await log.commit([foldOf(only(entities))], 6_000);
    expect(await truth.readLog(customer(tenant))).toEqual(["1:a@40", "2:b@6000", "3:c@6000"]);
  });

  it("takes a thousand events of two thousand entities at once", async () => {
    const tenant = newTenant();
    const events = Array.from({ length: 1_000 }, (_, i) => logEvent(tenant, `e${i}`));
    const touched = [
      ...events.map((_, i) => customer(tenant, `c${(i * 7_919) % 1_000}`)),
      ...events.map((_, i) => merchant(tenant, `m${i}`)),
    ];
    const contributions = touched.map((entity, i) => ({ ...entity, event: i % 1_000 }));
    const input = { events, contributions, touched, stateIds: ["spend@1"], now: 5_000 };
    const { entities } = await log.append(input);
    expect(entities.every(({ pending }) => pending.length === 1)).toBe(true);
    const { won } = await log.commit(
      entities.map((entity) => foldOf(entity)),
      6_000,
    );
    expect(won.filter(Boolean)).toHaveLength(2_000);
    const after = await log.append(input);
    expect(new Set(after.verdicts)).toEqual(new Set(["duplicate"]));
    expect(after.entities.every(({ version, pending }) => version === 1 && !pending.length)).toBe(
      true,
    );
  });

  describe("the outbox", () => {
    it("finds what waits and what may not be online, oldest first", async () => {
      const tenant = newTenant();
      // Before every other test's times, since the sweep looks at all tenants.
      const long = -1e12;
      await append(log, [logEvent(tenant, "1")], [customer(tenant, "third")], { now: long + 30 });
      await append(log, [logEvent(tenant, "2")], [customer(tenant, "first")], { now: long + 1 });
      await commitAll(log, customer(tenant, "first"), long + 10);
      await append(log, [logEvent(tenant, "3")], [customer(tenant, "second")], { now: long + 20 });
      await append(log, [logEvent(tenant, "4")], [customer(tenant, "second")], { now: long + 50 });
      const keys = (found: readonly EntityRef[]) => found.map(({ key }) => key);
      expect(keys(await log.findUnfinished(long + 31, 9))).toEqual(["first", "second", "third"]);
      expect(keys(await log.findUnfinished(long + 31, 2))).toEqual(["first", "second"]);
      expect(keys(await log.findUnfinished(long + 30, 9))).toEqual(["first", "second"]);
      expect(keys(await log.findUnfinished(long + 10, 9))).toEqual([]);
    });

    it("gives each its chance to be found, where a seed decides the order", async () => {
      const tenant = newTenant();
      const long = -2e12;
      const names = Array.from({ length: 9 }, (_, i) => `c${i}`);
      const entities = names.map((key) => customer(tenant, key));
      await append(log, [logEvent(tenant, "1")], entities, { now: long });
      for (const entity of entities.slice(0, 4)) await commitAll(log, entity, long);
      await append(log, [logEvent(tenant, "2")], entities.slice(0, 1), { now: long });
      const find = async (limit: number, seed: number): Promise<readonly string[]> =>
        (await log.findUnfinished(long + 1, limit, [], seed)).map(({ key }) => key);
      const orders = await Promise.all(Array.from({ length: 40 }, (_, seed) => find(99, seed)));
      for (const [seed, order] of orders.entries()) {
        expect(order.toSorted()).toEqual(names);
        expect(await find(3, seed)).toEqual(order.slice(0, 3));
      }
      expect(new Set(orders.map(([first]) => first)).size).toBeGreaterThan(names.length / 2);
    });

    it("forgets what is visible, and nothing newer", async () => {
      const tenant = newTenant();
      await append(log, [logEvent(tenant, "1")], [customer(tenant), merchant(tenant)]);
      await commitAll(log, customer(tenant), 6_000);
      await commitAll(log, merchant(tenant), 6_000);
      expect(await unfinished(log, tenant)).toEqual(["customer:c1", "merchant:m1"]);
      await append(log, [logEvent(tenant, "2")], [customer(tenant)]);
      await commitAll(log, customer(tenant), 8_000);

      const visible = { ...customer(tenant), version: 1 };
      await log.settleOutbox([{ ...merchant(tenant), version: 1 }, visible]);
      expect(await unfinished(log, tenant)).toEqual(["customer:c1"]);
      // What still waits was committed at 8,000.
      expect(await unfinished(log, tenant, 8_000)).toEqual([]);
      expect(await unfinished(log, tenant, 8_001)).toEqual(["customer:c1"]);
      await log.settleOutbox([{ ...visible, version: 2 }]);
      expect(await unfinished(log, tenant)).toEqual([]);
      await log.settleOutbox([{ ...visible, version: 9 }]);
      await log.settleOutbox([]);
    });

    it("waits since the oldest commit that is not visible", async () => {
      const tenant = newTenant();
      await append(log, [logEvent(tenant, "1")], [customer(tenant)]);
      await commitAll(log, customer(tenant), 6_000);
      await append(log, [logEvent(tenant, "2")], [customer(tenant)]);
      await commitAll(log, customer(tenant), 8_000);
      expect(await unfinished(log, tenant, 6_001)).toEqual(["customer:c1"]);
    });
  });
});
