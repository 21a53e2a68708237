import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.ts";
import { count, sum } from "../../../src/features/aggregation.ts";
import {
  applyDefinitions,
  type AppliedDefinitions,
  type ApplyDefinitionsContext,
} from "../../../src/features/apply-definitions.ts";
import { featureView } from "../../../src/features/define.ts";
import { readOnline } from "../../../src/features/read-online.ts";
import { compileDefinitions, type Registry } from "../../../src/features/registry.ts";
import { foldingOf } from "../../../src/ingest/fold-pending.ts";
import { beginFill } from "../../../src/ingest/fill.ts";
import { withFaults, type Faults } from "../../support/fakes/with-faults.ts";
import { device, readings } from "../../support/views.ts";
import { openFilledWorld, readingEvent, type World } from "../../support/world.ts";
import { eventsMessage, vault } from "../../support/write-path.ts";

const base = { entity: device, source: readings } as const;
const before = compileDefinitions([
  device,
  readings,
  featureView("use", { ...base, features: { n: count() } }),
  featureView("same", { ...base, features: { n: count() } }),
]);
const after = compileDefinitions([
  device,
  readings,
  featureView("use", { ...base, features: { n: count(), total: sum("price") } }),
  featureView("same", { ...base, features: { n: count() } }),
]);

interface Applying {
  readonly progress?: ApplyDefinitionsContext["progress"];
  readonly definitions?: Faults;
  readonly online?: Faults;
}

/** Gives fewer histories at once, so that there are several pages. */
const inSmallPages = (definitions: World["definitions"]): World["definitions"] => ({
  ...definitions,
  readHistories: (entity, cursor, limits) =>
    definitions.readHistories(entity, cursor, { ...limits, entities: 50 }),
});

const apply = (
  world: World,
  registry: Registry,
  { progress = () => undefined, definitions = {}, online = {} }: Applying = {},
): Promise<AppliedDefinitions> =>
  applyDefinitions({
    registry,
    archive: world.archive,
    progress,
    definitions: withFaults(inSmallPages(world.definitions), definitions),
    online: withFaults({ ...world.online }, online),
    now: () => world.clock.now,
    ...foldingOf(world.ctx({ registry })),
  });

/** An event for each device, consumed by a Worker that has these definitions. */
const send = (world: World, registry: Registry, id: string, devices: readonly string[]) =>
  world.consume([eventsMessage(devices.map((of) => readingEvent(`${id}-${of}`, { device: of })))], {
    registry,
  });

async function totals(world: World, registry: Registry, devices: readonly string[]) {
  const { results } = await readOnline(
    {
      registry,
      vault,
      online: world.online,
      now: () => world.clock.now,
      whenIncomplete: "unavailable",
    },
    { tenant: "t", features: ["use"], entities: devices.map((of) => ({ device: of })) },
  );
  return results.map(({ values, version }) => ({ values, version: version["use"] }));
}

const refusal = (reading: Promise<unknown>): Promise<string> =>
  reading.then(
    () => "not refused",
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );

const devices = Array.from({ length: 120 }, (_, i) => `d${String(i).padStart(3, "0")}`);

describe("applying definitions", () => {
  it("registers everything the first time, complete at once since there is no history", async () => {
    const world = await openFilledWorld(before);
    const views = await world.definitions.listViews();
    expect(views.map(({ name, version, complete }) => [name, version, complete])).toEqual([
      ["same", 1, true],
      ["use", 1, true],
    ]);
  });

  it("does nothing the second time", async () => {
    const world = await openFilledWorld(before);
    await send(world, before, "e", devices);
    const texts = new Map(world.online.texts);
    const applied = await apply(world, before);
    expect(applied).toMatchObject({ registered: [], built: new Map(), unchanged: 2 });
    texts.delete("fr:t:meta");
    expect(world.online.texts).toEqual(new Map([...world.online.texts, ...texts]));
  });

  it("builds a changed view from the log beside the old one, and tells how far it is", async () => {
    const world = await openFilledWorld(before);
    await send(world, before, "e", devices);
    const seen: number[] = [];
    const progress: ApplyDefinitionsContext["progress"] = (step, entities) => {
      if (step.kind !== "build") return;
      expect([step.view.name, step.view.version]).toEqual(["use", 2]);
      seen.push(entities);
    };
    const applied = await apply(world, after, { progress });
    expect(applied.registered.map(({ name, version }) => [name, version])).toEqual([["use", 2]]);
    expect([...applied.built.values()]).toEqual([120]);
    expect(applied.unchanged).toBe(1);
    expect(seen).toEqual([50, 100, 120]);
    const answers = await totals(world, after, devices);
    expect(answers).toEqual(devices.map(() => ({ values: [1, "1.5"], version: "2.1" })));
    // Nobody folds into the version before any more, so that nobody may read it either.
    expect(await refusal(totals(world, before, ["d000"]))).toBe("dependency_unavailable");
  });

  it("counts every event once that comes while it builds, wherever the building stands", async () => {
    for (let at = 1; at <= 9; at += 1) {
      const world = await openFilledWorld(before);
      await send(world, before, "e", devices);
      let step = 0;
      const live = async (): Promise<void> => {
        step += 1;
        if (step === at) await send(world, after, "live", ["d000", "d049", "d050", "d119", "new"]);
      };
      const faults = { before: live, after: live };
      await apply(world, after, { definitions: faults, online: faults });
      await send(world, after, "later", ["d000", "new"]);
      expect([at, await totals(world, after, ["d000", "d049", "d119", "new", "d001"])]).toEqual([
        at,
        [
          { values: [3, "4.5"], version: "2.3" },
          { values: [2, "3"], version: "2.2" },
          { values: [2, "3"], version: "2.2" },
          { values: [2, "3"], version: "2.2" },
          { values: [1, "1.5"], version: "2.1" },
        ],
      ]);
      expect(step).toBeGreaterThan(at);
    }
  });

  it("ends the same when it dies at any step and is run again", async () => {
    const calls = (world: World, die: (n: number) => void): Applying => {
      let n = 0;
      const faults: Faults = { before: () => die((n += 1)), after: () => die((n += 1)) };
      expect(world.tenant).toBe("t");
      return { definitions: faults, online: faults };
    };
    const reference = await openFilledWorld(before);
    await send(reference, before, "e", devices);
    let steps = 0;
    await apply(
      reference,
      after,
      calls(reference, (n) => void (steps = n)),
    );
    for (let at = 1; at <= steps; at += 1) {
      const world = await openFilledWorld(before);
      await send(world, before, "e", devices);
      const dying = apply(
        world,
        after,
        calls(world, (n) => {
          if (n === at) throw new Error("dies here");
        }),
      );
      await expect(dying).rejects.toThrow("dies here");
      // Until it has ended, the new version is refused, never half an answer; at last it is right.
      const code = await refusal(totals(world, after, ["d000"]));
      expect([at, code]).toEqual([at, at < steps ? "dependency_unavailable" : "not refused"]);
      await apply(world, after);
      expect(await totals(world, after, devices)).toEqual(await totals(reference, after, devices));
    }
  });

  it("lists a version only when every state is online", async () => {
    const world = await openFilledWorld(before);
    await send(world, before, "e", devices);
    const order: string[] = [];
    const note = (method: string): void => void order.push(method);
    await apply(world, after, { definitions: { after: note }, online: { after: note } });
    const lastWrite = order.lastIndexOf("write");
    expect(order.filter((method) => method === "write")).toHaveLength(3);
    expect(order.indexOf("markComplete")).toBeGreaterThan(lastWrite);
    expect(order.slice(order.indexOf("markComplete"))).toEqual(["markComplete", "writeMeta"]);
  });

  it("leaves the meta alone that a flush took away: filling writes it", async () => {
    const world = await openFilledWorld(before);
    await send(world, before, "e", ["d1"]);
    world.online.flush();
    await apply(world, after);
    expect(await refusal(totals(world, after, ["d1"]))).toBe("dependency_unavailable");
    await beginFill(world.ctx({ registry: after }), "t");
    await world.drain({ registry: after });
    expect(await totals(world, after, ["d1"])).toEqual([{ values: [1, "1.5"], version: "2.1" }]);
  });

  it("builds the very bytes that folding the events one by one gives", async () => {
    const [built, live] = [await openFilledWorld(before), await openFilledWorld(after)];
    for (const world of [built, live]) {
      const registry = world === built ? before : after;
      for (const id of ["b", "a", "c"]) await send(world, registry, id, ["d1"]);
    }
    await apply(built, after);
    const key = `fr:t:s:${after.views.get("use")?.stateId}:d1`;
    expect(built.online.texts.get(key)).toMatch(/^3:s/);
    expect(built.online.texts.get(key)).toBe(live.online.texts.get(key));
  });
});
