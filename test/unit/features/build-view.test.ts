import { describe, expect, it } from "vitest";
import { max } from "../../../src/features/aggregation.ts";
import { buildView, stateOfHistory } from "../../../src/features/build-view.ts";
import { compileView } from "../../../src/features/compile-view.ts";
import { featureView } from "../../../src/features/define.ts";
import type { ViewPlan } from "../../../src/features/plan.ts";
import { decodeState, emptyState, encodeState, openState } from "../../../src/features/state.ts";
import { DAY_MS, HOUR_MS } from "../../../src/time.ts";
import { rowEvent, rows } from "../../support/changed-rows.ts";
import { createMemoryDefinitionStore } from "../../support/fakes/memory-definition-store.ts";
import { createMemoryEventLog } from "../../support/fakes/memory-event-log.ts";
import { createMemoryTruth, entityKey } from "../../support/fakes/memory-truth.ts";
import { GrowingLog, watchBuilding, type Building } from "../../support/growing-log.ts";
import { device } from "../../support/views.ts";
import { NOON, readingEvent } from "../../support/world.ts";
import { registry } from "../../support/write-path.ts";

const byDevice = registry.views.get("by_device") as ViewPlan;
const limits = { entities: 2, events: 4, bytes: 100_000 };

/** Entities of a memory, and a building of a view of them. */
function openBuilding(view: ViewPlan = byDevice) {
  const truth = createMemoryTruth();
  const log = new GrowingLog({ eventLog: createMemoryEventLog(truth) });
  const plan = { ...view, entity: log.entity };
  let events = 0;
  return {
    truth,
    log,
    plan,
    /** Commits so many readings of an entity. */
    read: (key: string, times = 1, colour = "red"): Promise<void> => {
      const readings = Array.from({ length: times }, () => {
        const fields = { price: "1.50", level: (events += 1), colour, on: true };
        return readingEvent(`e${events}`, { device: key, time: NOON - events * HOUR_MS, fields });
      });
      return log.commit(key, readings);
    },
    watch: (before?: (method: keyof Building) => Promise<void>) =>
      watchBuilding(createMemoryDefinitionStore(truth), before),
    /** The state of an entity at a version. */
    stateAt: (key: string, version: number) =>
      stateOfHistory(plan, {
        ...log.ref(key),
        version,
        events: (log.events.get(key) ?? []).slice(0, version),
      }),
  };
}

describe("building a view", () => {
  it("walks all pages, and is complete after the last", async () => {
    const { read, watch, plan } = openBuilding();
    for (const key of ["a", "b", "c"]) await read(key);
    const { ctx, calls, online, progress } = watch();
    expect(await buildView(ctx, plan, limits)).toBe(3);
    expect(calls).toEqual([
      "readHistories",
      "putBuiltStates ++",
      "readHistories",
      "putBuiltStates +",
      "readHistories",
      "markComplete",
    ]);
    expect(online).toEqual(["a@1 b@1", "c@1"]);
    expect(progress).toEqual([
      [2, 2],
      [3, 3],
    ]);
  });

  it("is complete at once where there is nothing", async () => {
    const { watch, plan } = openBuilding();
    const { ctx, calls } = watch();
    expect(await buildView(ctx, plan, limits)).toBe(0);
    expect(calls).toEqual(["readHistories", "markComplete"]);
  });

  it("adds to the state of an entity that moved what came, and leaves the old state out", async () => {
    const { read, watch, plan, stateAt } = openBuilding();
    for (const key of ["a", "b"]) await read(key, 2);
    let puts = 0;
    const { ctx, calls, stored, online, progress } = watch(async (method) => {
      if (method !== "putBuiltStates") return;
      puts += 1;
      if (puts < 3) await read("a", 3);
    });
    expect(await buildView(ctx, plan, limits)).toBe(2);
    expect(calls).toEqual([
      "readHistories",
      "putBuiltStates -+",
      "readVersions 3..6",
      "putBuiltStates -",
      "readVersions 6..9",
      "putBuiltStates +",
      "readHistories",
      "markComplete",
    ]);
    expect(online).toEqual(["b@2", "a@8"]);
    expect(stored.find(({ key }) => key === "a")?.bytes).toBe(stateAt("a", 8));
    expect(progress.at(-1)).toEqual([2, 10]);
  });

  it("reads an entity of many events newest first, page by page, and tells how far it is", async () => {
    const { read, watch, plan, stateAt } = openBuilding();
    await read("a");
    await read("b", 11);
    await read("c", 4);
    const { ctx, calls, stored, progress } = watch();
    expect(await buildView(ctx, plan, limits)).toBe(3);
    expect(calls).toEqual([
      "readHistories",
      "putBuiltStates +",
      "readHistories",
      "readVersions 11..8",
      "readVersions 7..4",
      "readVersions 3..1",
      // Whether something came meanwhile.
      "readVersions 12..15",
      "putBuiltStates +",
      "readHistories",
      "putBuiltStates +",
      "readHistories",
      "markComplete",
    ]);
    expect(stored.map(({ key, bytes }) => [key, bytes])).toEqual([
      ["a", stateAt("a", 1)],
      ["b", stateAt("b", 11)],
      ["c", stateAt("c", 4)],
    ]);
    expect(progress).toEqual([
      [1, 1],
      [1, 5],
      [1, 9],
      [1, 12],
      [1, 12],
      [2, 12],
      [3, 16],
    ]);
  });

  it("asks for no more large events than fit, and for more again once they are small", async () => {
    const { read, watch, plan, stateAt } = openBuilding();
    await read("a", 8);
    await read("a", 8, "x".repeat(900));
    const { ctx, calls, stored } = watch();
    await buildView(ctx, plan, { entities: 2, events: 8, bytes: 1_000 });
    expect(calls.filter((call) => call.startsWith("readVersions"))).toEqual([
      "readVersions 16..9",
      "readVersions 14..11",
      "readVersions 12..9",
      "readVersions 10..7",
      "readVersions 8..5",
      "readVersions 4..1",
      "readVersions 17..24",
    ]);
    expect(stored[0]?.bytes).toBe(stateAt("a", 16));
  });

  it("ends under a steady load, by rounds that read what came and nothing else", async () => {
    const { read, watch, plan, stateAt } = openBuilding();
    await read("a", 400);
    let calls = 0;
    // A commit between any two calls, but for each seventh.
    const {
      ctx,
      calls: seen,
      stored,
    } = watch(async () => {
      calls += 1;
      if (calls % 7 > 0) await read("a");
    });
    await buildView(ctx, plan, { ...limits, events: 40 });
    const [built] = stored;
    expect(built?.bytes).toBe(stateAt("a", built?.version ?? 0));
    // Ten pages of the past, and a round of two calls until one has its second without a commit.
    expect(seen.filter((call) => call.startsWith("readVersions")).length).toBeLessThan(10 + 7);
  });

  it("ends under a steady load of what cannot be subtracted, by rounds that read a chunk", async () => {
    const view = compileView(
      featureView("most", { entity: device, source: rows, features: { most: max("level") } }),
    );
    const { log, watch, plan, stateAt } = openBuilding(view);
    const image = (level: number) => ({
      order: `r${level}`,
      time: NOON - (level % 7) * DAY_MS,
      device: "a",
      fields: { price: null, level, colour: null, on: null, spot: null },
    });
    const past = Array.from({ length: 400 }, (_, i) => rowEvent(image((i * 37) % 400), 1, i));
    await log.commit("a", past);
    // Each takes back the largest that is left.
    let largest = 400;
    let [puts, versions] = [0, 0];
    const { ctx, calls, stored } = watch(async (method) => {
      if (method !== "putBuiltStates" || (puts += 1) === 9) return;
      largest -= 1;
      await log.commit("a", [rowEvent(image(largest), -1, 1_000 - largest)]);
    });
    const { readVersions } = ctx.definitions;
    const counting: Building["readVersions"] = async (...args) => {
      const read = await readVersions(...args);
      versions += read.events.length;
      return read;
    };
    const definitions = { ...ctx.definitions, readVersions: counting };
    await buildView({ ...ctx, definitions }, plan, { ...limits, events: 40 });
    expect(stored.map(({ version }) => version)).toEqual([408]);
    expect(stored[0]?.bytes).toBe(stateAt("a", 408));
    expect(calls.filter((call) => call === "putBuiltStates -")).toHaveLength(8);
    // The past, all that is left of it once, and then in each round one event and a chunk of three.
    expect(versions).toBeLessThanOrEqual(400 + 400 + 8 * (1 + 3));
    expect(versions).toBeGreaterThan(800);
  });

  it("leaves an entity alone that is gone, or began anew, while it was built", async () => {
    const { truth, log, read, watch, plan } = openBuilding();
    await read("a", 9);
    await read("b", 2);
    await read("c", 2);
    const { ctx, online } = watch(async (method) => {
      if (method === "readVersions") truth.entities.delete(entityKey(log.ref("a")));
      const b = truth.entities.get(entityKey(log.ref("b")));
      if (method === "putBuiltStates" && b !== undefined) b.version = 1;
    });
    expect(await buildView(ctx, plan, limits)).toBe(3);
    expect(online).toEqual(["c@2"]);
  });

  it("is built when it is run again, wherever it was interrupted", async () => {
    let dies = 1;
    for (let hasDied = true; hasDied; dies += 1) {
      const { read, watch, plan, stateAt } = openBuilding();
      await read("a", 11);
      await read("b", 2);
      let [call, moves] = [0, 2];
      const dying = watch(async (method) => {
        if ((call += 1) === dies) throw new Error("dies here");
        if (method === "putBuiltStates" && (moves -= 1) >= 0) await read("b");
      });
      hasDied = await buildView(dying.ctx, plan, limits).then(
        () => false,
        () => true,
      );
      const again = watch();
      expect(await buildView(again.ctx, plan, limits)).toBe(2);
      expect(again.online).toEqual(["a@11", expect.stringMatching(/^b@/)]);
      for (const { key, version, bytes } of again.stored) expect(bytes).toBe(stateAt(key, version));
    }
    expect(dies).toBeGreaterThan(10);
  });

  it("is not complete when it fails", async () => {
    const { read, watch, plan } = openBuilding();
    await read("a");
    const { ctx, calls, progress } = watch();
    const write = async () => Promise.reject(new Error("the online store is down"));
    const failing = buildView({ ...ctx, online: { write } }, plan);
    await expect(failing).rejects.toThrow("the online store is down");
    expect(calls).toEqual(["readHistories", "putBuiltStates +"]);
    expect(progress).toEqual([]);
  });
});

describe("a state from a history", () => {
  const ref = (key: string) => ({ tenant: "t", entity: "device", key });

  it("is empty where the view has no part in it", () => {
    const events = [readingEvent("e", { device: "a", source: "corrections" })];
    const state = stateOfHistory(byDevice, { ...ref("a"), version: 1, events });
    expect(state).toBe(encodeState(byDevice, emptyState(byDevice)));
    expect(openState(state).newest).toBeNull();
  });

  it("is the same whatever the order of the versions, and holds what can be reached alone", () => {
    const windowed = registry.views.get("corrected") as ViewPlan;
    const events = [0, 1, 6, 100].map((days, i) =>
      readingEvent(`e${i}`, { source: "corrections", time: NOON - days * DAY_MS }),
    );
    const forth = stateOfHistory(windowed, { ...ref("d"), version: 4, events });
    expect(
      stateOfHistory(windowed, {
        ...ref("d"),
        version: 4,
        events: events.toReversed(),
      }),
    ).toBe(forth);
    // The last event is older than the window, but a lifetime feature takes it.
    const tiles = decodeState(windowed, forth).levels.map((level) => level.size);
    expect(tiles).toEqual([3, 3, 1]);
  });
});
