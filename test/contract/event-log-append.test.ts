import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RejectedByStore, type EventLog, type LogEvent } from "../../src/features/event-log.ts";
import { BYTES_AROUND, type WaitingLimits } from "../../src/features/waiting-limits.ts";
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

  const MANY: WaitingLimits = { events: 1e6, share: 10, toMeet: 1e6, bytes: 1e9 };
  const meeting = (tenant: string) => ({ tenant, entity: "pairs@1", key: "k" });
  const parts = (
    limits: Partial<WaitingLimits>,
    touched: Parameters<typeof append>[2],
    events: readonly LogEvent[] = [],
  ) => append(log, events, touched, { waiting: { ...MANY, ...limits } });
  const idsOf = ({ entities }: Awaited<ReturnType<typeof append>>) =>
    entities.map(({ pending, hasMore }) => [
      pending.map(({ eventId }) => eventId).join(" "),
      hasMore,
    ]);

  it("returns the first of what waits by their ids, of each entity some, and what it just added", async () => {
    const tenant = newTenant();
    const [one, other, quiet] = [customer(tenant), merchant(tenant), customer(tenant, "quiet")];
    const events = ["d", "b", "a", "e", "c"].map((id) => logEvent(tenant, id));
    await append(log, events, [one, meeting(tenant)]);
    await append(log, [logEvent(tenant, "f"), logEvent(tenant, "g")], [other]);
    const read = async (limits: Partial<WaitingLimits>, added: readonly LogEvent[] = []) =>
      idsOf(await parts(limits, [one, quiet, other, meeting(tenant)], added));
    const all = [
      ["a b c d e", false],
      ["", false],
      ["f g", false],
      ["a b c d e", false],
    ];
    expect(await read({})).toEqual(all);
    expect(await read({ share: 1 })).toEqual(all);
    expect(await read({ share: 1, events: 10 })).toEqual(all);
    expect(await read({ share: 1, events: 5, toMeet: 1 })).toEqual([
      ["a b c d e", true],
      ["", false],
      ["f g", true],
      ["a", true],
    ]);
    expect(await read({ share: 2, events: 2, toMeet: 3 })).toEqual([
      ["a b c d", true],
      ["", false],
      ["f g", true],
      ["a b", true],
    ]);
    expect(await read({ share: 3, events: 4, toMeet: 4 }, [logEvent(tenant, "0")])).toEqual([
      ["a b c d e 0", false],
      ["0", false],
      ["f g 0", false],
      ["a b c d 0", true],
    ]);
    expect(idsOf(await parts({}, [one]))).toEqual([["0 a b c d e", false]]);
  });

  it("returns no more bytes of what waits than it may, of each entity the first ones first", async () => {
    const tenant = newTenant();
    const [one, other] = [customer(tenant), merchant(tenant)];
    const sized = (id: string, chars: number) =>
      logEvent(tenant, id, { body: JSON.stringify("x".repeat(chars - 2)) });
    await append(log, [sized("a", 100), sized("b", 100), sized("c", 9_000)], [one]);
    await append(log, [sized("d", 9_000)], [other, one]);
    const read = async (bytes: number) => idsOf(await parts({ bytes }, [one, other]));
    expect(await read(1)).toEqual([
      ["a", true],
      ["", true],
    ]);
    expect(await read(101 + BYTES_AROUND)).toEqual([
      ["a", true],
      ["d", false],
    ]);
    expect(await read(9_101 + 2 * BYTES_AROUND)).toEqual([
      ["a b", true],
      ["d", false],
    ]);
    expect(await read(9_201 + 3 * BYTES_AROUND)).toEqual([
      ["a b c d", false],
      ["d", false],
    ]);
    expect(idsOf(await parts({ bytes: 1 }, [one, other], [logEvent(tenant, "z")]))).toEqual([
      ["a z", true],
      ["z", true],
    ]);
  });

  it("leaves what takes something back for later where not all that waits is returned", async () => {
    const tenant = newTenant();
    const touched = [customer(tenant), merchant(tenant)];
    const [was, is, other] = [
      logEvent(tenant, "2"),
      logEvent(tenant, "4", { sign: -1 }),
      logEvent(tenant, "5"),
    ];
    await append(log, [logEvent(tenant, "1"), was], touched.slice(0, 1));
    const limits = { events: 0, share: 1 };
    const first = await parts(limits, touched, [is, other]);
    expect(idsOf(first)).toEqual([
      ["1", true],
      ["4 5", false],
    ]);
    expect(first.entities.map(({ waitingSince }) => waitingSince)).toEqual([[5_000], [5_000]]);
    expect(idsOf(await parts({}, touched))[0]).toEqual(["1 2 4 5", false]);
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
