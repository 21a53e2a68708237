import { describe, expect, it } from "vitest";
import { count } from "../../../src/features/aggregation.ts";
import { featureView } from "../../../src/features/define.ts";
import type { LogEvent } from "../../../src/features/event-log.ts";
import { readOnline } from "../../../src/features/read-online.ts";
import { compileDefinitions, type Registry } from "../../../src/features/registry.ts";
import { quarantineRefused } from "../../../src/ingest/quarantine.ts";
import { replay } from "../../../src/ingest/replay.ts";
import { sweep } from "../../../src/ingest/sweep.ts";
import { MINUTE_MS } from "../../../src/time.ts";
import { applyFor } from "../../support/apply-for.ts";
import { entityKey } from "../../support/fakes/memory-truth.ts";
import { corrections, device, readings } from "../../support/views.ts";
import { NOON, openFilledWorld, readingEvent, type World } from "../../support/world.ts";
import { byDevice, eventsMessage, vault } from "../../support/write-path.ts";

const old = compileDefinitions([device, readings, corrections, byDevice]);

/** The next deployment: another view of the same entity. */
const visits = featureView("visits", {
  entity: device,
  source: readings,
  features: { n: count() },
});
const next = compileDefinitions([device, readings, corrections, byDevice, visits]);

/** A deployment whose only view asks nothing of the field that is wrong. */
const mended = compileDefinitions([device, readings, corrections, visits]);

const apply = (world: World, registry: Registry) =>
  applyFor(world.ctx({ registry }), world.definitions);

async function countOf(world: World, registry: Registry, feature: string): Promise<unknown> {
  const answer = await readOnline(
    { registry, vault, online: world.online, now: () => NOON, whenIncomplete: "unavailable" },
    { tenant: "t", features: [feature], entities: [{ device: "d" }] },
  );
  return answer.results[0]?.values[0];
}

const poison = (): LogEvent => {
  const event = readingEvent("p", { fields: { colour: null, level: 2 } });
  return { ...event, body: event.body.replace('"level":"2"', '"level":"two"') };
};

describe("an entity that must not be folded", () => {
  it("waits for the newer deployment that keeps more of its states", async () => {
    const world = await openFilledWorld(old);
    await world.consume([eventsMessage([readingEvent("a")])], { registry: old });
    await apply(world, next);
    // A consumer of the deployment before is still at work.
    await world.consume([eventsMessage([readingEvent("b")])], { registry: old });
    expect(await countOf(world, next, "visits:n")).toBe(1);
    await world.drain({ registry: next });
    expect(await countOf(world, next, "visits:n")).toBe(2);
    expect(await countOf(world, next, "by_device:n")).toBe(2);
  });

  it("waits, and the sweep says why, until a view that cannot be computed here is retired", async () => {
    const world = await openFilledWorld(old);
    await world.consume([eventsMessage([readingEvent("a")])], { registry: old });
    await world.consume([eventsMessage([readingEvent("b")])], { registry: mended });
    await sweep(world.ctx({ registry: mended, now: () => NOON + MINUTE_MS }));
    expect(world.notes.map(({ message, facts }) => [message, facts])).toContainEqual([
      "events wait: views are in use that this version of Freshet cannot compute; npm run apply retires them",
      { entities: 1 },
    ]);
    expect(await countOf(world, old, "by_device:n")).toBe(1);
    world.notes.length = 0;
    await apply(world, mended);
    expect(await countOf(world, mended, "visits:n")).toBe(2);
    await sweep(world.ctx({ registry: mended, now: () => NOON + MINUTE_MS }));
    expect(world.notes).toEqual([]);
  });

  it("waits while a state of its is damaged, and holds up nobody else", async () => {
    const world = await openFilledWorld(old);
    const other = readingEvent("b", { device: "e" });
    await world.consume([eventsMessage([readingEvent("a"), other])], { registry: old });
    const record = world.truth.entities.get(entityKey({ tenant: "t", entity: "device", key: "d" }));
    const [[stateId, state] = ["", undefined]] = [...(record?.states ?? [])];
    for (const bytes of ["AAAA", "%"]) {
      record?.states.set(stateId, { version: state?.version ?? 0, bytes });
      const more = [readingEvent(`c${bytes}`), readingEvent(`d${bytes}`, { device: "e" })];
      const [delivery] = await world.consume([eventsMessage(more)], { registry: old });
      expect(delivery?.outcome()).toBe("acked");
    }
    expect(record?.pending.size).toBe(2);
    const e = world.truth.entities.get(entityKey({ tenant: "t", entity: "device", key: "e" }));
    expect([e?.version, e?.pending.size]).toEqual([3, 0]);
  });
});

describe("an event that a view cannot take", () => {
  const replayAll = async (world: World): Promise<void> => {
    const ids = [...world.truth.quarantine.values()].map(({ id }) => id);
    const { quarantine, definitions } = world;
    const ctx = { ...world.ctx({ registry: mended }), quarantine, definitions };
    const replayed = await replay({ ...ctx, sleep: async () => undefined }, { tenant: "t", ids });
    expect(replayed.replayed).toEqual(ids);
    await world.drain({ registry: mended });
  };

  it("is in the next one that can, and replaying it changes nothing", async () => {
    const world = await openFilledWorld(old);
    await world.consume([eventsMessage([readingEvent("a"), poison()])], { registry: old });
    expect(await countOf(world, old, "by_device:n")).toBe(1);
    await apply(world, mended);
    expect(await countOf(world, mended, "visits:n")).toBe(2);
    await replayAll(world);
    expect(await countOf(world, mended, "visits:n")).toBe(2);
  });

  it("is folded when it is replayed, where it was taken away without a number", async () => {
    const world = await openFilledWorld(mended);
    const message = eventsMessage([readingEvent("a"), poison()]);
    const dying = { ...world.log, commit: () => Promise.reject(new Error("dies here")) };
    await world.consume([message], { registry: mended, log: dying });
    const commit = {
      tenant: "t",
      entity: "device",
      key: "d",
      readVersion: 0,
      builds: 0,
      folded: [],
      poisoned: [{ source: "readings", eventId: "p" }],
      states: [],
    };
    expect((await world.log.commit([commit], NOON)).won).toEqual([true]);
    await quarantineRefused(world.ctx(), [
      { event: poison(), reason: "fold_failed", detail: "other definitions" },
    ]);
    await world.consume([message], { registry: mended });
    expect(await countOf(world, mended, "visits:n")).toBe(1);
    await replayAll(world);
    expect(await countOf(world, mended, "visits:n")).toBe(2);
  });

  it("does not keep a new view from being built", async () => {
    const world = await openFilledWorld(mended);
    await world.consume([eventsMessage([readingEvent("a"), poison()])], { registry: mended });
    await apply(world, next);
    expect(await countOf(world, next, "visits:n")).toBe(2);
    expect(await countOf(world, next, "by_device:n")).toBe(1);
  });
});
