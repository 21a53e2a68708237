import fc from "fast-check";
import { z } from "zod";
import { count, countDistinct, last, max, sum } from "../../src/features/aggregation.ts";
import { featureView, type FeatureDefinition } from "../../src/features/define.ts";
import { apiKey, joined, tableSource } from "../../src/features/define-source.ts";
import type { DefinitionStore, RegisteredView } from "../../src/features/definition-store.ts";
import { feedName } from "../../src/features/feeds.ts";
import { decimal } from "../../src/features/fields.ts";
import { compileDefinitions, type Registry } from "../../src/features/registry.ts";
import { ad, clicks, orders, shopper, type PathOptions } from "./paths.ts";

/** A table whose rows move between shoppers and ads. */
export const baskets = tableSource("baskets", {
  schema: z.object({
    basket_id: z.string(),
    who: z.string().nullable(),
    ad: z.string(),
    amount: decimal(),
    at: z.number(),
  }),
  key: "basket_id",
  eventTime: "at",
  accept: [apiKey()],
});

export const JOINS: readonly PathOptions[] = [
  { within: "1s", fanOut: 100, alsoShop: false },
  { within: "5s", fanOut: 100, alsoShop: false },
  { within: "5s", fanOut: 1, alsoShop: false },
];

const pathsOf = (join: number) => {
  const { within = "1s", fanOut = 1 } = JOINS[join] ?? {};
  return joined("paths", clicks, orders, { on: { who: "buyer" }, within, fanOut });
};

/** Which variant of each view a deployment has, 0 for none, and which variant of the join. */
export type Shape = Readonly<Record<LifeView | "join", number>>;

export type LifeView =
  | "ad_clicks"
  | "who_clicks"
  | "who_orders"
  | "ad_baskets"
  | "who_baskets"
  | "ad_paths"
  | "who_paths";

export const LIFE_KEYS = { ad: ["a1", "a2"], who: ["ada", "bob"] } as const;

/** Pure. The column of the view's entity. */
export const columnOf = (view: LifeView): "ad" | "who" => (view.startsWith("ad") ? "ad" : "who");

const viewsOf = (paths: ReturnType<typeof pathsOf>) => {
  const n = count();
  const [lately, total] = [count().over("5m"), sum("amount")];
  return {
    ad_clicks: (changed) =>
      featureView("ad_clicks", {
        entity: ad,
        source: clicks,
        features: { newest: last("who"), ...(changed ? { n, lately } : { n }) },
      }),
    who_clicks: (changed) =>
      featureView("who_clicks", {
        entity: shopper,
        source: clicks,
        features: changed ? { n, ads: countDistinct("ad", { max: 3 }) } : { n },
      }),
    who_orders: (changed) =>
      featureView("who_orders", {
        entity: shopper,
        source: orders,
        key: { who: "buyer" },
        features: changed ? { n, total, lately } : { n, total },
      }),
    ad_baskets: (changed) =>
      featureView("ad_baskets", {
        entity: ad,
        source: baskets,
        features: changed ? { n, most: max("amount") } : { n, total },
      }),
    who_baskets: (changed) =>
      featureView("who_baskets", {
        entity: shopper,
        source: baskets,
        features: changed ? { n, newest: last("ad") } : { n, most: max("amount") },
      }),
    ad_paths: (changed) =>
      featureView("ad_paths", {
        entity: ad,
        source: paths,
        key: { ad: "clicks__ad" },
        features: changed ? { n, most: max("orders__amount") } : { n },
      }),
    who_paths: (changed) =>
      featureView("who_paths", {
        entity: shopper,
        source: paths,
        features: changed ? { n } : { ads: countDistinct("clicks__ad", { max: 3 }) },
      }),
  } satisfies Record<LifeView, (changed: boolean) => FeatureDefinition>;
};

const NAMES = Object.keys(viewsOf(pathsOf(0))) as LifeView[];

/** A deployment without any view. */
export const NO_VIEWS = Object.fromEntries([...NAMES, "join"].map((name) => [name, 0])) as Shape;

const anyShape: fc.Arbitrary<Shape> = fc.record(
  Object.fromEntries([...NAMES, "join"].map((name) => [name, fc.nat({ max: 2 })])) as Record<
    LifeView | "join",
    fc.Arbitrary<number>
  >,
);

const anyChanges = fc.array(
  fc.tuple(fc.constantFrom(...NAMES, "join" as const), fc.integer({ min: 1, max: 2 })),
  { minLength: 1, maxLength: 3 },
);

/** Three deployments, of which two differ from the first in a few definitions. */
export const anyShapes: fc.Arbitrary<readonly Shape[]> = fc
  .tuple(anyShape, anyChanges, anyChanges)
  .map(([first, ...others]) => [
    first,
    ...others.map((changes): Shape => ({
      ...first,
      ...Object.fromEntries(changes.map(([name, by]) => [name, (first[name] + by) % 3])),
    })),
  ]);

/** An engine that came later applies a view beside all others, which these do not understand. */
export async function applyLater(
  definitions: DefinitionStore,
  entityName: string,
  now: number,
): Promise<void> {
  const [name, source, key] = [`later_${entityName}`, clicks.name, ["shop"]];
  const specification = {
    format: 1,
    view: name,
    entity: { name: entityName, key: ["who"] },
    source: { name: source, event_time: "at" },
    key,
    features: [],
    max_age_ms: null,
    what_came_later: true,
  };
  const feed = feedName({ entity: entityName, source, keyColumns: key });
  await definitions.registerFeeds([{ name: feed, source, isNew: false }]);
  const view = { name, stateId: `${name}@1`, specHash: "1", entity: entityName };
  const others = await definitions.listViews();
  const inUse = others.filter(({ retired, stateId }) => !retired && stateId !== view.stateId);
  const spec = JSON.stringify(specification);
  await definitions.registerViews([...inUse, { ...view, spec }], now);
}

/** Whether it is such a view. */
export const isLater = ({ name }: RegisteredView): boolean => name.startsWith("later_");

const compiled = new Map<string, Registry>();

/** The definitions of a deployment of this shape. */
export function lifeRegistry(shape: Shape): Registry {
  const name = JSON.stringify(shape);
  const known = compiled.get(name);
  if (known !== undefined) return known;
  const paths = pathsOf(shape.join);
  const views = viewsOf(paths);
  const wanted = NAMES.flatMap((view) =>
    shape[view] === 0 ? [] : [views[view](shape[view] === 2) as FeatureDefinition],
  );
  const registry = compileDefinitions([ad, shopper, clicks, orders, baskets, paths, ...wanted]);
  compiled.set(name, registry);
  return registry;
}
