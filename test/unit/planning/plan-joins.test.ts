import { describe, expect, it } from "vitest";
import { z } from "zod";
import { compileDeployment, type Definition } from "../../../src/deployment.ts";
import { count, sum } from "../../../src/features/aggregation.ts";
import { entity, featureView } from "../../../src/features/define.ts";
import { apiKey, eventSource, joined } from "../../../src/features/define-source.ts";
import { decimal } from "../../../src/features/fields.ts";
import { describeDeployment } from "../../../src/planning/describe-deployment.ts";
import type { Plan } from "../../../src/planning/plan.ts";
import { planDeployment } from "../../../src/planning/plan-deployment.ts";
import { logEvent } from "../../support/log-events.ts";
import { openMemoryTruth, type Truth } from "../../support/stores.ts";

const ad = entity("ad", { key: "ad" });
const who = entity("shopper", { key: "who" });

const clicks = eventSource("clicks", {
  schema: z.object({ id: z.string(), who: z.string(), ad: z.string(), at: z.number() }),
  id: "id",
  eventTime: "at",
  accept: [apiKey()],
});
const ordersWith = <S extends z.ZodType>(amount: S) =>
  eventSource("orders", {
    schema: z.object({ id: z.string(), who: z.string(), at: z.number(), amount, note: z.string() }),
    id: "id",
    eventTime: "at",
    accept: [apiKey()],
  });
const orders = ordersWith(decimal());

const pathsOf = (within: "1h" | "2h", right: typeof orders = orders) =>
  joined("paths", clicks, right, { on: "who", within });

function viewsOf(paths: ReturnType<typeof pathsOf>) {
  const byAd = featureView("by_ad", {
    entity: ad,
    source: paths,
    key: { ad: "clicks__ad" },
    features: { spent: sum("orders__amount"), n: count().over("1d") },
  });
  const byShopper = featureView("by_shopper", {
    entity: who,
    source: paths,
    features: { n: count() },
  });
  return { byAd, byShopper };
}

const plan = (truth: Truth, definitions: readonly Definition[]): Promise<Plan> =>
  planDeployment(
    {
      definitions: truth.definitionStore,
      history: truth.definitionHistory,
      indexes: truth.indexRegistry,
      sizes: truth.logSizes,
      indexIdOf: () => "",
    },
    compileDeployment(definitions),
    definitions,
  );

async function register(truth: Truth, definitions: readonly Definition[]): Promise<void> {
  const deployment = compileDeployment(definitions);
  await truth.definitionHistory.register(describeDeployment(deployment, definitions), 1);
  await truth.definitionStore.registerViews([...deployment.registry.views.values()], 1);
}

/** Events in the log: so many of each source. */
async function logged(truth: Truth, counts: Readonly<Record<string, number>>): Promise<void> {
  const events = Object.entries(counts).flatMap(([source, n]) =>
    Array.from({ length: n }, (_, i) => logEvent("t", `${source}${i}`, { source })),
  );
  await truth.eventLog.append({ events, contributions: [], touched: [], stateIds: [], now: 1 });
}

const buildOf = ({ changes }: Plan, name: string) =>
  changes.find((one) => one.name === name)?.build;

describe("the plan of a deployment with a join", () => {
  it("counts the past events of both sides, once for all views of a new join", async () => {
    const truth = openMemoryTruth();
    await logged(truth, { clicks: 5, orders: 3 });
    const paths = pathsOf("1h");
    const { byAd, byShopper } = viewsOf(paths);
    const grown = await plan(truth, [ad, who, clicks, orders, paths, byAd, byShopper]);
    expect(grown.problems).toEqual([]);
    expect(buildOf(grown, "by_ad")).toMatchObject({ backfill: 8, events: 8, exact: true });
    expect(buildOf(grown, "by_shopper")).toMatchObject({ backfill: 0 });
  });

  it("counts the pairs where another view reads an existing join", async () => {
    const truth = openMemoryTruth();
    const paths = pathsOf("1h");
    const { byAd, byShopper } = viewsOf(paths);
    const before = [ad, who, clicks, orders, paths, byAd];
    await register(truth, before);
    const { sourceId = "" } = compileDeployment(before).registry.views.get("by_ad") ?? {};
    await logged(truth, { clicks: 5, orders: 3, [sourceId]: 4 });
    const grown = await plan(truth, [...before, byShopper]);
    expect(grown.changes.map(({ action, name }) => `${action} ${name}`)).toEqual([
      "added by_shopper",
    ]);
    expect(buildOf(grown, "by_shopper")).toMatchObject({ backfill: 4, events: 4 });
  });

  it("says of a join that pairs otherwise what is different, who reads it, and that it begins anew", async () => {
    const truth = openMemoryTruth();
    const paths = pathsOf("1h");
    await register(truth, [ad, who, clicks, orders, paths, viewsOf(paths).byAd]);
    await logged(truth, { clicks: 5, orders: 3 });
    const wider = pathsOf("2h");
    const changed = await plan(truth, [ad, who, clicks, orders, wider, viewsOf(wider).byAd]);
    const [source, view] = changed.changes;
    expect(source).toMatchObject({
      kind: "source",
      name: "paths",
      changes: [{ path: ["within_ms"], before: 3_600_000, after: 7_200_000 }],
      readers: [{ kind: "view", name: "by_ad", takes: null }],
    });
    expect(view).toMatchObject({ kind: "view", name: "by_ad", build: { backfill: 8 } });
    expect(changed.incompatible).toEqual([]);
  });

  it("names views that read a side's field by way of a join when the log does not fit it any more", async () => {
    const truth = openMemoryTruth();
    const paths = pathsOf("1h");
    await register(truth, [ad, who, clicks, orders, paths, viewsOf(paths).byAd]);
    await logged(truth, { orders: 3 });
    const right = ordersWith(z.number()) as unknown as typeof orders;
    const other = pathsOf("1h", right);
    const changed = await plan(truth, [ad, who, clicks, right, other, viewsOf(other).byAd]);
    expect(changed.incompatible).toMatchObject([
      { source: "orders", change: { path: ["fields", "amount", "kind"] }, views: ["by_ad"] },
    ]);
    const readers = changed.changes.find(({ name }) => name === "orders")?.readers;
    expect(readers).toEqual([{ kind: "source", name: "paths", takes: null }]);
  });

  it("refuses to let go of a side, and names the join", () => {
    const paths = pathsOf("1h");
    expect(() => compileDeployment([ad, clicks, paths, viewsOf(paths).byAd])).toThrow(
      'source "paths" uses the source "orders"',
    );
  });
});
