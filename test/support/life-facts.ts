import fc from "fast-check";
import type { FeatureValue } from "../../src/features/aggregates/aggregate.ts";
import type { LogEvent } from "../../src/features/event-log.ts";
import { exactOf, exactToText } from "../../src/features/exact.ts";
import type { ViewPlan } from "../../src/features/plan.ts";
import { compileDefinitions } from "../../src/features/registry.ts";
import { recordFromText } from "../../src/features/source-record.ts";
import { readChange } from "../../src/ingest/read-change.ts";
import { baskets, columnOf, JOINS, type LifeView, type Shape } from "./life-definitions.ts";
import { oracleValue, type OracleEvent } from "./oracle.ts";
import { seenBy, stepEvent, type Step } from "./paths.ts";
import { oracleFeatures } from "./views.ts";
import { vault } from "./write-path.ts";

/** Somebody clicks or orders, or a row of the table of baskets changes. */
export type Fact = Step | BasketChange;

interface BasketChange {
  readonly side: "basket";
  readonly id: string;
  /** The place of the change among those of its row. */
  readonly order: number;
  /** Null where the row is deleted. */
  readonly row: Readonly<Record<string, string | number | null>> | null;
}

const isStep = (fact: Fact): fact is Step => fact.side !== "basket";

/** Facts of a few seconds before `base`; those that were imported were known before. */
export const anyFacts = (base: number): fc.Arbitrary<readonly Fact[]> =>
  fc
    .array(
      fc.record({
        side: fc.constantFrom("left" as const, "right" as const, "basket" as const),
        who: fc.constantFrom("ada", "ada", "bob", null),
        ad: fc.constantFrom("a1", "a2"),
        amount: fc.constantFrom("1.1", "2", "-3.5"),
        time: fc.nat({ max: 12 }).map((n) => base - 3_000 + n * 250),
        known: fc.option(
          fc.nat({ max: 9 }).map((n) => base + n * 1_000),
          { freq: 3 },
        ),
        basket: fc.constantFrom("b1", "b2"),
        isGone: fc.nat({ max: 3 }).map((n) => n === 3),
      }),
      { minLength: 1, maxLength: 14, size: "max" },
    )
    .map((all) =>
      all.map(({ side, who, ad: of, amount, time, known, basket, isGone }, i): Fact => {
        // Ids and orders are in no order of time.
        const n = (i * 7) % 19;
        if (side === "basket") {
          const row = { basket_id: basket, who, ad: of, amount, at: time };
          return { side, id: basket, order: n, row: isGone ? null : row };
        }
        const id = `${side === "left" ? "c" : "o"}${n}`;
        const by = side === "right" ? (who ?? "ada") : who;
        return { side, id, who: by, shop: "x", ad: of, amount, time, known };
      }),
    );

const tables = compileDefinitions([baskets]);

/** The fact as it reaches a consumer. */
export async function factEvent(fact: Fact, tenant: string, now: number): Promise<LogEvent> {
  if (isStep(fact)) return stepEvent(fact, tenant);
  const { id, order, row } = fact;
  const value =
    row === null ? { op: "delete", row: { basket_id: id }, order } : { op: "upsert", row, order };
  const source = tables.sources.get(baskets.name);
  if (source === undefined || source.table === null) throw new Error("the test is wrong");
  const input = { tenant, source, value, ingestTime: now, knownAt: null };
  const read = await readChange({ registry: tables, vault }, source.table, input);
  const [event] = read.ok ? read.value : [];
  if (event === undefined) throw new Error("the test is wrong");
  return event;
}

const plain = ({ side, ...step }: Step): Record<string, string | null> =>
  side === "left"
    ? { who: step.who, ad: step.ad }
    : { buyer: step.who, amount: exactToText(exactOf(step.amount)) };

/** What of all facts a view's entity is to have seen in the end, by the definitions. */
export function factsOf(
  shape: Shape,
  view: LifeView,
  key: string,
  facts: readonly Fact[],
): readonly OracleEvent[] {
  const steps = facts.filter(isStep);
  const join = JOINS[shape.join];
  if (view === "ad_paths" || view === "who_paths") {
    if (join === undefined) throw new Error("the test is wrong");
    return seenBy(view === "ad_paths" ? "ad_orders" : "shopper_paths", key, steps, join);
  }
  const column = columnOf(view);
  if (view === "ad_baskets" || view === "who_baskets") {
    return [...basketsAfter(facts).values()]
      .filter((row) => row[column] === key)
      .map(({ basket_id, at, ...row }) => ({
        time: Number(at),
        order: String(basket_id),
        fields: { ...row, amount: exactToText(exactOf(String(row["amount"]))) },
      }));
  }
  return steps
    .filter((step) => step.side === (view === "who_orders" ? "right" : "left"))
    .filter((step) => step[column] === key)
    .map((step) => ({ time: step.time, order: step.id, fields: plain(step) }));
}

/** The table as all changes leave it: of each row, what the one with the highest order says. */
function basketsAfter(
  facts: readonly Fact[],
): ReadonlyMap<string, NonNullable<BasketChange["row"]>> {
  const latest = new Map<string, BasketChange>();
  for (const fact of facts) {
    if (isStep(fact) || (latest.get(fact.id)?.order ?? -1) > fact.order) continue;
    latest.set(fact.id, fact);
  }
  return new Map([...latest.values()].flatMap(({ id, row }) => (row === null ? [] : [[id, row]])));
}

/** What some events of the log leave for a view, by the definition: each −1 takes one +1 away. */
export function netOfLog(plan: ViewPlan, events: readonly LogEvent[]): readonly OracleEvent[] {
  const own = events.filter(({ source }) => source === plan.sourceId);
  const contentOf = ({ eventTime, orderKey, body }: LogEvent): string =>
    JSON.stringify([eventTime, orderKey, body]);
  const left = own.filter(({ sign }) => sign === 1);
  for (const one of own.filter(({ sign }) => sign === -1)) {
    const at = left.findIndex((other) => contentOf(other) === contentOf(one));
    if (at >= 0) left.splice(at, 1);
  }
  return left.map(({ eventTime, orderKey, body }) => ({
    time: eventTime,
    order: orderKey,
    fields: recordFromText(body) as OracleEvent["fields"],
  }));
}

/** The values of a view at a time, by the definition. */
export const lifeValues = (
  plan: ViewPlan,
  events: readonly OracleEvent[],
  asOf: number,
): readonly FeatureValue[] =>
  oracleFeatures(plan, ["amount", "orders__amount"]).map((feature) =>
    oracleValue(feature, events, asOf),
  );
