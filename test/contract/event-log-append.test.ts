import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  MOST_WAITING_TO_MEET,
  RejectedByStore,
  type EventLog,
} from "../../src/features/event-log.ts";
import { append, commitAll, customer, look, merchant } from "../support/event-log-calls.ts";
import { logEvent, newTenant } from "../support/log-events.ts";
import { truths, type Truth } from "../support/stores.ts";

describe.each(truths())("appending to the event log %s", (_name, open) => {
  let truth: Truth;
  let log: EventLog;
  beforeAll(async () => {
    truth = await open();
    log = truth.eventLog;
  });
  afterAll(() => truth.close());

  it("stores an event once, and tells a repeat from a conflict", async () => {
    const tenant = newTenant();
    const first = await append(log, [logEvent(tenant, "1")], [customer(tenant)]);
    expect(first.verdicts).toEqual(["accepted"]);

    const other = logEvent(tenant, "3", { bodyHash: "ff".repeat(16) });
    const changed = { ...logEvent(tenant, "1"), bodyHash: "ff".repeat(16) };
    const again = await append(log, [logEvent(tenant, "2"), logEvent(tenant, "1"), other], []);
    expect(again.verdicts).toEqual(["accepted", "duplicate", "accepted"]);
    expect((await append(log, [changed], [customer(tenant)])).verdicts).toEqual(["conflict"]);
  });

  it("tells when what is pending was appended, until it is folded", async () => {
    const tenant = newTenant();
    const [one, other] = [customer(tenant), merchant(tenant)];
    await append(log, [logEvent(tenant, "1"), logEvent(tenant, "2")], [one], { now: 5_000 });
    const { entities } = await append(log, [logEvent(tenant, "3")], [one, other], { now: 5_007 });
    const times = entities.map(({ waitingSince }) => new Set(waitingSince));
    expect(times).toEqual([new Set([5_000, 5_007]), new Set([5_007])]);
    const read = async () => (await log.readWaiting([other, one])).map((since) => new Set(since));
    expect(await read()).toEqual([new Set([5_007]), new Set([5_000, 5_007])]);
    await commitAll(log, one);
    expect(await read()).toEqual([new Set([5_007]), new Set()]);
    expect((await look(log, one)).waitingSince).toEqual([]);
  });

  it("returns the touched entities in their order, with what it just added", async () => {
    const tenant = newTenant();
    const events = [logEvent(tenant, "1"), logEvent(tenant, "2")];
    const touched = [merchant(tenant), customer(tenant), customer(tenant, "quiet")];
    const { entities } = await log.append({
      events,
      contributions: [
        { ...customer(tenant), event: 0 },
        { ...merchant(tenant), event: 0 },
        { ...customer(tenant), event: 1 },
      ],
      touched,
      stateIds: [],
      now: 5_000,
    });
    expect(entities.map(({ entity, key }) => `${entity}:${key}`)).toEqual([
      "merchant:m1",
      "customer:c1",
      "customer:quiet",
    ]);
    expect(entities.map(({ pending }) => pending)).toEqual([[events[0]], events, []]);
    expect(entities.map(({ version }) => version)).toEqual([0, 0, 0]);
  });

  it("returns a part of what waits where sources meet, and all that it just added", async () => {
    const tenant = newTenant();
    const meeting = { tenant, entity: "pairs@1", key: "k" };
    const events = Array.from({ length: MOST_WAITING_TO_MEET + 3 }, (_, i) =>
      logEvent(tenant, `e${i}`),
    );
    await append(log, events.slice(0, -2), [meeting, customer(tenant)]);
    const last = events.slice(-2);
    const first = await append(log, last, [meeting, customer(tenant)]);
    expect(first.entities.map(({ pending, hasMore }) => [pending.length, hasMore])).toEqual([
      [MOST_WAITING_TO_MEET + 2, true],
      [events.length, false],
    ]);
    expect(first.entities[0]?.pending).toEqual(expect.arrayContaining(last));
    await commitAll(log, meeting);
    const rest = await look(log, meeting);
    expect([rest.pending.length, rest.hasMore]).toEqual([3, false]);
  });

  it("counts a contribution that is named twice once", async () => {
    const tenant = newTenant();
    const contribution = { ...customer(tenant), event: 0 };
    const result = await log.append({
      events: [logEvent(tenant, "1")],
      contributions: [contribution, contribution],
      touched: [customer(tenant)],
      stateIds: [],
      now: 5_000,
    });
    expect(result.entities[0]?.pending).toHaveLength(1);
    expect((await look(log, customer(tenant))).pending).toHaveLength(1);
  });

  it("returns what somebody else left waiting, as it was first stored", async () => {
    const tenant = newTenant();
    const stored = logEvent(tenant, "1", {
      eventTime: -5,
      originalEventTime: 9_007_199_254_740_991,
      sign: -1,
      knownAt: 17,
      orderKey: "0000/7",
      body: '{"z":"1","a":["\\u0000","\\"","🜁"],"m":{"b":null}}',
    });
    await append(log, [stored], [customer(tenant)]);
    const later = { ...stored, ingestTime: 9_999, knownAt: null, eventTime: 4 };
    const again = await append(log, [later, logEvent(tenant, "2")], [customer(tenant)]);
    expect(again.verdicts).toEqual(["duplicate", "accepted"]);
    expect(again.entities[0]?.pending).toEqual([stored, logEvent(tenant, "2")]);
    expect((await look(log, customer(tenant))).pending).toHaveLength(2);
  });

  it("keeps awkward names apart and whole", async () => {
    const tenant = newTenant();
    const names = ["", "NULL", "a,b", '"', "\\", "{}", "a b\n", "é", "e\u0301", "🜁", "'--", "a:b"];
    const events = names.map((name) => logEvent(tenant, name, { source: `s${name}` }));
    const touched = names.map((name) => customer(tenant, name));
    const contributions = touched.map((entity, event) => ({ ...entity, event }));
    await log.append({ events, contributions, touched, stateIds: [], now: 5_000 });
    const { entities } = await append(log, [], touched);
    expect(entities.map(({ key, pending }) => [key, ...pending])).toEqual(
      names.map((name, index) => [name, events[index]]),
    );
  });

  it("keeps tenants apart", async () => {
    const [tenant, neighbour] = [newTenant(), newTenant()];
    await append(log, [logEvent(tenant, "1")], [customer(tenant)]);
    const { verdicts } = await append(log, [logEvent(neighbour, "1")], [customer(neighbour)]);
    expect(verdicts).toEqual(["accepted"]);
    expect((await look(log, customer(neighbour))).pending).toEqual([logEvent(neighbour, "1")]);
  });

  it("refuses what was ingested before its entity was erased, wherever else it belongs", async () => {
    const tenant = newTenant();
    await truth.putTombstone(customer(tenant), 3_000);
    const events = [
      logEvent(tenant, "before", { ingestTime: 3_000 }),
      logEvent(tenant, "after", { ingestTime: 3_001 }),
    ];
    const touched = [customer(tenant), merchant(tenant)];
    const { verdicts, entities } = await append(log, events, touched);
    expect(verdicts).toEqual(["erased", "accepted"]);
    expect(entities.map(({ erased }) => erased)).toEqual([true, false]);
    expect(entities.map(({ pending }) => pending)).toEqual([[events[1]], [events[1]]]);
    await commitAll(log, customer(tenant));
    expect((await look(log, customer(tenant))).erased).toBe(false);
    expect((await append(log, events, touched)).verdicts).toEqual(["erased", "duplicate"]);
  });

  it.each([
    ["a text with a NUL character", { eventId: "a\0b" }],
    ["half a surrogate pair", { orderKey: "\ud800" }],
    ["a body that is not JSON", { body: "{" }],
    ["a hash that is not hex", { bodyHash: "xyz" }],
    ["a time that is not whole", { eventTime: 1.5 }],
    ["a key that no index holds", { eventId: Array.from({ length: 99 }, newTenant).join("") }],
  ])("refuses %s, and the batch with it", async (_what, fields) => {
    const tenant = newTenant();
    const batch = [logEvent(tenant, "good"), logEvent(tenant, "bad", fields)];
    await expect(append(log, batch, [customer(tenant)])).rejects.toBeInstanceOf(RejectedByStore);
    expect((await look(log, customer(tenant))).pending).toEqual([]);
    const alone = await append(log, [logEvent(tenant, "good")], [customer(tenant)]);
    expect(alone.verdicts).toEqual(["accepted"]);
  });

  it("says which of the wanted states are complete", async () => {
    const suffix = newTenant();
    const view = (name: string) => ({
      name: `${name}_${suffix}`,
      stateId: `${name}@${suffix}`,
      specHash: suffix,
      spec: "{}",
      entity: `entity_${suffix}`,
    });
    const entity = { tenant: suffix, entity: `entity_${suffix}`, key: "k" };
    await truth.definitionStore.registerViews([view("early")], 1);
    await append(log, [logEvent(suffix, "1")], [entity]);
    await commitAll(log, entity);
    await truth.definitionStore.registerViews([view("late")], 1);
    const stateIds = [`early@${suffix}`, `late@${suffix}`, "unknown@0"];
    const { completeStates } = await append(log, [], [], { stateIds });
    expect([...completeStates]).toEqual([`early@${suffix}`]);
    await truth.definitionStore.markComplete(`late@${suffix}`);
    expect((await append(log, [], [], { stateIds })).completeStates.size).toBe(2);
  });
});
