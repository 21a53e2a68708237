import { z } from "zod";
import { describe, expect, it } from "vitest";
import { customerLifetime, customerSpend, merchantActivity } from "../../../definitions/views.ts";
import { recompute, type SentEvent } from "../../../local/demo/oracle.ts";
import { generatePayments } from "../../../local/demo/payments.ts";
import { count, first, last, max, mean, min, sum } from "../../../src/features/aggregation.ts";
import { answerFrom, planRead } from "../../../src/features/assemble.ts";
import { compileView } from "../../../src/features/compile-view.ts";
import { entity, featureView, type FeatureView } from "../../../src/features/define.ts";
import { apiKey, eventSource } from "../../../src/features/define-source.ts";
import { exactOf, exactToText } from "../../../src/features/exact.ts";
import { decimal } from "../../../src/features/fields.ts";
import { addEvent } from "../../../src/features/fold-view.ts";
import { emptyState, encodeState, openState } from "../../../src/features/state.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../../src/time.ts";

const till = entity("till", { key: "till_id" });
const sales = eventSource("sales", {
  schema: z.object({
    id: z.string(),
    till_id: z.string(),
    price: decimal(),
    kind: z.string(),
    at: z.iso.datetime({ offset: true }),
  }),
  id: "id",
  eventTime: "at",
  accept: [apiKey()],
});
const till1 = { till_id: "t1" };
const NOON = Date.UTC(2026, 5, 15, 12);

const sale = (id: string, at: number, price: string, kind = "tea"): SentEvent => ({
  ...till1,
  id,
  price,
  kind,
  at: new Date(at).toISOString(),
});

const takings = featureView("takings", {
  entity: till,
  source: sales,
  features: {
    sales: count().over("1h"),
    total: sum("price").over("1h"),
    average: mean("price").over("1h"),
    least: min("price").over("1h"),
    most: max("price").over("1h"),
    earliest: first("kind").over("1h"),
    latest: last("kind").over("1h"),
    coffees: count()
      .where({ kind: ["coffee", "espresso"] })
      .over("1h"),
    nothing: sum("price").where({ kind: "cake" }).over("1h").default("0"),
    ever: count(),
  },
});

const ask = (events: readonly SentEvent[], asOf: number) => recompute(takings, events, till1, asOf);

describe("recompute", () => {
  it("adds decimals exactly and rounds a mean once", () => {
    const events = [
      sale("1", NOON, "0.10"),
      sale("2", NOON + 1, "0.20", "coffee"),
      sale("3", NOON + 2, "-1", "espresso"),
    ];
    expect(ask(events, NOON + 3)).toEqual({
      sales: 3,
      total: "-0.7",
      average: -7 / 30,
      least: "-1",
      most: "0.2",
      earliest: "tea",
      latest: "espresso",
      coffees: 2,
      nothing: "0",
      ever: 3,
    });
  });

  it("answers 0, null and the default where there is nothing", () => {
    expect(ask([], NOON)).toEqual({
      sales: 0,
      total: null,
      average: null,
      least: null,
      most: null,
      earliest: null,
      latest: null,
      coffees: 0,
      nothing: "0",
      ever: 0,
    });
  });

  it("leaves out the event at the instant itself, and takes whole hops at the tail", () => {
    const asOf = NOON + 7 * MINUTE_MS;
    const tail = NOON + 5 * MINUTE_MS - HOUR_MS;
    const taken = (at: number): unknown => ask([sale("1", at, "1")], asOf)["sales"];
    expect([taken(asOf), taken(asOf - 1)]).toEqual([0, 1]);
    expect([taken(tail), taken(tail - 1)]).toEqual([1, 0]);
  });

  it("counts a repeated event once, in any order, and other entities' not at all", () => {
    const a = sale("1", NOON, "1", "tea");
    const b = sale("2", NOON, "2", "coffee");
    const events = [b, { ...a, till_id: "t2", id: "3" }, a, b, a];
    expect(ask(events, NOON + 1)).toEqual(ask([a, b], NOON + 1));
    // Equal times are ordered by the id.
    expect(ask(events, NOON + 1)).toMatchObject({ sales: 2, earliest: "tea", latest: "coffee" });
  });
});

describe("the engine on the example", () => {
  const now = Date.UTC(2026, 10, 22, 14, 3, 7, 123);
  const load = generatePayments({ seed: "oracle", now, payments: 1_500 });

  /** The features of one entity, folded from the deliveries in their order, each id once. */
  function folded(view: FeatureView, key: string, asOf: number): readonly unknown[] {
    const plan = compileView(view);
    const state = emptyState(plan);
    for (const payment of new Set(load.deliveries)) {
      const record = { ...payment, amount: exactToText(exactOf(payment.amount)) };
      const event = {
        tenant: "t",
        source: "payments",
        eventId: payment.payment_id,
        body: "",
        bodyHash: "",
        eventTime: Date.parse(payment.paid_at),
        originalEventTime: null,
        ingestTime: now,
        orderKey: payment.payment_id,
        sign: 1 as const,
        knownAt: null,
      };
      addEvent(plan, state, key, { event, record });
    }
    return answerFrom(planRead(plan, asOf), openState(encodeState(plan, state))).values;
  }

  it.each([customerSpend, customerLifetime, merchantActivity])(
    "computes $name as the oracle does, now and later",
    (view) => {
      const [keyColumn = ""] = view.entity.key;
      const keys = (view.entity.name === "customer" ? load.customers : load.merchants).slice(0, 10);
      for (const key of keys) {
        for (const asOf of [now, now + 61_001, now + 25 * HOUR_MS, now + 29 * DAY_MS]) {
          const expected = recompute(
            view,
            load.deliveries.map((one) => ({ ...one })),
            { [keyColumn]: key },
            asOf,
          );
          expect(folded(view, key, asOf)).toEqual(Object.values(expected));
        }
      }
    },
  );
});
