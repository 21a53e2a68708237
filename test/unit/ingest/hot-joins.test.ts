import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.ts";
import { applyDefinitions } from "../../../src/features/apply-definitions.ts";
import type { AppendInput, EntityCommit } from "../../../src/features/event-log.ts";
import { readOnline } from "../../../src/features/read-online.ts";
import type { Registry } from "../../../src/features/registry.ts";
import { entitiesOf } from "../../../src/ingest/entity-refs.ts";
import { JOIN_LIMITS } from "../../../src/ingest/join-limits.ts";
import { foldingOf, foldPending } from "../../../src/ingest/fold-pending.ts";
import { replay } from "../../../src/ingest/replay.ts";
import { sweep } from "../../../src/ingest/sweep.ts";
import { DAY_MS } from "../../../src/time.ts";
import { naivePairs } from "../../support/naive-pairs.ts";
import {
  pathRegistry,
  stepOf,
  stepEvent,
  type PathOptions,
  type Step,
} from "../../support/paths.ts";
import { NOON, openFilledWorld, type World } from "../../support/world.ts";
import { eventsMessage, vault } from "../../support/write-path.ts";

const AT = NOON - 60_000;

const message = (...steps: readonly Step[]) =>
  eventsMessage(steps.map((one) => stepEvent(one, "t")));

const paths = (options: Partial<PathOptions> = {}): Registry =>
  pathRegistry({ within: "5s", fanOut: 1, alsoShop: false, ...options });

async function pairsOfAd({ online, clock }: World, registry: Registry): Promise<unknown> {
  const ctx = { registry, online, vault, now: () => clock.now, whenIncomplete: "unavailable" };
  const asked = { tenant: "t", features: ["ad_orders"], entities: [{ ad: "a1" }] };
  const answer = await readOnline(ctx as Parameters<typeof readOnline>[0], asked);
  return answer.results[0]?.values[0];
}

const quarantined = async (world: World) =>
  (await world.quarantine.list("t", { limit: 9, cursor: null, source: null })).items;

const finish = async (world: World): Promise<void> => {
  await sweep(world.ctx({ now: () => NOON + DAY_MS }));
  await world.drain();
  expect(await world.log.findUnfinished(Number.MAX_SAFE_INTEGER, 9)).toEqual([]);
};

describe("an event that makes more pairs than a commit takes", () => {
  const orders = Array.from({ length: 12 }, (_, i) => stepOf("right", `o${i}`, AT + 10 + i));
  const click = stepOf("left", "c", AT);
  const others = [stepOf("left", "b", AT + 30), stepOf("right", "p", AT + 40)];
  const round = { pairs: 5, chars: 1e9 };
  const joinLimits = { ...JOIN_LIMITS, round, event: { pairs: 11, chars: 1e9 } };

  async function refused() {
    const registry = paths();
    const world = await openFilledWorld(registry);
    await world.consume([message(...orders)]);
    await world.consume([message(click, ...others)], { joinLimits });
    return { registry, world };
  }

  it("is kept, with what to do, and holds up nothing else", async () => {
    const { registry, world } = await refused();
    const items = await quarantined(world);
    expect(items).toMatchObject([{ eventId: "c", source: "clicks", reason: "fold_failed" }]);
    expect(items[0]?.detail).toBe(
      'its pairs in "paths" are more than one commit takes (11, or about 1000 MB): give the join a ' +
        'shorter "within" or more columns in "on"',
    );
    expect(await pairsOfAd(world, registry)).toBe(1);
    await finish(world);
  });

  it("is kept before it leaves what waits", async () => {
    const registry = paths();
    const world = await openFilledWorld(registry);
    await world.consume([message(...orders)]);
    const down = async (): Promise<never> => {
      throw new AppError("dependency_unavailable", "down");
    };
    const log = { ...world.log, commit: down };
    await world.consume([message(click)], { joinLimits, log });
    expect(await quarantined(world)).toHaveLength(1);
    expect((await world.log.findUnfinished(Number.MAX_SAFE_INTEGER, 9)).length).toBeGreaterThan(0);
  });

  it("counts also by how long its pairs are", async () => {
    const registry = paths();
    const world = await openFilledWorld(registry);
    await world.consume([message(...orders)]);
    const short = { ...JOIN_LIMITS, round, event: { pairs: 99, chars: 4_000 } };
    await world.consume([message(click, ...others)], { joinLimits: short });
    expect(await quarantined(world)).toMatchObject([{ eventId: "c" }]);
    expect(await pairsOfAd(world, registry)).toBe(1);
  });

  it("is folded when it is replayed and there is room", async () => {
    const { registry, world } = await refused();
    const ids = (await quarantined(world)).map(({ id }) => id);
    const { quarantine, definitions } = world;
    const ctx = { ...world.ctx(), quarantine, definitions, sleep: async () => undefined };
    expect(await replay(ctx, { tenant: "t", ids })).toMatchObject({ replayed: ids });
    await world.drain();
    expect(await pairsOfAd(world, registry)).toBe(13);
    await finish(world);
  });

  it("is folded into a join that takes its place", async () => {
    const { world } = await refused();
    const finer = paths({ alsoShop: true });
    const ctx = world.ctx({ registry: finer });
    await applyDefinitions({
      ...world,
      registry: finer,
      now: () => NOON,
      progress: () => undefined,
      ...foldingOf(ctx),
    });
    expect(await pairsOfAd(world, finer)).toBe(13);
  });
});

describe("more events of one key than are read at once", () => {
  it("are read and folded a part at a time, in any number of rounds", async () => {
    const registry = paths({ fanOut: 2 });
    const world = await openFilledWorld(registry);
    const steps = Array.from({ length: 1_300 }, (_, i) =>
      stepOf(i % 3 === 0 ? "left" : "right", `e${(i * 7) % 1_301}`, AT + ((i * 37) % 1_300)),
    );
    const events = steps.map((one) => stepEvent(one, "t"));
    const contributions = events.flatMap((event, i) =>
      entitiesOf(registry, event).map((ref) => ({ ...ref, event: i })),
    );
    await world.log.append({ events, contributions, touched: [], stateIds: [], now: NOON });
    const sizes: number[] = [];
    const log = {
      ...world.log,
      async append(input: AppendInput) {
        const answer = await world.log.append(input);
        const joins = answer.entities.filter(({ entity }) => entity.includes("@"));
        sizes.push(...joins.map(({ pending }) => pending.length));
        return answer;
      },
      commit: (commits: readonly EntityCommit[], now: number) => {
        for (const { derived = [] } of commits) expect(derived.length).toBeLessThanOrEqual(2_000);
        return world.log.commit(commits, now);
      },
    };
    const meeting = {
      tenant: "t",
      entity: [...registry.joinsByEntity.keys()][0] ?? "",
      key: "ada",
    };
    await foldPending(world.ctx({ log }), [meeting]);
    expect(Math.max(...sizes)).toBe(500);
    const plain = steps.map((one) => ({ ...one, key: one.who }));
    expect(await pairsOfAd(world, registry)).toBe(naivePairs(plain, 5_000, 2).length);
    expect(sizes.length).toBeLessThan(10);
    await finish(world);
  });
});
