import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { count, last, max, sum } from "../../../src/features/aggregation.ts";
import { entity, featureView, type ViewValues } from "../../../src/features/define.ts";
import { apiKey, eventSource, joined } from "../../../src/features/define-source.ts";
import { decimal, pii } from "../../../src/features/fields.ts";
import { keysOfRows } from "../../../src/features/entity-rows.ts";
import { compileDefinitions } from "../../../src/features/registry.ts";
import { vault } from "../../support/write-path.ts";

const clicks = eventSource("clicks", {
  schema: z.object({
    click_id: z.string(),
    who: z.string(),
    ad: z.enum(["a1", "a2"]),
    email: pii(z.email(), "token"),
    note: pii(z.string(), "drop").nullable(),
    at: z.number(),
  }),
  id: "click_id",
  eventTime: "at",
  accept: [apiKey()],
});
const orders = eventSource("orders", {
  schema: z.object({
    order_id: z.string(),
    buyer: z.string(),
    who: z.string().nullable(),
    amount: decimal(),
    items: z.int(),
    email: pii(z.email(), "token"),
    at: z.number(),
  }),
  id: "order_id",
  eventTime: "at",
  accept: [apiKey()],
});
const ad = entity("ad", { key: "ad" });
const shopper = entity("shopper", { key: "who" });
const paths = joined("paths", clicks, orders, { on: { who: "buyer" }, within: "1h" });

const revenue = featureView("revenue", {
  entity: ad,
  source: paths,
  key: { ad: "clicks__ad" },
  features: {
    n: count(),
    total: sum("orders__amount"),
    most: max("orders__items").where({ clicks__ad: "a1" }),
    ad: last("clicks__ad"),
  },
});

describe("a join", () => {
  it("has the columns of both sides, and those of on, under names that the compiler knows", () => {
    expectTypeOf<ViewValues<typeof revenue>>().toEqualTypeOf<{
      readonly n: number;
      readonly total: string | null;
      readonly most: number | null;
      readonly ad: "a1" | "a2" | null;
    }>();
    // On who: a pair's shopper is found under the entity's own column.
    featureView("by_who", { entity: shopper, source: paths, features: { n: count() } });
    // @ts-expect-error there is no "clicks__amonut"
    featureView("a", { entity: shopper, source: paths, features: { x: sum("clicks__amonut") } });
    // @ts-expect-error an order has no ad
    featureView("b", { entity: shopper, source: paths, features: { x: last("orders__ad") } });
    const base = { entity: shopper, source: paths } as const;
    featureView("c", { ...base, features: { x: count().where({ clicks__ad: "a1" }) } });
    // @ts-expect-error there is no such column to filter by
    featureView("d", { ...base, features: { x: count().where({ orders__ad: "a1" }) } });
    // @ts-expect-error a pair has no column of that name for the key
    featureView("e", { entity: ad, source: paths, key: { ad: "ad" }, features: { x: count() } });
    // @ts-expect-error orders have no "click_id"
    joined("f", clicks, orders, { on: "click_id", within: "1h" });
    // @ts-expect-error clicks have no "buyer"
    joined("g", clicks, orders, { on: { buyer: "who" }, within: "1h" });
    // @ts-expect-error orders have no "shopper"
    joined("h", clicks, orders, { on: { who: "shopper" }, within: "1h" });
    expect(paths.fanOut).toBe(100);
  });

  it("is compiled into fields, a name of its own in the log, and whom it feeds", () => {
    const registry = compileDefinitions([ad, clicks, orders, paths, revenue]);
    const plan = registry.sources.get("paths");
    const { sourceId = "" } = plan?.join ?? {};
    expect(sourceId).toMatch(/^paths@[0-9a-f]{16}$/);
    expect(plan?.accept).toEqual([]);
    expect(plan?.eventTimeField).toBe("orders__at");
    expect(plan?.fields.map(({ name }) => name)).toEqual([
      "who",
      "clicks__click_id",
      "clicks__who",
      "clicks__ad",
      "clicks__email",
      "clicks__at",
      "orders__order_id",
      "orders__buyer",
      "orders__who",
      "orders__amount",
      "orders__items",
      "orders__email",
      "orders__at",
    ]);
    expect(registry.views.get("revenue")).toMatchObject({
      source: "paths",
      sourceId,
      isSigned: true,
    });
    const feeds = (source: string) =>
      registry.feedsBySource.get(source)?.map(({ entity: to, keyColumns }) => [to, ...keyColumns]);
    expect(feeds("clicks")).toEqual([[sourceId, "who"]]);
    expect(feeds("orders")).toEqual([[sourceId, "buyer"]]);
    expect(feeds(sourceId)).toEqual([["ad", "clicks__ad"]]);
  });

  it("gathers nothing where no view reads it", () => {
    const registry = compileDefinitions([clicks, orders, paths]);
    expect(registry.feedsBySource.size).toBe(0);
    expect(registry.joinsByEntity.size).toBe(1);
  });

  it("is another one in the log when it pairs otherwise, and the same when only words differ", () => {
    const idOf = (options: object): string =>
      compileDefinitions([
        clicks,
        orders,
        joined("paths", clicks, orders, { on: "who", within: "1h", ...options }),
      ]).sources.get("paths")?.join?.sourceId ?? "";
    const base = idOf({});
    expect(idOf({ description: "words", owner: "o@example.com", fanOut: 100 })).toBe(base);
    expect(idOf({ within: "2h" })).not.toBe(base);
    expect(idOf({ fanOut: 1 })).not.toBe(base);
    expect(idOf({ on: ["who"] })).toBe(base);
    expect(idOf({ on: ["who", "email"] })).not.toBe(base);
  });

  it("finds personal keys by the tokens that the side's own field has", async () => {
    const person = entity("person", { key: "email" });
    const named = (name: string, email: "clicks__email" | "orders__email") =>
      featureView(name, {
        entity: person,
        source: paths,
        key: { email },
        features: { n: count() },
      });
    const registry = compileDefinitions([
      person,
      clicks,
      orders,
      paths,
      named("by_click", "clicks__email"),
      named("by_order", "orders__email"),
    ]);
    const views = [...registry.views.values()];
    const rows = [{ email: "Ada@Example.com" }];
    const [keys] = await keysOfRows({ registry, vault, tenant: "t" }, views, rows);
    const token = await vault.token("t", { name: "email", email: true }, "ada@example.com");
    expect([...(keys?.values() ?? [])]).toEqual([token, token]);
  });

  it("says what is wrong with it", () => {
    const compile = (source: ReturnType<typeof joined>) => () =>
      compileDefinitions([clicks, orders, source]);
    const on = "who" as const;
    expect(compile(joined("j", clicks, clicks, { on, within: "1h" }))).toThrow(/two different/);
    expect(compile(joined("j", clicks, orders, { on, within: "1h", fanOut: 0 }))).toThrow(
      /1 to 1000/,
    );
    expect(compile(joined("j", clicks, orders, { on: [], within: "1h" }))).toThrow(
      /columns to join/,
    );
    expect(compile(joined("j", clicks, orders, { on: { who: "items" }, within: "1h" }))).toThrow(
      /"who" and "items" are of different kinds/,
    );
    expect(compile(joined("j", clicks, orders, { on: { who: "email" }, within: "1h" }))).toThrow(
      /different kinds/,
    );
    const odd = eventSource("odd", {
      schema: z.object({ id: z.string(), orders__who: z.string(), at: z.number() }),
      id: "id",
      eventTime: "at",
      accept: [apiKey()],
    });
    const collides = joined("j", odd, orders, { on: { orders__who: "buyer" }, within: "1h" });
    expect(() => compileDefinitions([odd, orders, collides])).toThrow(/both called "orders__who"/);
    expect(() => compileDefinitions([ad, clicks, paths, revenue])).toThrow(
      'source "paths" uses the source "orders", which is not among the definitions',
    );
  });
});
