import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.ts";
import type { EntityCommit } from "../../../src/features/event-log.ts";
import { isJoinId } from "../../../src/features/feeds.ts";
import type { Registry } from "../../../src/features/registry.ts";
import type { IngestMessage } from "../../../src/ingest/envelope.ts";
import { pathRegistry, stepEvent, type Step } from "../../support/paths.ts";
import { NOON, openFilledWorld, type World } from "../../support/world.ts";
import { eventsMessage, vault } from "../../support/write-path.ts";
import { readOnline } from "../../../src/features/read-online.ts";

const registry: Registry = pathRegistry({ within: "5s", fanOut: 1, alsoShop: false });

const step = (side: Step["side"], id: string, time: number, ad = "a1"): Step => ({
  side,
  id,
  time: NOON - 60_000 + time,
  who: "ada",
  shop: "x",
  ad,
  amount: "2.50",
  known: null,
});
const message = (...steps: readonly Step[]): IngestMessage =>
  eventsMessage(steps.map((one) => stepEvent(one, "t")));
const awaited = (one: Step): IngestMessage =>
  ({ ...message(one), wait: { token: "w", part: 0 } }) as IngestMessage;

const isTold = async (world: World): Promise<boolean> =>
  (await world.online.countApplied("t", "w")) === 1;

/** A log in which others go on winning such entities. */
const contended = (world: World, isTheirs: (commit: EntityCommit) => boolean) => ({
  ...world.log,
  commit: async (commits: readonly EntityCommit[], now: number) => {
    const mine = commits.filter((commit) => !isTheirs(commit));
    const { won } = await world.log.commit(mine, now);
    return { won: commits.map((one) => won[mine.indexOf(one)] ?? false) };
  },
});

/** A log whose consumer dies once it has folded what meets. */
const dyingAfterJoins = (world: World) => ({
  ...world.log,
  commit: async (commits: readonly EntityCommit[], now: number) => {
    if (commits.some(({ entity }) => !isJoinId(entity))) {
      throw new AppError("dependency_unavailable", "died");
    }
    return world.log.commit(commits, now);
  },
});

const isAd = ({ entity }: EntityCommit): boolean => entity === "ad";

async function ordersOf(world: World, ad: string): Promise<unknown> {
  const { online, clock } = world;
  const ctx = { registry, online, vault, now: () => clock.now, whenIncomplete: "unavailable" };
  const { names, results } = await readOnline(ctx as Parameters<typeof readOnline>[0], {
    tenant: "t",
    features: ["ad_orders"],
    entities: [{ ad }],
  });
  return results[0]?.values[names.indexOf("ad_orders:n")];
}

describe("who waits for an event of a join", () => {
  it.each([
    ["its right one", [step("left", "c", 0)], step("right", "o", 9), { a1: 1 }],
    ["its left one", [step("right", "o", 9)], step("left", "c", 0), { a1: 1 }],
    [
      "one that takes a pair's place",
      [step("left", "c", 0), step("right", "o", 9)],
      step("left", "d", 5, "a2"),
      { a1: 0, a2: 1 },
    ],
  ])(
    "is told when its pairs are visible, whoever made them: %s",
    async (_which, first, last, shown) => {
      const world = await openFilledWorld(registry);
      await world.consume([message(...first)]);
      await world.drain();
      // Somebody makes the pairs, and dies before they are folded.
      const [died] = await world.consume([awaited(last)], { log: dyingAfterJoins(world) });
      expect(died?.outcome()).toBe("retried");
      await world.consume([awaited(last)], { log: contended(world, isAd) });
      expect(await isTold(world)).toBe(false);
      const folds = world.queue.drain().map(({ body }) => body);
      await world.consume(folds, { log: contended(world, isAd) });
      expect(await isTold(world)).toBe(false);
      await world.drain();
      expect(await isTold(world)).toBe(true);
      for (const [ad, orders] of Object.entries(shown)) {
        expect([ad, await ordersOf(world, ad)]).toEqual([ad, orders]);
      }
    },
  );

  it("is told in the end when the event itself was left to a later fold", async () => {
    const world = await openFilledWorld(registry);
    await world.consume([message(step("left", "c", 0))]);
    const last = step("right", "o", 9);
    const log = contended(world, ({ entity }) => isJoinId(entity));
    await world.consume([awaited(last)], { log });
    const folds = world.queue.drain().map(({ body }) => body);
    expect(folds).toMatchObject([{ kind: "fold", waits: [{ token: "w" }] }]);
    // Meanwhile somebody else makes its pairs, and dies.
    await world.consume([message(last)], { log: dyingAfterJoins(world) });
    await world.consume(folds, { log: contended(world, isAd) });
    expect(await isTold(world)).toBe(false);
    await world.drain();
    expect(await isTold(world)).toBe(true);
    expect(await ordersOf(world, "a1")).toBe(1);
  });
});
