import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.ts";
import type { LogEvent } from "../../../src/features/event-log.ts";
import type { IngestMessage } from "../../../src/ingest/envelope.ts";
import { sweep } from "../../../src/ingest/sweep.ts";
import { withFaults } from "../../support/fakes/with-faults.ts";
import { NOON, openFilledWorld, readingEvent, type World } from "../../support/world.ts";
import { eventsMessage, readView } from "../../support/write-path.ts";

const down = new AppError("dependency_unavailable", "down");

/** The online store with writes that fail, all or those of some entities. */
const deaf = (world: World) =>
  withFaults(
    { ...world.online },
    {
      before(method) {
        if (method === "write") throw down;
      },
    },
  );

/** A log in which somebody else wins every compare-and-set of one device. */
const contended = (world: World, device: string) => ({
  ...world.log,
  commit: async (...[commits, now]: Parameters<typeof world.log.commit>) => {
    const mine = commits.filter(({ key }) => key !== device);
    const { won } = await world.log.commit(mine, now);
    return { won: commits.map((commit) => won[mine.indexOf(commit)] ?? false) };
  },
});

const waiting = (token: string, part: number, events: readonly LogEvent[]): IngestMessage => ({
  v: 1,
  kind: "events",
  events,
  wait: {
    token,
    part,
  },
  traceparent: null,
});

const applied = (world: World, token: string): Promise<number> =>
  world.online.countApplied("t", token);

const foldsOf = (world: World) =>
  world.queue
    .drain()
    .map(({ body, delaySeconds }) => ({ body, delaySeconds }))
    .flatMap(({ body, delaySeconds }) => (body.kind === "fold" ? [{ body, delaySeconds }] : []));

const countOf = async (world: World, key: string) =>
  (await readView(world.online, "t", "by_device", [key], NOON)).results[0]?.values[0];

describe("a waiting request", () => {
  it("is told of each part when all that the part touches is visible", async () => {
    const world = await openFilledWorld();
    await world.consume([waiting("w", 0, [readingEvent("a"), readingEvent("b", { device: "x" })])]);
    expect(await applied(world, "w")).toBe(1);
    await world.consume([waiting("w", 0, [readingEvent("a")])]);
    expect(await applied(world, "w")).toBe(1);
    await world.consume([waiting("w", 1, [readingEvent("c")])]);
    expect(await applied(world, "w")).toBe(2);
  });

  it("is told of events that are already there, or that can never be applied", async () => {
    const world = await openFilledWorld();
    await world.consume([eventsMessage([readingEvent("a")])]);
    await world.consume([
      waiting("repeat", 0, [readingEvent("a")]),
      waiting("keyless", 0, [readingEvent("k", { device: "" })]),
      waiting("refused", 0, [{ ...readingEvent("r"), orderKey: "\0" }]),
    ]);
    for (const token of ["repeat", "keyless", "refused"]) {
      expect([token, await applied(world, token)]).toEqual([token, 1]);
    }
  });

  it("is told when all that it touches is folded, however many parts that takes", async () => {
    const world = await openFilledWorld();
    const waitingLimits = { share: 1, events: 0, toMeet: 2, bytes: 1e6 };
    const before = Array.from({ length: 60 }, (_, i) => readingEvent(`b${i}`));
    const dying = { ...world.log, commit: () => Promise.reject(down) };
    await world.consume([eventsMessage(before)], { log: dying });
    await world.consume([waiting("w", 0, [readingEvent("a")])], { waitingLimits });
    const [first, ...others] = foldsOf(world);
    expect([await applied(world, "w"), first?.body.waits.length, others]).toEqual([0, 1, []]);
    // What is folded is visible meanwhile.
    const seen = Number(await countOf(world, "d"));
    expect(seen).toBeGreaterThan(20);
    expect(seen).toBeLessThan(61);
    await world.consume([first?.body], { waitingLimits });
    await world.drain({ waitingLimits });
    expect([await applied(world, "w"), await countOf(world, "d")]).toEqual([1, 61]);
  });

  it("goes on with a later fold when somebody else keeps winning its entity", async () => {
    const world = await openFilledWorld();
    const log = contended(world, "hot");
    const deliveries = await world.consume(
      [
        waiting("hot", 0, [readingEvent("a", { device: "hot" }), readingEvent("b")]),
        waiting("cold", 0, [readingEvent("c")]),
      ],
      { log },
    );
    expect(deliveries.map(({ outcome }) => outcome())).toEqual(["acked", "acked"]);
    expect([await applied(world, "hot"), await applied(world, "cold")]).toEqual([0, 1]);
    const [fold, ...more] = foldsOf(world);
    expect(more).toEqual([]);
    expect(fold).toEqual({
      delaySeconds: 2,
      body: {
        v: 1,
        kind: "fold",
        entities: [
          {
            tenant: "t",
            entity: "device",
            key: "hot",
          },
        ],
        waits: [
          {
            tenant: "t",
            token: "hot",
            part: 0,
            met: [],
          },
        ],
        tries: 0,
      },
    });
    await world.consume([fold?.body]);
    expect(await applied(world, "hot")).toBe(1);
    expect(await countOf(world, "hot")).toBe(1);
  });
});

describe("an online store that is down", () => {
  it("does not keep events from being durable: they are acknowledged and folded later", async () => {
    const world = await openFilledWorld();
    const message = waiting("w", 0, [readingEvent("a")]);
    const [delivery] = await world.consume([message], { online: deaf(world) });
    expect(delivery?.outcome()).toBe("acked");
    expect(await applied(world, "w")).toBe(0);
    expect(await world.log.findUnfinished(Number.MAX_SAFE_INTEGER, 9)).toHaveLength(2);
    expect(world.notes.map(({ message: text }) => text)).toEqual(["the online store is behind"]);
    // Still down: the wait goes on with the next message.
    const [first] = foldsOf(world);
    await world.consume([first?.body], { online: deaf(world) });
    const [second] = foldsOf(world);
    await world.consume([second?.body]);
    expect(foldsOf(world)).toEqual([]);
    expect(await applied(world, "w")).toBe(1);
    expect(await countOf(world, "d")).toBe(1);
    expect(await world.log.findUnfinished(Number.MAX_SAFE_INTEGER, 9)).toEqual([]);
  });

  it("is tried again less and less often, and then by the sweep alone", async () => {
    const world = await openFilledWorld();
    await world.consume([eventsMessage([readingEvent("a")])], { online: deaf(world) });
    const delays: unknown[] = [];
    for (let folds = foldsOf(world); folds.length > 0; folds = foldsOf(world)) {
      delays.push(...folds.map(({ delaySeconds }) => delaySeconds));
      await world.consume(
        folds.map(({ body }) => body),
        { online: deaf(world) },
      );
    }
    expect(delays).toEqual([2, 4, 8, 16]);
    await sweep(world.ctx({ now: () => NOON + 60_000 }));
    expect(await countOf(world, "d")).toBe(1);
  });

  it("has every entity of a large batch folded later, and tells nobody too early", async () => {
    const world = await openFilledWorld();
    const keys = Array.from({ length: 400 }, (_, i) => `${"k".repeat(100)}${i}`);
    const messages = Array.from({ length: 8 }, (_, part) =>
      waiting(
        "w",
        part,
        keys
          .slice(part * 50, part * 50 + 50)
          .map((key) => readingEvent(`e-${key}`, { device: key })),
      ),
    );
    await world.consume(messages, { online: deaf(world) });
    const folds = foldsOf(world);
    const entities = folds.flatMap(({ body }) => body.entities.map(({ key }) => key));
    expect(new Set(entities)).toEqual(new Set([...keys, "red"]));
    expect(folds.length).toBeGreaterThan(1);
    for (const { body } of folds) {
      const before = await applied(world, "w");
      await world.consume([body]);
      const after = await applied(world, "w");
      expect(after - before).toBe(body.waits.length);
      const visible = await Promise.all(keys.map(async (key) => (await countOf(world, key)) === 1));
      for (const { part } of body.waits) {
        expect(visible.slice(part * 50, part * 50 + 50)).not.toContain(false);
      }
    }
    expect(await applied(world, "w")).toBe(8);
  });

  it("leaves it to the sweep when not even the queue takes the later fold", async () => {
    const world = await openFilledWorld();
    const queue = { send: async () => Promise.reject(down) };
    const [delivery] = await world.consume([eventsMessage([readingEvent("a")])], {
      online: deaf(world),
      queue,
    });
    expect(delivery?.outcome()).toBe("acked");
    expect(world.notes.at(-1)?.message).toBe("a later fold could not be queued");
    expect(await world.log.findUnfinished(Number.MAX_SAFE_INTEGER, 9)).toHaveLength(2);
  });
});

describe("later folds", () => {
  it("are taken some hundred entities at a time, however many messages there are", async () => {
    const world = await openFilledWorld();
    const sizes: number[] = [];
    const log = withFaults(world.log, {
      before(method, [input]) {
        if (method === "append") sizes.push((input as { touched: unknown[] }).touched.length);
      },
    });
    const messages = Array.from({ length: 10 }, (_, i) => ({
      v: 1,
      kind: "fold",
      waits: [],
      entities: Array.from({ length: 200 }, (_row, j) => ({
        tenant: "t",
        entity: "device",
        key: `k${i}-${j}`,
      })),
    }));
    const deliveries = await world.consume(messages, { log });
    expect(new Set(deliveries.map(({ outcome }) => outcome()))).toEqual(new Set(["acked"]));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(2_000);
  });
});
