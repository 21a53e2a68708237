import { describe, expect, it } from "vitest";
import { count, max, sum } from "../../../../src/features/aggregation.ts";
import { featureView, onDemand } from "../../../../src/features/define.ts";
import { readHistory, type HistoryRequest } from "../../../../src/features/read-history.ts";
import { readOnline } from "../../../../src/features/read-online.ts";
import { compileDefinitions, type Registry } from "../../../../src/features/registry.ts";
import { z } from "zod";
import { applyFor } from "../../../support/apply-for.ts";
import { createMemoryHistoryLog } from "../../../support/fakes/memory-history-log.ts";
import { corrections, device, readings } from "../../../support/views.ts";
import { NOON, openFilledWorld, readingEvent, type World } from "../../../support/world.ts";
import { colour, eventsMessage, vault } from "../../../support/write-path.ts";

const of = { entity: device, source: readings } as const;
const before = compileDefinitions([
  device,
  readings,
  featureView("use", {
    ...of,
    features: { total: sum("price").over("1h"), n: count(), most: max("level") },
  }),
]);
const use = featureView("use", {
  ...of,
  features: { n: count(), spent: sum("price"), total: sum("price").over("7d") },
});
const after = compileDefinitions([
  device,
  readings,
  use,
  onDemand("each", {
    version: 1,
    request: z.object({}),
    from: [use],
    features: { mean: ({ features }) => Number(features.use.total) / features.use.n },
  }),
]);

const apply = (world: World, registry: Registry) =>
  applyFor(world.ctx({ registry }), world.definitions);

/** A device of which two readings were answered by the version before, and one more by the next. */
async function openChanged() {
  const world = await openFilledWorld(before);
  const send = (id: string, minutes: number, registry: Registry) =>
    world.consume([eventsMessage([readingEvent(id, { time: NOON - minutes * 60_000 })])], {
      registry,
    });
  const served = async (registry: Registry) => {
    const online = { registry, vault, online: world.online, now: () => NOON };
    const asked = { tenant: "t", features: ["use"], entities: [{ device: "d" }] };
    const answer = await readOnline({ ...online, whenIncomplete: "unavailable" }, asked);
    return { values: answer.results[0]?.values, version: answer.results[0]?.version ?? {} };
  };
  await send("a", 10, before);
  await send("b", 90, before);
  const first = await served(before);
  await apply(world, after);
  await send("c", 5, after);
  return { world, first, second: await served(after) };
}

const historyOf = (world: World, asked: Omit<HistoryRequest, "tenant">, version: object) =>
  readHistory(
    {
      registry: after,
      vault,
      history: createMemoryHistoryLog(world.truth),
      definitions: world.definitions,
      now: () => NOON,
    },
    {
      ...asked,
      tenant: "t",
      rows: [{ entity: { device: "d" }, at: NOON, version: version as Record<string, string> }],
    },
  ).then(
    ({ rows }) => rows[0]?.values,
    (error: { errors?: readonly { code: string; detail: string }[] }) =>
      error.errors?.map(({ code, detail }) => `${code}: ${detail}`),
  );

describe("history by the version of an answer", () => {
  it("is what the view's version of then said, also after another took its place", async () => {
    const { world, first, second } = await openChanged();
    expect(first).toEqual({ values: ["1.5", 2, 2], version: { use: "1.2" } });
    expect(second).toEqual({ values: [3, "4.5", "4.5"], version: { use: "2.3" } });
    expect(await historyOf(world, { features: ["use"] }, second.version)).toEqual(second.values);
    // In another order, and with another window: those of then.
    const both = { features: ["use:n", "use:total"] };
    expect(await historyOf(world, both, first.version)).toEqual([2, "1.5"]);
    expect(await historyOf(world, both, second.version)).toEqual([3, "4.5"]);
    expect(await historyOf(world, both, { use: "1.3" })).toEqual([3, "3"]);
  });

  it("is refused where that version does not have what is asked, or never was", async () => {
    const { world, first } = await openChanged();
    expect(await historyOf(world, { features: ["use"] }, first.version)).toEqual([
      'other_version: version 1 of "use" does not have spent',
    ]);
    // What a function reads of a view is not known: it needs all.
    expect(await historyOf(world, { features: ["each"] }, { ...first.version, each: "1" })).toEqual(
      ['other_version: version 1 of "use" does not have spent'],
    );
    expect(await historyOf(world, { features: ["use:n"] }, { use: "7.1" })).toEqual([
      'other_version: version 7 of "use" was never applied',
    ]);
    expect(await historyOf(world, { features: ["use:n"] }, { use: "1.9" })).toEqual([
      "unknown_version: the entity does not have version 9 yet",
    ]);
    const { views } = world.truth;
    views[0] = { ...(views[0] as (typeof views)[0]), spec: '{"format":9}' };
    expect(await historyOf(world, { features: ["use:n"] }, first.version)).toEqual([
      'other_version: version 1 of "use" is not understood by this version of Freshet',
    ]);
  });

  it("is refused where the view was one of another entity then", async () => {
    const world = await openFilledWorld(
      compileDefinitions([
        colour,
        corrections,
        featureView("use", { entity: colour, source: corrections, features: { n: count() } }),
      ]),
    );
    await apply(world, after);
    expect(await historyOf(world, { features: ["use:n"] }, { use: "1.0" })).toEqual([
      'other_version: version 1 of "use" is of the entity "colour"',
    ]);
  });
});
