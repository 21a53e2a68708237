import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.ts";
import { count, last } from "../../../src/features/aggregation.ts";
import { entity, featureView, onDemand } from "../../../src/features/define.ts";
import { joined } from "../../../src/features/define-source.ts";
import type { EntityCommit } from "../../../src/features/event-log.ts";
import { readOnline } from "../../../src/features/read-online.ts";
import { compileDefinitions, type Registry } from "../../../src/features/registry.ts";
import { acceptEvents } from "../../../src/ingest/accept.ts";
import type { IngestMessage } from "../../../src/ingest/envelope.ts";
import { sweep } from "../../../src/ingest/sweep.ts";
import { DAY_MS } from "../../../src/time.ts";
import { z } from "zod";
import {
  ad,
  clicks,
  orders,
  pathRegistry,
  stepOf,
  stepEvent,
  type Step,
} from "../../support/paths.ts";
import { NOON, openFilledWorld, type World } from "../../support/world.ts";
import { eventsMessage, vault } from "../../support/write-path.ts";

const AT = NOON - 60_000;

const click = (id: string, time = AT, fields: Partial<Step> = {}) =>
  stepOf("left", id, time, fields);
const order = (id: string, time = AT, fields: Partial<Step> = {}) =>
  stepOf("right", id, time, fields);

const message = (...steps: readonly Step[]): IngestMessage =>
  eventsMessage(steps.map((one) => stepEvent(one, "t")));

const paths = (options: { readonly fanOut?: number } = {}) =>
  pathRegistry({ within: "5s", fanOut: 100, alsoShop: false, ...options });

async function read(
  { online, clock }: World,
  registry: Registry,
  features: readonly string[],
  row: Readonly<Record<string, string>>,
) {
  const ctx = { registry, online, vault, now: () => clock.now, whenIncomplete: "unavailable" };
  const answer = await readOnline(ctx as Parameters<typeof readOnline>[0], {
    tenant: "t",
    features,
    entities: [row],
  });
  return Object.fromEntries(answer.names.map((name, i) => [name, answer.results[0]?.values[i]]));
}

const pairsOfAd = async (world: World, registry: Registry): Promise<unknown> =>
  (await read(world, registry, ["ad_orders"], { ad: "a1" }))["ad_orders:n"];

const down = (): Promise<never> =>
  Promise.reject(new AppError("dependency_unavailable", "the statement took too long"));

describe("a join whose past cannot be read", () => {
  it("waits, and holds up nobody", async () => {
    const registry = paths();
    const world = await openFilledWorld(registry);
    await world.consume([message(click("c0", AT, { who: "hot" }))]);
    const dying = { ...world.log, commit: down };
    const others = message(click("c1", AT, { who: "hot" }), click("c2"));
    await world.consume([others], { log: dying });
    world.queue.drain();
    const sweeping = world.ctx({ log: { ...world.log, readMet: down }, now: () => NOON + DAY_MS });
    await sweep(sweeping);
    const left = await world.log.findUnfinished(Number.MAX_SAFE_INTEGER, 9);
    expect(left.map(({ key }) => key)).toEqual(["hot"]);
    world.clock.now += DAY_MS;
    await sweep(world.ctx());
    expect(await world.log.findUnfinished(Number.MAX_SAFE_INTEGER, 9)).toEqual([]);
  });
});

describe("a join", () => {
  it.each([
    ["both at the same moment", 0, 1],
    ["an order as late as can be", 5_000, 1],
    ["an order a millisecond too late", 5_001, 0],
    ["an order before the click", -1, 0],
  ])("pairs %s, or does not", async (_what, lag, expected) => {
    const registry = paths();
    const world = await openFilledWorld(registry);
    await world.consume([message(order("o", AT + lag), click("c"))]);
    expect(await pairsOfAd(world, registry)).toBe(expected);
    await world.consume([message(order("o", AT + lag)), message(click("c"))]);
    expect(await pairsOfAd(world, registry)).toBe(expected);
  });

  it("gives a rate of clicks that were followed by an order, by the same code as any feature", async () => {
    const pairs = joined("paths", clicks, orders, { on: { who: "buyer" }, within: "5s" });
    const views = [
      featureView("led", {
        entity: ad,
        source: pairs,
        key: { ad: "clicks__ad" },
        features: { n: count().over("1h") },
      }),
      featureView("seen", { entity: ad, source: clicks, features: { n: count().over("1h") } }),
    ] as const;
    const rate = onDemand("rate", {
      version: 1,
      request: z.object({}),
      from: views,
      features: { rate: ({ features: { led, seen } }) => (seen.n === 0 ? null : led.n / seen.n) },
    });
    const registry = compileDefinitions([ad, clicks, orders, pairs, ...views, rate]);
    const world = await openFilledWorld(registry);
    const others = ["bob", "eve", "joe"].map((who) => click(who, AT, { who }));
    await world.consume([message(click("c"), ...others, order("o", AT + 1_000))]);
    expect(await read(world, registry, ["rate"], { ad: "a1" })).toEqual({ "rate:rate": 0.25 });
  });

  it("credits the last touch alone where it is paired with one", async () => {
    const pairs = joined("touches", clicks, orders, {
      on: { who: "buyer" },
      within: "1h",
      fanOut: 1,
    });
    const bought = entity("bought", { key: "order_id" });
    const credited = featureView("credited", {
      entity: bought,
      source: pairs,
      key: { order_id: "orders__order_id" },
      features: { ad: last("clicks__ad"), n: count() },
    });
    const registry = compileDefinitions([bought, clicks, orders, pairs, credited]);
    const world = await openFilledWorld(registry);
    const touches = [0, 1, 2].map((i) => click(`c${i}`, AT + i, { ad: `a${i}` }));
    await world.consume([message(...touches, order("o", AT + 2), click("later", AT + 3))]);
    expect(await read(world, registry, ["credited"], { order_id: "o" })).toEqual({
      "credited:ad": "a2",
      "credited:n": 1,
    });
  });

  it("shows pairs online as soon as their batch is done, and tells who waits for an event only then", async () => {
    const registry = paths();
    const world = await openFilledWorld(registry);
    const both = message(click("c"), order("o"));
    const waiting = { ...both, wait: { token: "w", part: 0 } } as IngestMessage;
    // Somebody else goes on winning the ad.
    const contended = {
      ...world.log,
      commit: async (commits: readonly EntityCommit[], now: number) => {
        const mine = commits.filter(({ entity: e }) => e !== "ad");
        const { won } = await world.log.commit(mine, now);
        return { won: commits.map((one) => won[mine.indexOf(one)] ?? false) };
      },
    };
    await world.consume([waiting], { log: contended });
    expect(await world.online.countApplied("t", "w")).toBe(0);
    expect(
      (await read(world, registry, ["shopper_paths"], { who: "ada" }))["shopper_paths:n"],
    ).toBe(1);
    await world.drain();
    expect(await world.online.countApplied("t", "w")).toBe(1);
    expect(await pairsOfAd(world, registry)).toBe(1);
  });

  it("makes about 2,000 pairs a commit, and all of them in the end", async () => {
    const registry = paths({ fanOut: 1_000 });
    const world = await openFilledWorld(registry);
    const steps = [
      ...Array.from({ length: 80 }, (_, i) => click(`c${i}`, AT + i)),
      ...Array.from({ length: 60 }, (_, i) => order(`o${i}`, AT + 1_000 + i)),
      click("b", AT, { who: "bob" }),
      order("p", AT, { who: "bob" }),
    ];
    const sizes: number[] = [];
    const counting = {
      ...world.log,
      commit: (commits: readonly EntityCommit[], now: number) => {
        sizes.push(commits.reduce((sum, { derived = [] }) => sum + derived.length, 0));
        return world.log.commit(commits, now);
      },
    };
    await world.consume([message(...steps)], { log: counting });
    await world.drain({ log: counting });
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2_000);
    expect(sizes.reduce((sum, n) => sum + n, 0)).toBe(80 * 60 + 1);
    expect(await pairsOfAd(world, registry)).toBe(80 * 60 + 1);
    expect(await world.log.findUnfinished(Number.MAX_SAFE_INTEGER, 9)).toEqual([]);
  });

  it("takes an event that makes more pairs than that, alone", async () => {
    const registry = paths({ fanOut: 1 });
    const world = await openFilledWorld(registry);
    const lot = Array.from({ length: 2_100 }, (_, i) => order(`o${i}`, AT + 1_000 + (i % 3_000)));
    await world.consume([message(...lot)]);
    await world.consume([message(click("c"))]);
    await world.drain();
    expect(await pairsOfAd(world, registry)).toBe(2_100);
  });

  it("is left to a deployment that knows it, and keeps no sweep from other work", async () => {
    const options = { within: "5s", fanOut: 100, alsoShop: false } as const;
    const registry = pathRegistry(options, ["ad_clicks", "shopper_paths"]);
    const world = await openFilledWorld(registry);
    const interrupted = {
      ...world.log,
      commit: () => Promise.reject(new AppError("dependency_unavailable", "down")),
    };
    await world.consume([message(click("c"), order("o"))], { log: interrupted });
    world.queue.drain();
    const without = pathRegistry(options, ["ad_clicks"]);
    const [join] = registry.joinsByEntity.keys();
    const ref = { tenant: "t", entity: join ?? "", key: "ada" };
    const fold: IngestMessage = { v: 1, kind: "fold", entities: [ref], waits: [], tries: 0 };
    await world.consume([fold], { registry: without });
    expect(world.queue.drain()).toEqual([]);
    const later = { now: () => NOON + DAY_MS };
    expect(await sweep(world.ctx({ registry: without, ...later }))).toMatchObject({ entities: 1 });
    expect(await world.log.findUnfinished(Number.MAX_SAFE_INTEGER, 9)).toEqual([ref]);
    await sweep(world.ctx(later));
    const found = await read(world, registry, ["shopper_paths"], { who: "ada" });
    expect(found["shopper_paths:n"]).toBe(1);
    expect(await world.log.findUnfinished(Number.MAX_SAFE_INTEGER, 9)).toEqual([]);
  });

  it("takes no events from anybody: they are sent to its sides", async () => {
    const registry = paths();
    const world = await openFilledWorld(registry);
    const ctx = { ...world.ctx(), sleep: async () => undefined };
    const input = { tenant: "t", records: [], waitApplied: false, traceparent: null };
    await expect(acceptEvents(ctx, { ...input, source: "paths" })).rejects.toMatchObject({
      code: "not_found",
      message: '"paths" is made of pairs: send events to "clicks" and "orders"',
    });
    const [join = ""] = registry.joinsByEntity.keys();
    for (const source of ["paths", join]) {
      const event = { ...stepEvent(click("c"), "t"), source };
      await world.consume([eventsMessage([event])], {}, 8);
    }
    expect([...world.truth.quarantine.values()].map(({ reason }) => reason)).toEqual([
      "unknown_source",
      "unknown_source",
    ]);
  });

  it("refuses an event whose key for the join is none", async () => {
    const registry = paths();
    const world = await openFilledWorld(registry);
    const ctx = { ...world.ctx(), sleep: async () => undefined };
    const value = { click_id: "c", who: "", shop: "x", ad: "a1", at: AT };
    const answer = await acceptEvents(ctx, {
      tenant: "t",
      source: "clicks",
      records: [{ value: { ok: true, value }, text: JSON.stringify(value), knownAt: null }],
      waitApplied: false,
      traceparent: null,
    });
    expect(answer.rejected).toMatchObject([
      { code: "invalid_event", detail: "who: an entity key is empty" },
    ]);
  });
});
