import { describe, expect, it } from "vitest";
import type { EntityCommit } from "../../../src/features/event-log.ts";
import { applyEvents, type Applied } from "../../../src/ingest/apply.ts";
import { applying } from "../../../src/ingest/consume.ts";
import { NOON, openFilledWorld, readingEvent, type World } from "../../support/world.ts";
import { readView } from "../../support/write-path.ts";

interface Consumer {
  readonly apply: (id: string, isAwaited?: boolean) => Promise<Applied>;
  readonly commits: (readonly EntityCommit[])[];
  readonly looks: () => number;
}

/** A consumer that appends at its own time; `meanwhile` runs each time before it looks. */
function consumerAt(
  world: World,
  at: number,
  meanwhile: () => Promise<void> = async () => undefined,
): Consumer {
  const commits: (readonly EntityCommit[])[] = [];
  let looks = 0;
  const ctx = applying(
    world.ctx({
      now: () => at,
      log: {
        ...world.log,
        commit: async (own, now) => {
          commits.push(own);
          return world.log.commit(own, now);
        },
        readWaiting: async (entities) => {
          looks += 1;
          return world.log.readWaiting(entities);
        },
      },
      sleep: meanwhile,
    }),
  );
  return {
    commits,
    looks: () => looks,
    async apply(id, isAwaited = false) {
      const event = readingEvent(id);
      const events = new Set(isAwaited ? [event] : []);
      return applyEvents(ctx, [event], [], { events, entities: [], met: [] });
    },
  };
}

const count = async (world: World) =>
  (await readView(world.online, "t", "by_device", ["d"], NOON)).results[0]?.values[0];

/** Runs `then` between the append and the commit of a consumer, and then lets it commit. */
async function whileFolding(world: World, at: number, then: () => Promise<void>): Promise<void> {
  const log = {
    ...world.log,
    commit: async (...args: Parameters<typeof world.log.commit>) => {
      await then();
      return world.log.commit(...args);
    },
  };
  const ctx = applying(world.ctx({ now: () => at, log }));
  await applyEvents(ctx, [readingEvent("first")], []);
}

describe("a consumer at an entity that another one is folding", () => {
  it("waits, and folds what has come since when its turn comes: nobody loses", async () => {
    const world = await openFilledWorld();
    const asleep = Promise.withResolvers<void>();
    const second = consumerAt(world, NOON + 1, async () => {
      asleep.resolve();
      await first;
    });
    let applied: Promise<Applied> | undefined;
    const first: Promise<void> = whileFolding(world, NOON, async () => {
      applied = second.apply("second");
      await asleep.promise;
    });
    await first;
    const { figures } = (await applied) as Applied;
    expect(figures).toMatchObject({ accepted: 1, folded: 2, lost: 0, yielded: 0 });
    expect([second.looks(), second.commits.length]).toEqual([1, 1]);
    expect(await count(world)).toBe(2);
  });

  it("is done when others fold what it appended, and projects it only if somebody waits", async () => {
    for (const isAwaited of [false, true]) {
      const world = await openFilledWorld();
      await dead(world, NOON - 2, "dead");
      // Somebody folds all of it, and dies before it is online.
      const foldAll = async (): Promise<void> => {
        const online = { ...world.online, write: async () => Promise.reject(new Error("died")) };
        const entities = ["device", "colour"].map((entity) => ({
          tenant: "t",
          entity,
          key: entity === "device" ? "d" : "red",
        }));
        await applyEvents(applying(world.ctx({ online })), [], entities);
      };
      const consumer = consumerAt(world, NOON, foldAll);
      const { figures, visible, unfinished } = await consumer.apply("own", isAwaited);
      expect(figures).toMatchObject({ accepted: 1, folded: 0, lost: 0, yielded: 2 });
      expect(consumer.commits).toEqual([]);
      expect([visible.size, unfinished]).toEqual([isAwaited ? 2 : 0, []]);
      expect(await count(world)).toBe(isAwaited ? 2 : 0);
    }
  });

  it("folds for one that died, after a few looks", async () => {
    const world = await openFilledWorld();
    await dead(world, NOON - 2, "dead");
    const consumer = consumerAt(world, NOON);
    const { figures, unfinished } = await consumer.apply("own");
    expect([consumer.looks(), unfinished]).toEqual([4, []]);
    expect(figures).toMatchObject({ accepted: 1, folded: 4, yielded: 0 });
    expect(await count(world)).toBe(2);
  });
});

/** Appends, and is never heard of again. */
async function dead(world: World, at: number, id: string): Promise<void> {
  const log = { ...world.log, commit: async () => Promise.reject(new Error("died")) };
  const ctx = applying(world.ctx({ now: () => at, log }));
  await expect(applyEvents(ctx, [readingEvent(id)], [])).rejects.toThrow("died");
}
