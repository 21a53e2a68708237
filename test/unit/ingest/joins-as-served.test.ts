import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.ts";
import { readHistory } from "../../../src/features/read-history.ts";
import { readOnline } from "../../../src/features/read-online.ts";
import { sweep } from "../../../src/ingest/sweep.ts";
import { createMemoryHistoryLog } from "../../support/fakes/memory-history-log.ts";
import { pathRegistry, stepOf, stepEvent, type Step } from "../../support/paths.ts";
import { NOON, openFilledWorld } from "../../support/world.ts";
import { eventsMessage, vault } from "../../support/write-path.ts";

const AT = NOON - 60_000;

const click = stepOf("left", "c0", AT);
const order = stepOf("right", "o", AT + 1_000);
/** Takes the place of the click, of another ad: known ten seconds after both. */
const late = stepOf("left", "c1", AT + 500, { ad: "a2", known: AT + 12_000 });

const registry = pathRegistry({ within: "5s", fanOut: 1, alsoShop: false }, ["ad_orders"]);

async function openWorld() {
  const world = await openFilledWorld(registry);
  const reading = { registry, vault, online: world.online, whenIncomplete: "unavailable" } as const;
  const history = createMemoryHistoryLog(world.truth);
  const looking = { registry, vault, history, definitions: world.definitions, now: () => NOON };
  return {
    world,
    /** Takes an event by a consumer whose clock says this. */
    take: async (one: Step, now: number, ingestTime = stepEvent(one, "t").ingestTime) => {
      world.clock.now = now;
      await world.consume([eventsMessage([{ ...stepEvent(one, "t"), ingestTime }])]);
      await world.drain();
    },
    served: async (at: number): Promise<unknown> => {
      const asked = { tenant: "t", features: ["ad_orders:n"], entities: [{ ad: "a1" }] };
      return (await readOnline({ ...reading, now: () => at }, asked)).results[0]?.values;
    },
    known: async (at: number): Promise<unknown> => {
      const rows = [{ entity: { ad: "a1" }, at }];
      const asked = { tenant: "t", features: ["ad_orders:n"], rows };
      return (await readHistory(looking, asked)).rows[0]?.values;
    },
  };
}

describe("a pair that was served", () => {
  it.each([
    ["in the millisecond of its ingest", 0],
    ["a millisecond later", 1],
    ["by a clock that is behind", -40],
  ])("stays known, whatever is imported, if it was committed %s", async (_what, lag) => {
    const { take, served, known } = await openWorld();
    for (const one of [click, order]) await take(one, one.time + 7 + lag);
    expect(await served(AT + 30_000)).toEqual([1]);
    await take(late, AT + 50_000);
    expect(await known(AT + 30_000)).toEqual([1]);
    expect(await served(AT + 50_000)).toEqual([0]);
    expect(await known(AT + 50_000)).toEqual([0]);
  });

  it.each([
    ["click", click, order],
    ["order", order, click],
  ])("stays known if its %s was imported in the same millisecond", async (_what, past, live) => {
    const { take, served, known } = await openWorld();
    const now = AT + 2_000;
    await take({ ...past, known: now }, now, now);
    await take(live, now, now);
    expect(await served(AT + 30_000)).toEqual([1]);
    await take(late, AT + 50_000);
    expect(await known(AT + 30_000)).toEqual([1]);
    expect(await known(AT + 50_000)).toEqual([0]);
  });

  it.each([
    ["click", click, order],
    ["order", order, click],
  ])("is not known before, where a clock that is ahead took its %s", async (_what, first, then) => {
    const { world, take, served, known } = await openWorld();
    await take(first, AT + 2_040);
    // Its pair waits for a sweep.
    const log = {
      ...world.log,
      commit: (...[commits, ...rest]: Parameters<typeof world.log.commit>) =>
        commits.some(({ entity }) => entity === "ad")
          ? Promise.reject(new AppError("dependency_unavailable", "down"))
          : world.log.commit(commits, ...rest),
    };
    world.clock.now = AT + 2_000;
    await world.consume([eventsMessage([stepEvent(then, "t")])], { log });
    world.queue.drain();
    expect(await served(AT + 30_000)).toEqual([0]);
    world.clock.now = AT + 50_000;
    await sweep(world.ctx());
    expect(await served(AT + 50_000)).toEqual([1]);
    expect(await known(AT + 30_000)).toEqual([0]);
    expect(await known(AT + 50_000)).toEqual([1]);
  });
});
