import { describe, expect, it } from "vitest";
import { acceptEvents } from "../../../src/ingest/accept.ts";
import { quarantineRefused } from "../../../src/ingest/quarantine.ts";
import { replay, type ReplayContext } from "../../../src/ingest/replay.ts";
import { ok } from "../../../src/result.ts";
import { NOON, openFilledWorld, readingEvent, type World } from "../../support/world.ts";
import { eventsMessage, readView, vault } from "../../support/write-path.ts";

const contextOf = (world: World, parts: Partial<ReplayContext> = {}): ReplayContext => ({
  ...world.ctx(),
  quarantine: world.quarantine,
  definitions: world.definitions,
  sleep: async () => undefined,
  ...parts,
});

const waiting = async (world: World) =>
  (await world.quarantine.list("t", { limit: 50, cursor: null, source: null })).items.filter(
    ({ replayedAt }) => replayedAt === null,
  );

const replayAll = async (world: World, parts: Partial<ReplayContext> = {}) => {
  const ids = (await waiting(world)).map(({ id }) => id);
  return { ids, ...(await replay(contextOf(world, parts), { tenant: "t", ids })) };
};

const countOf = async (world: World): Promise<unknown> =>
  (await readView(world.online, "t", "by_device", ["d"], NOON)).results[0]?.values[0];

/** A record that accepting refuses, on its way through the queue into quarantine. */
async function refuse(world: World, fields: object): Promise<void> {
  const value = {
    id: "r",
    device: "d",
    at: NOON - 1,
    price: null,
    level: null,
    colour: null,
    on: null,
    ...fields,
  };
  const records = [{ value: ok(value), text: JSON.stringify(value), knownAt: NOON - 9 }];
  const input = { tenant: "t", source: "readings", waitApplied: false, traceparent: null };
  const answer = await acceptEvents(contextOf(world), { ...input, records });
  expect(answer.rejected).toHaveLength(1);
  await world.drain();
}

describe("replaying the quarantine", () => {
  it("takes a refused record that is right by now, with the time at which it was known", async () => {
    const world = await openFilledWorld();
    await refuse(world, { at: NOON + 400_000 });
    expect(await waiting(world)).toHaveLength(1);
    world.clock.now = NOON + 400_000;
    const { ids, ...outcome } = await replayAll(world);
    expect(outcome).toEqual({ replayed: ids, refused: [], notFound: [] });
    expect(await waiting(world)).toEqual([]);
    await world.drain();
    const [event] = world.truth.events.values();
    expect(event).toMatchObject({ eventId: "r", knownAt: NOON - 9 });
    const again = await replay(contextOf(world), { tenant: "t", ids });
    expect(again).toEqual({ replayed: [], refused: [], notFound: ids });
  });

  it("says where a record is that is refused once more", async () => {
    const world = await openFilledWorld();
    await refuse(world, { at: "soon" });
    const { ids, ...outcome } = await replayAll(world);
    expect(outcome).toMatchObject({
      replayed: [],
      refused: [{ id: ids[0], code: "invalid_event" }],
    });
    await world.drain();
    expect((await waiting(world)).map(({ id }) => id)).toEqual([outcome.refused[0]?.quarantineId]);
  });

  it("delivers an event once more that never got into the log", async () => {
    const world = await openFilledWorld();
    const event = readingEvent("a");
    await world.consume([eventsMessage([{ ...event, source: "unknown" }])], {}, 8);
    const { refused } = await replayAll(world);
    expect(refused).toEqual([]);
    // Nobody knows the source yet: it comes back, under the same id.
    const before = [...world.truth.quarantine.keys()];
    world.clock.now += 500_000;
    const again = world.queue.drain().map(({ body }) => body);
    await world.consume(again, {}, 8);
    expect([...world.truth.quarantine.keys()]).toEqual(before);
    expect(await waiting(world)).toHaveLength(1);
  });

  it("refuses an event alone of which definitions of today can make nothing", async () => {
    const world = await openFilledWorld();
    const [keyless, torn] = [readingEvent("a", { device: "" }), readingEvent("b")];
    const strange = [keyless, { ...torn, body: `${torn.body}}` }];
    await quarantineRefused(
      { vault, quarantine: world.quarantine },
      strange.map((event) => ({ event, reason: "fold_failed", detail: "other definitions" })),
    );
    await world.consume([eventsMessage([{ ...readingEvent("c"), source: "unknown" }])], {}, 8);
    const { ids, ...outcome } = await replayAll(world);
    const reasons = outcome.refused.map(({ code, detail }) => `${code}: ${detail}`);
    expect(reasons.toSorted()).toEqual([
      "invalid_event: an entity key is empty",
      "invalid_event: its record cannot be read",
    ]);
    expect([ids.length, outcome.replayed.length, outcome.notFound]).toEqual([3, 1, []]);
    const left = new Set(outcome.refused.map(({ id }) => id));
    expect(new Set((await waiting(world)).map(({ id }) => id))).toEqual(left);
  });

  it("is harmless for an event that was applied meanwhile", async () => {
    const world = await openFilledWorld();
    const conflict = readingEvent("a", {
      fields: { price: "9", level: 1, colour: "red", on: true },
    });
    await world.consume([eventsMessage([readingEvent("a"), conflict])]);
    await replayAll(world);
    await world.drain();
    expect(await countOf(world)).toBe(1);
    expect(await waiting(world)).toHaveLength(1);
  });

  it("leaves an entry alone whose seal does not open, and those of other tenants", async () => {
    const world = await openFilledWorld();
    await refuse(world, { at: "soon" });
    const [item] = world.truth.quarantine.values();
    if (item === undefined) throw new Error("nothing in quarantine");
    await world.quarantine.add([{ ...item, id: "qrt_moved" }]);
    const { refused } = await replay(contextOf(world), { tenant: "t", ids: ["qrt_moved"] });
    expect(refused).toMatchObject([{ id: "qrt_moved", code: "unreadable", quarantineId: null }]);
    const foreign = await replay(contextOf(world), { tenant: "u", ids: [item.id] });
    expect(foreign).toEqual({ replayed: [], refused: [], notFound: [item.id] });
    expect(await waiting(world)).toHaveLength(2);
  });

  it("marks nothing as replayed when the queue takes nothing", async () => {
    const world = await openFilledWorld();
    await refuse(world, { at: NOON + 400_000 });
    world.clock.now = NOON + 400_000;
    const queue = { send: async () => Promise.reject(new Error("down")) };
    await expect(replayAll(world, { queue })).rejects.toThrow("down");
    expect(await waiting(world)).toHaveLength(1);
  });
});
