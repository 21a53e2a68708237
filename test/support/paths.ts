import fc from "fast-check";
import { z } from "zod";
import { count, countDistinct, first, last, max, sum } from "../../src/features/aggregation.ts";
import type { FeatureValue } from "../../src/features/aggregates/aggregate.ts";
import { entity, featureView } from "../../src/features/define.ts";
import { apiKey, eventSource, joined, type Source } from "../../src/features/define-source.ts";
import type { LogEvent } from "../../src/features/event-log.ts";
import { exactOf, exactToText } from "../../src/features/exact.ts";
import { decimal } from "../../src/features/fields.ts";
import { compileDefinitions, type Registry } from "../../src/features/registry.ts";
import { recordToText } from "../../src/features/source-record.ts";
import type { Duration } from "../../src/time.ts";
import { naivePairs, type PlainSide } from "./naive-pairs.ts";
import { oracleValue, type OracleEvent } from "./oracle.ts";
import { oracleFeatures } from "./views.ts";
import { hashOf } from "./write-path.ts";

export const clicks = eventSource("clicks", {
  schema: z.object({
    click_id: z.string(),
    who: z.string().nullable(),
    shop: z.string(),
    ad: z.string(),
    at: z.number(),
  }),
  id: "click_id",
  eventTime: "at",
  accept: [apiKey()],
});

export const orders = eventSource("orders", {
  schema: z.object({
    order_id: z.string(),
    buyer: z.string(),
    shop: z.string(),
    amount: decimal(),
    at: z.number(),
  }),
  id: "order_id",
  eventTime: "at",
  accept: [apiKey()],
});

export const ad = entity("ad", { key: "ad" });
export const shopper = entity("shopper", { key: "who" });

export type PathView = "ad_orders" | "shopper_paths" | "ad_clicks";
export const PATH_VIEWS: readonly PathView[] = ["ad_orders", "shopper_paths", "ad_clicks"];

/** How clicks and orders meet. */
export interface PathOptions {
  readonly within: Duration;
  readonly fanOut: number;
  /** Whether the shop must be the same as well as the shopper. */
  readonly alsoShop: boolean;
}

/** The join of clicks and the orders after them, with views over it, and one over the clicks. */
export function pathRegistry(
  { within, fanOut, alsoShop }: PathOptions,
  views: readonly PathView[] = PATH_VIEWS,
): Registry {
  const options = { within, fanOut };
  const paths = alsoShop
    ? joined("paths", clicks, orders, { on: { who: "buyer", shop: "shop" }, ...options })
    : joined("paths", clicks, orders, { on: { who: "buyer" }, ...options });
  const byAd = featureView("ad_orders", {
    entity: ad,
    source: paths,
    key: { ad: "clicks__ad" },
    features: {
      n: count(),
      revenue: sum("orders__amount").over("5m"),
      largest: max("orders__amount"),
      latest: last("orders__amount").over("1h"),
    },
  });
  const byShopper = featureView("shopper_paths", {
    entity: shopper,
    source: paths,
    features: {
      n: count().over("1h"),
      ads: countDistinct("clicks__ad", { max: 3 }),
      first_ad: first("clicks__ad"),
      last_ad: last("clicks__ad"),
    },
  });
  const clicked = featureView("ad_clicks", {
    entity: ad,
    source: clicks,
    features: { n: count() },
  });
  const wanted = [byAd, byShopper, clicked].filter(({ name }) => views.includes(name));
  const isJoined = wanted.some(({ source }) => source.kind === "joined_source");
  return compileDefinitions([
    ad,
    shopper,
    clicks,
    orders,
    ...(isJoined ? [paths as Source] : []),
    ...wanted,
  ]);
}

/** A click or an order. */
export interface Step extends Omit<PlainSide, "key"> {
  readonly who: string | null;
  readonly shop: string;
  /** Of clicks. */
  readonly ad: string;
  /** Of orders. */
  readonly amount: string;
  /** When an import says that it was known; null for live ones. */
  readonly known: number | null;
}

/** A step of Ada's at a shop, of which a test names only what matters to it. */
export const stepOf = (
  side: Step["side"],
  id: string,
  time: number,
  fields: Partial<Step> = {},
): Step => ({
  side,
  id,
  time,
  who: "ada",
  shop: "x",
  ad: "a1",
  amount: "2.50",
  known: null,
  ...fields,
});

export function stepEvent({ side, id, who, shop, time, ...step }: Step, tenant: string): LogEvent {
  const amount = exactToText(exactOf(step.amount));
  const record =
    side === "left"
      ? { click_id: id, who, shop, ad: step.ad, at: String(time) }
      : { order_id: id, buyer: who, shop, amount, at: String(time) };
  const body = recordToText(record);
  return {
    tenant,
    source: side === "left" ? "clicks" : "orders",
    eventId: id,
    eventTime: time,
    originalEventTime: null,
    ingestTime: time + 7,
    orderKey: id,
    sign: 1,
    body,
    bodyHash: hashOf(body),
    knownAt: step.known,
  };
}

/** Steps around `base`, often at the same moment, and at and just beyond the join's reach. */
export const anySteps = (
  base: number,
  known: fc.Arbitrary<number | null> = fc.constant(null),
): fc.Arbitrary<readonly Step[]> =>
  fc
    .array(
      fc.record({
        side: fc.constantFrom("left" as const, "right" as const),
        who: fc.constantFrom("ada", "ada", "ada", "ada", "ada", "bob", "ぶどう,%", null),
        shop: fc.constantFrom("x", "x", "x", "y"),
        ad: fc.constantFrom("a1", "a2"),
        amount: fc.constantFrom("1.10", "2", "-3.5"),
        time: fc
          .tuple(fc.nat({ max: 12 }), fc.constantFrom(0, 0, 1))
          .map(([n, more]) => base - 3_000 + n * 250 + more),
        known,
      }),
      { minLength: 6, maxLength: 18, size: "max" },
    )
    .map((all) =>
      // An order always has a buyer; ids are in no order of time.
      all.map((step, i) => ({
        ...step,
        who: step.side === "right" ? (step.who ?? "ada") : step.who,
        id: `${step.side === "left" ? "c" : "o"}${(i * 7) % 19}`,
      })),
    );

const MS: Readonly<Record<string, number>> = { "1s": 1_000, "2s": 2_000, "5s": 5_000 };

export const anyPathOptions = (fanOuts: readonly number[]): fc.Arbitrary<PathOptions> =>
  fc.record({
    within: fc.constantFrom<Duration>("1s", "2s", "5s"),
    fanOut: fc.constantFrom(...fanOuts),
    alsoShop: fc.boolean(),
  });

/** The pairs of steps, by the definition. */
export const pairsOf = (steps: readonly Step[], { within, fanOut, alsoShop }: PathOptions) =>
  naivePairs(
    steps.map((step) => ({
      ...step,
      key: step.who === null ? null : alsoShop ? `${step.who}\n${step.shop}` : step.who,
    })),
    MS[within] ?? Number.NaN,
    fanOut,
  );

/** What a view's entity has seen, by the definition. */
export function seenBy(
  view: PathView,
  key: string,
  steps: readonly Step[],
  options: PathOptions,
): readonly OracleEvent[] {
  if (view === "ad_clicks") {
    return steps
      .filter((step) => step.side === "left" && step.ad === key)
      .map(({ time, id }) => ({ time, order: id, fields: {} }));
  }
  return pairsOf(steps, options)
    .filter(([click]) => (view === "ad_orders" ? click.ad : click.who) === key)
    .map(([click, order]) => ({
      time: order.time,
      order: `${order.id} ${click.id}`,
      fields: { orders__amount: exactToText(exactOf(order.amount)), clicks__ad: click.ad },
    }));
}

/** A view's values at a time, by the definition. */
export function expectedPaths(
  registry: Registry,
  view: PathView,
  seen: readonly OracleEvent[],
  asOf: number,
): readonly FeatureValue[] {
  const plan = registry.views.get(view);
  if (plan === undefined) throw new Error(`no view ${view}`);
  return oracleFeatures(plan, ["orders__amount"]).map((feature) =>
    oracleValue(feature, seen, asOf),
  );
}
