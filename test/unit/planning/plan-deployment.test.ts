import { describe, expect, it } from "vitest";
import { z } from "zod";
import { definitions as example } from "../../../definitions/index.ts";
import { compileDeployment, type Definition } from "../../../src/deployment.ts";
import { approxCountDistinct, count, last, sum } from "../../../src/features/aggregation.ts";
import { entity, featureView } from "../../../src/features/define.ts";
import { apiKey, tableSource, type EventSource } from "../../../src/features/define-source.ts";
import { bigint } from "../../../src/features/fields.ts";
import { worstCaseBytes } from "../../../src/features/state-size.ts";
import { describeDeployment } from "../../../src/planning/describe-deployment.ts";
import type { Plan, PlannedChange } from "../../../src/planning/plan.ts";
import { planDeployment } from "../../../src/planning/plan-deployment.ts";
import { indexIdOf, type CollectionPlan } from "../../../src/retrieval/collection-plan.ts";
import { write } from "../../support/document-calls.ts";
import { contributionsOf, logEvent } from "../../support/log-events.ts";
import { SHOP_FEATURES, SHOP_FIELDS, shop } from "../../support/shop-definitions.ts";
import { openMemoryTruth, type Truth } from "../../support/stores.ts";

const indexId = (plan: CollectionPlan): string => indexIdOf(plan, { identity: "test" });

const plan = (truth: Truth, definitions: readonly Definition[]): Promise<Plan> =>
  planDeployment(
    {
      definitions: truth.definitionStore,
      history: truth.definitionHistory,
      indexes: truth.indexRegistry,
      sizes: truth.logSizes,
      indexIdOf: indexId,
    },
    compileDeployment(definitions),
    definitions,
  );

/** Registers the definitions, without building anything. */
async function register(truth: Truth, definitions: readonly Definition[]): Promise<void> {
  const deployment = compileDeployment(definitions);
  await truth.definitionHistory.register(describeDeployment(deployment, definitions), 1);
  await truth.definitionStore.registerViews([...deployment.registry.views.values()], 1);
  const indexes = [...deployment.collections.values()].map((collection) => ({
    indexId: indexId(collection),
    collection: collection.name,
    dimensions: 8,
    spec: collection.spec,
  }));
  await truth.indexRegistry.register(indexes, 1);
}

async function applied(definitions: readonly Definition[] = shop()): Promise<Truth> {
  const truth = openMemoryTruth();
  await register(truth, definitions);
  return truth;
}

/** Orders of buyers, folded: as many for each as the numbers say. */
async function order(truth: Truth, counts: readonly number[]): Promise<void> {
  for (const [buyer, n] of counts.entries()) {
    const ref = { tenant: "t", entity: "buyer", key: `b${buyer}` };
    const events = Array.from({ length: n }, (_, i) =>
      logEvent("t", `${buyer}-${i}`, { source: "orders" }),
    );
    const contributions = contributionsOf(events, [ref]);
    const input = { events, contributions, touched: [ref], stateIds: [], now: 1 };
    for (const { pending, version, builds } of (await truth.eventLog.append(input)).entities) {
      const folded = pending.map(({ source, eventId }) => ({ source, eventId }));
      const commit = { ...ref, readVersion: version, builds, folded, poisoned: [], states: [] };
      await truth.eventLog.commit([commit], 2);
    }
  }
}

const named = ({ changes }: Plan, name: string): PlannedChange => {
  const found = changes.find((one) => one.name === name);
  if (found === undefined) throw new Error(`nothing is planned for ${name}`);
  return found;
};

const brief = ({ changes }: Plan): readonly string[] =>
  changes.map(({ action, kind, name }) => `${action} ${kind} ${name}`);

describe("the plan of a deployment", () => {
  it("has everything as new, in the order of the kinds, where nothing was applied", async () => {
    const nothing = await plan(openMemoryTruth(), shop());
    expect(brief(nothing)).toEqual([
      "added entity buyer",
      "added source orders",
      "added view spend",
      "added on_demand_view basket",
      "added service checkout",
      "added model risk",
      "added collection help",
    ]);
    expect(nothing).toMatchObject({ unchanged: 0, problems: [], seconds: 0 });
  });

  it("is empty for what is applied, the example's definitions too", async () => {
    for (const definitions of [shop(), example]) {
      const truth = await applied(definitions);
      expect(await plan(truth, definitions)).toMatchObject({
        changes: [],
        unchanged: definitions.length,
        problems: [],
        warnings: [],
        sameFeatures: [],
        incompatible: [],
      });
    }
  });

  it("says of a changed view what is different, what it costs, and who reads it", async () => {
    const truth = await applied();
    await order(truth, [3, 1]);
    const features = {
      orders_1d: count().over("2d"),
      spent_7d: SHOP_FEATURES["spent_7d"] as never,
      orders: count(),
    };
    const changed = await plan(truth, shop({ features }));
    expect(brief(changed)).toEqual(["changed view spend"]);
    const view = named(changed, "spend");
    expect(view.changes.map(({ path, action }) => [path.join("."), action])).toEqual([
      ["features.orders_1d.window", "changed"],
      ["features.orders", "added"],
      ["features.last_country", "removed"],
    ]);
    expect([view.from, view.to]).toEqual([1, 2]);
    expect(view.build).toMatchObject({ entities: 2, events: 4, backfill: null, exact: true });
    expect(view.build?.seconds).toBeGreaterThan(0);
    expect(changed.seconds).toBe(view.build?.seconds);
    const planOf = compileDeployment(shop({ features })).registry.views.get("spend");
    expect(view.stateBytes).toBe(planOf && worstCaseBytes(planOf));
    expect(view.readers).toEqual([
      { kind: "on_demand_view", name: "basket", takes: ["orders_1d"] },
      { kind: "service", name: "checkout", takes: null },
      { kind: "model", name: "risk", takes: ["orders_1d"] },
    ]);
  });

  it("refuses a view whose state of one entity may grow beyond 64 KiB, and says what would do", async () => {
    const truth = await applied();
    const orders = approxCountDistinct("order_id" as never).over("7d");
    const features = { ...SHOP_FEATURES, orders_7d: orders };
    const { problems } = await plan(truth, shop({ features }));
    expect(problems.join()).toMatch(/view "spend".*64 KiB is the most.*orders_7d.*hopping\("7d"/s);
  });

  it("counts the past events that a new kind of entity is given", async () => {
    const truth = await applied();
    await order(truth, [3, 1]);
    const [, orders] = shop() as readonly [Definition, EventSource];
    const country = entity("country", { key: "country" });
    const visits = featureView("visits", {
      entity: country,
      source: orders,
      features: { n: count() as never },
    });
    const grown = await plan(truth, shop({ more: [country, visits] }));
    expect(brief(grown)).toEqual(["added entity country", "added view visits"]);
    expect(named(grown, "visits").build).toMatchObject({ backfill: 4, entities: 0, events: 4 });
  });

  it("names what reads a removed definition, as it was applied", async () => {
    const truth = await applied();
    const smaller = await plan(truth, shop({ without: ["risk", "checkout", "basket"] }));
    expect(brief(smaller)).toEqual([
      "removed on_demand_view basket",
      "removed service checkout",
      "removed model risk",
    ]);
    expect(named(smaller, "basket").readers).toEqual([
      { kind: "service", name: "checkout", takes: null },
      { kind: "model", name: "risk", takes: ["ratio"] },
    ]);
    expect(named(smaller, "basket")).toMatchObject({ from: 1, to: null, build: null });
  });

  it("tells of a source's change which fields are other ones", async () => {
    const truth = await applied();
    const { country: _, ...kept } = SHOP_FIELDS;
    const fields = { ...kept, amount: bigint(), note: z.string() };
    const features = { orders_1d: count().over("1d") };
    const changed = await plan(truth, shop({ fields, id: "note", features }));
    const source = named(changed, "orders");
    expect(source.changes.map(({ path, action }) => [path.join("."), action])).toEqual([
      ["fields.amount.kind", "changed"],
      ["fields.note", "added"],
      ["fields.country", "removed"],
      ["id", "changed"],
    ]);
    expect(source.readers).toEqual([{ kind: "view", name: "spend", takes: null }]);
    // No event has ever come: nothing is broken.
    expect(changed.incompatible).toEqual([]);
  });

  it("names changes of a source that events in the log do not fit", async () => {
    const truth = await applied();
    await order(truth, [3]);
    const { country: _, ...kept } = SHOP_FIELDS;
    const fields = { ...kept, amount: bigint(), note: z.string().nullable() };
    const features = { orders_1d: count().over("1d"), spent: sum("amount" as never) };
    const changed = await plan(truth, shop({ fields, id: "at", features }));
    expect(changed.incompatible).toMatchObject([
      { source: "orders", change: { path: ["fields", "amount", "kind"] }, views: ["spend"] },
      { source: "orders", change: { path: ["fields", "country"], action: "removed" } },
      { source: "orders", change: { path: ["id"] }, views: ["spend"] },
    ]);
    expect(changed.incompatible[0]?.events).toEqual({ count: 3, exact: true });
  });

  it("lets go of fields that no view uses, and takes new ones", async () => {
    const { country: _, ...kept } = SHOP_FIELDS;
    const features = { orders_1d: count().over("1d") };
    const truth = await applied(shop({ features }));
    await order(truth, [3]);
    const fields = { ...kept, note: z.string() };
    const changed = await plan(truth, shop({ fields, features }));
    expect(brief(changed)).toEqual(["changed source orders"]);
    expect(changed.incompatible).toEqual([]);
  });

  it("hints at features that are computed already under another name", async () => {
    const truth = await applied();
    const [buyer, orders] = shop() as readonly [never, EventSource];
    const again = featureView("again", {
      entity: buyer,
      source: orders,
      features: {
        how_often: count().over("1d").default(0) as never,
        longer: count().over("2d") as never,
        once_more: count().over("1d") as never,
        where_last: last("country" as never) as never,
      },
    });
    const grown = await plan(truth, shop({ more: [again] }));
    expect(grown.sameFeatures).toEqual([
      { feature: "again:how_often", existing: "spend:orders_1d" },
      { feature: "again:once_more", existing: "spend:orders_1d" },
      { feature: "again:where_last", existing: "spend:last_country" },
    ]);
  });

  it("never calls features the same where their views' boundary or maxAge differ", async () => {
    const rows = tableSource("rows", {
      schema: z.object({ id: z.string(), at: z.number() }),
      key: "id",
      eventTime: "at",
      accept: [apiKey()],
    });
    const thing = entity("thing", { key: "id" });
    const view = (name: string, more: object = {}) =>
      featureView(name, { entity: thing, source: rows, features: { n: count() }, ...more });
    const views = [
      view("plain"),
      view("fresh", { maxAge: "1h" }),
      view("inclusive", { boundary: "inclusive" }),
      view("fresh_too", { maxAge: "60m" }),
      view("exclusive", { boundary: "exclusive" }),
    ];
    const { sameFeatures } = await plan(openMemoryTruth(), [thing, rows, ...views]);
    expect(sameFeatures).toEqual([
      { feature: "fresh_too:n", existing: "fresh:n" },
      { feature: "exclusive:n", existing: "plain:n" },
    ]);
  });

  it("counts the documents of a collection whose index is new", async () => {
    const truth = await applied();
    const [help] = [...compileDeployment(shop()).collections.values()];
    if (help === undefined) throw new Error("there is no collection");
    const index = { tenant: "t", collection: "help", indexId: indexId(help), dimensions: 8 };
    await write(truth.documentIndex, index, { a: { chunks: ["x"] }, b: { chunks: ["y"] } });
    expect(brief(await plan(truth, shop()))).toEqual([]);
    const changed = await plan(truth, shop({ language: "simple" }));
    expect(brief(changed)).toEqual(["changed collection help"]);
    const { changes, documents } = named(changed, "help");
    expect(changes).toMatchObject([{ path: ["language"], before: "english", after: "simple" }]);
    expect(documents).toEqual({ count: 2, exact: true });
    // Registered, and the Worker has not got to it yet.
    await register(truth, shop({ language: "simple" }));
    const half = await plan(truth, shop({ language: "simple" }));
    expect(brief(half)).toEqual(["unfinished collection help"]);
    expect(named(half, "help").documents).toEqual({ count: 2, exact: true });
  });

  it("knows a view that was registered and never completely built", async () => {
    const truth = await applied();
    await order(truth, [2]);
    const more = shop({ features: { ...SHOP_FEATURES, more: count() } });
    await register(truth, more);
    const half = await plan(truth, more);
    expect(brief(half)).toEqual(["unfinished view spend"]);
    expect(named(half, "spend")).toMatchObject({ from: 2, to: 2, build: { events: 2 } });
  });

  it("warns of a model whose file is another one under the same version", async () => {
    const truth = await applied();
    const other = await plan(truth, shop({ bias: 0.75 }));
    expect(brief(other)).toEqual(["changed model risk"]);
    expect(other.warnings).toEqual([
      'model "risk" has another file under the same version: raise the version in the file',
    ]);
    const raised = await plan(truth, shop({ bias: 0.75, modelVersion: "2" }));
    expect(named(raised, "risk").changes.map(({ path }) => path)).toEqual([["file"], ["version"]]);
    expect(raised.warnings).toEqual([]);
  });
});

describe("golden cases of what was applied", () => {
  const twice = ({ request }: { readonly request: object }): number =>
    2 * (request as { amount: number }).amount;

  it("forbid that a version gives other results", async () => {
    const truth = await applied();
    const changed = await plan(truth, shop({ ratio: twice }));
    expect(changed.problems).toEqual([
      'on-demand view "basket", golden case 1 of those applied as version 1: ratio: expected 2.5, ' +
        "got 20; so raise the version",
    ]);
    expect((await plan(truth, shop({ ratio: twice, version: 2 }))).problems).toEqual([]);
  });

  it("hold for versions that are retired, should they return", async () => {
    const truth = await applied();
    await register(truth, shop({ ratio: twice, version: 2 }));
    expect((await plan(truth, shop())).problems).toEqual([]);
    expect((await plan(truth, shop({ ratio: twice, version: 1 }))).problems).toHaveLength(1);
  });
});

describe("a definition that others use", () => {
  it("cannot be removed, and all who use it are named", () => {
    const compile = (without: readonly string[]) => () => compileDeployment(shop({ without }));
    expect(compile(["spend"])).toThrow(
      'on-demand view "basket", service "checkout" use the view "spend", which is not among the ' +
        "definitions: add it to the list, or remove what uses it",
    );
    expect(compile(["orders"])).toThrow('view "spend" uses the source "orders"');
    expect(compile(["checkout"])).toThrow('model "risk" uses the service "checkout"');
  });
});
