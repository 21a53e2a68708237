import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.ts";
import { sweep } from "../../../src/ingest/sweep.ts";
import { registerTenant } from "../../support/fakes/memory-key-store.ts";
import { entityKey } from "../../support/fakes/memory-truth.ts";
import { withFaults } from "../../support/fakes/with-faults.ts";
import { randomOf } from "../../support/random.ts";
import { NOON, openFilledWorld, readingEvent, type World } from "../../support/world.ts";
import { eventsMessage, readView } from "../../support/write-path.ts";

const down = new AppError("dependency_unavailable", "down");

const without = <T extends object>(port: T, ...methods: readonly string[]): T =>
  withFaults(
    { ...port },
    {
      before(name) {
        if (methods.includes(name)) throw down;
      },
    },
  );

const unfinished = async (world: World): Promise<number> =>
  (await world.log.findUnfinished(Number.MAX_SAFE_INTEGER, 10_000)).length;

const countOf = async (world: World): Promise<unknown> =>
  (await readView(world.online, "t", "by_device", ["d"], NOON)).results[0]?.values[0];

describe("the sweep", () => {
  it("folds what waits and projects what is behind, once nobody is at it any more", async () => {
    const world = await openFilledWorld();
    const message = [eventsMessage([readingEvent("a")])];
    await world.consume(message, { log: without(world.log, "commit") });
    expect(await unfinished(world)).toBe(2);
    world.clock.now += 5_000;
    expect(await sweep(world.ctx())).toEqual({ entities: 0, fillings: 0 });
    world.clock.now += 1;
    expect(await sweep(world.ctx())).toEqual({ entities: 2, fillings: 0 });
    expect([await unfinished(world), await countOf(world)]).toEqual([0, 1]);

    await world.consume([eventsMessage([readingEvent("b")])], {
      online: without(world.online, "write"),
    });
    expect(await countOf(world)).toBe(1);
    world.clock.now += 5_001;
    expect(await sweep(world.ctx())).toEqual({ entities: 2, fillings: 0 });
    expect([await unfinished(world), await countOf(world)]).toEqual([0, 2]);
  });

  it("goes through as many pages as there are", async () => {
    const world = await openFilledWorld();
    const events = Array.from({ length: 700 }, (_, i) =>
      readingEvent(`e${i}`, { device: `d${i}` }),
    );
    await world.consume([eventsMessage(events)], { log: without(world.log, "commit") });
    world.clock.now += 6_000;
    expect((await sweep(world.ctx())).entities).toBe(701);
    expect(await unfinished(world)).toBe(0);
  });

  it("stops early while the online store is down, and keeps the outbox", async () => {
    const world = await openFilledWorld();
    const online = without(world.online, "write");
    const events = Array.from({ length: 400 }, (_, i) =>
      readingEvent(`e${i}`, { device: `d${i}` }),
    );
    await world.consume([eventsMessage(events)], { online });
    world.clock.now += 6_000;
    expect(await sweep(world.ctx({ online }))).toEqual({ entities: 0, fillings: 0 });
    expect(await unfinished(world)).toBe(401);
    expect(world.notes.at(-1)?.message).toBe("the sweep stops early");
    await sweep(world.ctx());
    expect(await unfinished(world)).toBe(0);
  });

  /** As many devices with a state that nobody can read, each with an event that waits. */
  async function damage(world: World, count: number): Promise<void> {
    for (let from = 0; from < count; from += 500) {
      const ids = Array.from({ length: Math.min(500, count - from) }, (_, i) => `x${from + i}`);
      const send = (n: number) =>
        ids.map((id) => readingEvent(`${id}-${n}`, { device: id, fields: { colour: null } }));
      await world.consume([eventsMessage(send(1))]);
      for (const id of ids) {
        const ref = { tenant: "t", entity: "device", key: id };
        const states = world.truth.entities.get(entityKey(ref))?.states ?? new Map();
        for (const [stateId, state] of states) states.set(stateId, { ...state, bytes: "AAAA" });
      }
      await world.consume([eventsMessage(send(2))]);
    }
    world.queue.drain();
  }

  /** A younger one, whose fold was lost. */
  async function leave(world: World): Promise<void> {
    world.clock.now += 60_000;
    const event = readingEvent("young", { fields: { colour: null } });
    await world.consume([eventsMessage([event])], { log: without(world.log, "commit") });
    world.clock.now += 6_000;
  }

  it("reaches what is younger than a thousand entities that cannot be folded", async () => {
    const world = await openFilledWorld();
    await damage(world, 1_000);
    await leave(world);
    expect((await sweep(world.ctx())).entities).toBe(1);
    expect([await unfinished(world), await countOf(world)]).toEqual([1_000, 1]);
  });

  it("comes round to everything, however much cannot be folded", async () => {
    const world = await openFilledWorld();
    await damage(world, 6_500);
    await leave(world);
    const random = randomOf(7);
    let [swept, sweeps] = [0, 0];
    while (swept === 0 && sweeps < 20) {
      swept = (await sweep(world.ctx({ random }))).entities;
      sweeps += 1;
    }
    expect([swept, await countOf(world)]).toEqual([1, 1]);
  });

  it("quarantines what turns out to be poison", async () => {
    const world = await openFilledWorld();
    const event = readingEvent("p");
    const poison = { ...event, body: event.body.replace('"level":"2"', '"level":"high"') };
    await world.consume([eventsMessage([poison])], { log: without(world.log, "commit") });
    world.truth.quarantine.clear();
    world.clock.now += 6_000;
    await sweep(world.ctx());
    expect([...world.truth.quarantine.values()].map(({ eventId }) => eventId)).toEqual(["p"]);
    expect(await unfinished(world)).toBe(0);
  });

  it("begins to fill the store of every tenant that was flushed, and of new ones", async () => {
    const world = await openFilledWorld();
    registerTenant(world.truth, "u");
    expect(await sweep(world.ctx())).toEqual({ entities: 0, fillings: 1 });
    await world.drain();
    expect(await sweep(world.ctx())).toEqual({ entities: 0, fillings: 0 });
    world.online.flush();
    expect(await sweep(world.ctx())).toEqual({ entities: 0, fillings: 2 });
    await world.drain();
    for (const tenant of ["t", "u"]) {
      expect((await world.online.read(tenant, [])).meta).not.toBeNull();
    }
  });

  it("says so when a store is down that it cannot do without", async () => {
    const world = await openFilledWorld();
    const ctx = world.ctx({ log: without(world.log, "findUnfinished") });
    await expect(sweep(ctx)).rejects.toBe(down);
    const blind = world.ctx({ online: without(world.online, "read") });
    await expect(sweep(blind)).rejects.toBe(down);
  });
});
