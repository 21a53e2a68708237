import { describe, expect, it } from "vitest";
import { count } from "../../../src/features/aggregation.ts";
import { applyDefinitions } from "../../../src/features/apply-definitions.ts";
import { featureView } from "../../../src/features/define.ts";
import { readOnline } from "../../../src/features/read-online.ts";
import { compileDefinitions, type Registry } from "../../../src/features/registry.ts";
import { foldingOf } from "../../../src/ingest/fold-pending.ts";
import { sweep } from "../../../src/ingest/sweep.ts";
import { openViewsInUse, type ViewsInUse } from "../../../src/ingest/views-in-use.ts";
import { corrections, device, readings } from "../../support/views.ts";
import { NOON, openFilledWorld, readingEvent, type World } from "../../support/world.ts";
import { byDevice, colour, eventsMessage } from "../../support/write-path.ts";

const visits = featureView("visits", {
  entity: device,
  source: readings,
  features: { n: count() },
});
const old = compileDefinitions([device, readings, corrections, byDevice]);
const next = compileDefinitions([device, readings, corrections, byDevice, visits]);

const apply = (world: World, registry: Registry, beside = false, inUse?: ViewsInUse) =>
  applyDefinitions({
    ...world,
    registry,
    beside,
    now: () => NOON,
    progress: () => undefined,
    ...foldingOf(world.ctx({ registry, ...(inUse !== undefined && { inUse }) })),
  });

/** A process of the old deployment, and how often it has asked what is in use. */
async function openOld(own = old) {
  const world = await openFilledWorld(own);
  let asked = 0;
  const inUse: ViewsInUse = openViewsInUse(own, async () => {
    asked += 1;
    return world.definitions.listViews();
  });
  const ctx = () => world.ctx({ registry: inUse.known.registry, inUse });
  return {
    world,
    inUse,
    asked: () => asked,
    send: (id: string) => world.consume([eventsMessage([readingEvent(id)])], ctx()),
    sendAll: (messages: readonly (readonly string[])[]) =>
      world.consume(
        messages.map((ids) => eventsMessage(ids.map((id) => readingEvent(id)))),
        ctx(),
      ),
    sweep: () => sweep(ctx()),
  };
}

describe("what a process knows of the views in use", () => {
  it("is not asked for where all are its own, whoever applied them", async () => {
    const { world, send, asked } = await openOld();
    await send("a");
    await apply(world, old);
    await send("b");
    expect(asked()).toBe(0);
  });

  it("is asked for when others are in use than before, and not again", async () => {
    const { world, inUse, send, asked } = await openOld();
    await apply(world, next, true);
    for (const id of ["a", "b", "c"]) await send(id);
    expect([asked(), inUse.known.registry === old]).toEqual([1, false]);
    await apply(world, old);
    for (const id of ["d", "e"]) await send(id);
    expect([asked(), inUse.known.registry === old]).toEqual([2, true]);
  });

  it("is for all of a batch, also for what is taken after it was learnt", async () => {
    const { world, sendAll, asked } = await openOld();
    await apply(world, next, true);
    const ids = Array.from({ length: 600 }, (_, i) => `e${i}`);
    await sendAll([ids.slice(0, 300), ids.slice(300)]);
    const [record] = world.truth.entities.values();
    expect([record?.version, record?.pending.size, asked()]).toEqual([600, 0, 1]);
  });

  it("serves all pages of the past that is given before a deployment beside another one", async () => {
    const corrected = featureView("corrected", {
      entity: device,
      source: corrections,
      features: { n: count() },
    });
    const wider = compileDefinitions([device, readings, corrections, corrected]);
    const world = await openFilledWorld(old);
    const events = Array.from({ length: 1_200 }, (_, i) =>
      readingEvent(`e${i}`, { source: "corrections" }),
    );
    await world.consume([eventsMessage(events), eventsMessage([readingEvent("r")])]);
    const inUse = openViewsInUse(wider, () => world.definitions.listViews());
    await apply(world, wider, true, inUse);
    const answer = await readOnline(
      { ...world.ctx({ registry: wider }), whenIncomplete: "unavailable" },
      { tenant: "t", features: ["corrected:n"], entities: [{ device: "d" }] },
    );
    expect(answer.results[0]?.values).toEqual([1_200]);
  });

  it.each([
    ["beside those of its own", old],
    ["where it has none", compileDefinitions([device, readings, corrections])],
  ])("is asked for when events are set aside for another's entities, %s", async (_, own) => {
    const byColour = featureView("by_colour", {
      entity: colour,
      source: readings,
      features: { n: count() },
    });
    const wider = compileDefinitions([device, colour, readings, corrections, byColour]);
    const { world, send, asked, sweep: sweepOld } = await openOld(own);
    await apply(world, wider, true);
    for (const id of ["a", "b", "c"]) await send(id);
    expect(asked()).toBe(1);
    const countOf = async () => {
      const { results } = await readOnline(
        { ...world.ctx({ registry: wider }), whenIncomplete: "unavailable" },
        { tenant: "t", features: ["by_colour:n"], entities: [{ colour: "red" }] },
      );
      return results[0]?.values[0];
    };
    // What came before it was known is given by the sweep.
    expect(await countOf()).toBe(2);
    await sweepOld();
    expect(await countOf()).toBe(3);
  });

  it("does not outlast the views that its sweep found in use", async () => {
    const { world, inUse, send, ...process } = await openOld();
    await apply(world, next, true);
    await process.sweep();
    expect(inUse.known.registry).not.toBe(old);
    await apply(world, old);
    await send("a");
    expect(inUse.known.registry).toBe(old);
    const [record] = world.truth.entities.values();
    expect([...(record?.states.keys() ?? [])]).toEqual([old.views.get("by_device")?.stateId]);
    const before = process.asked();
    await send("b");
    expect(process.asked()).toBe(before);
  });
});
