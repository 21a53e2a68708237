import { describe, expect, it } from "vitest";
import { beginFill, fillWhereEmpty } from "../../../src/ingest/fill.ts";
import { sweep } from "../../../src/ingest/sweep.ts";
import { MINUTE_MS } from "../../../src/time.ts";
import { withFaults } from "../../support/fakes/with-faults.ts";
import { NOON, openFilledWorld, readingEvent, type World } from "../../support/world.ts";
import { eventsMessage, readView } from "../../support/write-path.ts";

/** 450 devices and a colour: three pages. */
const keys = Array.from({ length: 450 }, (_, i) => `d${i}`);

async function openLargeWorld(): Promise<World> {
  const world = await openFilledWorld();
  await world.consume([
    eventsMessage(keys.map((key) => readingEvent(`e-${key}`, { device: key }))),
  ]);
  return world;
}

/** Consumes the one message that waits, which is a page; answers whether there was one. */
async function onePage(world: World): Promise<boolean> {
  const [message, ...more] = world.queue.drain();
  expect(more).toEqual([]);
  if (message !== undefined) await world.consume([message.body]);
  return message !== undefined;
}

const isFilled = async (world: World): Promise<boolean> =>
  (await world.online.read("t", [])).meta !== null;

async function expectAllThere(world: World): Promise<void> {
  expect(await isFilled(world)).toBe(true);
  const { results } = await readView(world.online, "t", "by_device", keys, NOON);
  expect(new Set(results.map(({ values }) => values[0]))).toEqual(new Set([1]));
}

describe("filling an online store", () => {
  it("copies every state page by page, and lets nobody read before the last", async () => {
    const world = await openLargeWorld();
    world.online.flush();
    await beginFill(world.ctx(), "t");
    for (let page = 1; page <= 3; page += 1) {
      expect(await isFilled(world)).toBe(false);
      expect(await onePage(world)).toBe(true);
    }
    expect(await onePage(world)).toBe(false);
    await expectAllThere(world);
  });

  it("never ends in a meta when a flush came in between, wherever that was", async () => {
    for (const pagesBefore of [0, 1, 2]) {
      const world = await openLargeWorld();
      world.online.flush();
      await beginFill(world.ctx(), "t");
      for (let page = 0; page < pagesBefore; page += 1) await onePage(world);
      world.online.flush();
      while (await onePage(world)) expect(await isFilled(world)).toBe(false);
      expect(await isFilled(world)).toBe(false);
      // The next sweep begins anew, at once.
      expect(await sweep(world.ctx())).toMatchObject({ fillings: 1 });
      await world.drain();
      await expectAllThere(world);
    }
  });

  it("never ends in a meta when the flush comes in the middle of its last page", async () => {
    for (const when of ["readStates", "nextMeta"]) {
      const world = await openLargeWorld();
      world.online.flush();
      await beginFill(world.ctx(), "t");
      await onePage(world);
      await onePage(world);
      const flushing = (method: string): void => {
        if (method === when) world.online.flush();
      };
      await world.drain({ archive: withFaults(world.archive, { after: flushing }) });
      expect([when, await isFilled(world)]).toEqual([when, false]);
    }
  });

  it("stops at the page after a flush in the middle of one, and is begun anew at once", async () => {
    const world = await openLargeWorld();
    world.online.flush();
    await beginFill(world.ctx(), "t");
    const [first] = world.queue.drain();
    const archive = withFaults(world.archive, { after: () => world.online.flush() });
    await world.consume([first?.body], { archive });
    expect(await onePage(world)).toBe(true);
    expect(world.queue.drain()).toEqual([]);
    expect(await sweep(world.ctx())).toMatchObject({ fillings: 1 });
    await world.drain();
    await expectAllThere(world);
  });

  it("tells what changed while it ended, also where it dies there and comes again", async () => {
    const world = await openLargeWorld();
    world.online.flush();
    await beginFill(world.ctx(), "t");
    await onePage(world);
    await onePage(world);
    const [last] = world.queue.drain();
    const archive = withFaults(world.archive, {
      after: (method) =>
        void (method === "nextMeta" && world.truth.revokedKeys.set("t", new Set(["k"]))),
    });
    const online = withFaults(world.online, {
      after(method, [, step]) {
        if (method === "writeMeta" && step === "end") throw new Error("dies here");
      },
    });
    const [died] = await world.consume([last?.body], { archive, online });
    expect(died?.outcome()).toBe("retried");
    expect((await world.online.read("t", [])).meta?.revokedKeys).toEqual([]);
    await world.consume([last?.body]);
    expect((await world.online.read("t", [])).meta?.revokedKeys).toEqual(["k"]);
    await expectAllThere(world);
  });

  it("goes on after a page that failed, or that was delivered twice", async () => {
    const world = await openLargeWorld();
    world.online.flush();
    await beginFill(world.ctx(), "t");
    const [first] = world.queue.drain();
    const online = withFaults(
      { ...world.online },
      {
        before(method) {
          if (method === "write") throw new Error("down");
        },
      },
    );
    const [failed] = await world.consume([first?.body], { online });
    expect(failed?.outcome()).toBe("retried");
    await world.consume([first?.body, first?.body]);
    await world.drain();
    await expectAllThere(world);
  });

  it("is not begun anew by every sweep while it goes on, however long it takes", async () => {
    const world = await openLargeWorld();
    world.online.flush();
    const begun: number[] = [];
    do {
      begun.push((await sweep(world.ctx())).fillings);
      world.clock.now += MINUTE_MS;
    } while (await onePage(world));
    expect(begun).toEqual([1, 0, 0, 0]);
    expect(await isFilled(world)).toBe(true);
  });

  it("is begun anew when its message was lost", async () => {
    const world = await openLargeWorld();
    world.online.flush();
    expect(await fillWhereEmpty(world.ctx(), "t")).toBe(true);
    await onePage(world);
    world.queue.drain();
    world.clock.now += 3 * MINUTE_MS - 1;
    expect(await fillWhereEmpty(world.ctx(), "t")).toBe(false);
    world.clock.now += 1;
    expect(await fillWhereEmpty(world.ctx(), "t")).toBe(true);
    await world.drain();
    await expectAllThere(world);
    expect(await fillWhereEmpty(world.ctx(), "t")).toBe(false);
  });

  it("gives way to a later filling, which alone ends", async () => {
    const world = await openLargeWorld();
    world.online.flush();
    await beginFill(world.ctx(), "t");
    const [first] = world.queue.drain();
    await beginFill(world.ctx(), "t");
    const [second] = world.queue.drain();
    await world.consume([first?.body]);
    expect(world.queue.drain()).toEqual([]);
    await world.consume([second?.body]);
    await world.drain();
    await expectAllThere(world);
  });

  it("keeps what live events wrote meanwhile, and is no step behind them", async () => {
    const world = await openLargeWorld();
    world.online.flush();
    await beginFill(world.ctx(), "t");
    const live = async (id: string): Promise<void> => {
      const fresh = ["d0", "d449", `new-${id}`].map((key) =>
        readingEvent(`${id}-${key}`, { device: key }),
      );
      await world.consume([eventsMessage(fresh)]);
    };
    const archive = withFaults(world.archive, { after: (method) => live(method) });
    await world.drain({ archive });
    const { results } = await readView(world.online, "t", "by_device", ["d0", "d449"], NOON);
    const [one, other] = results;
    expect(one?.values[0]).toBe(3);
    expect(other?.values).toEqual(one?.values);
  });

  it("tells of what changed in the truth between its last look and its end", async () => {
    const world = await openLargeWorld();
    world.online.flush();
    await beginFill(world.ctx(), "t");
    await onePage(world);
    await onePage(world);
    let looks = 0;
    const archive = withFaults(world.archive, {
      async after(method) {
        looks += method === "nextMeta" ? 1 : 0;
        if (method !== "nextMeta" || looks > 1) return;
        // A key is revoked; its own refresh finds no meta yet.
        world.truth.revokedKeys.set("t", new Set(["key_1"]));
        const meta = await world.archive.nextMeta("t");
        expect(await world.online.writeMeta("t", "refresh", meta)).toBe(false);
      },
    });
    await world.drain({ archive });
    expect((await world.online.read("t", [])).meta?.revokedKeys).toEqual(["key_1"]);
  });
});
