import {
  countFeatures,
  CUSTOMER_VIEWS,
  MERCHANT_VIEWS,
  type Checked,
  type ToCheck,
} from "./check-shop.ts";
import type { DevelopmentKeys } from "./keys.ts";
import type { OpenedDemo } from "./open-demo.ts";
import type { Payment } from "./payments.ts";
import type { Arrived } from "./send-load.ts";
import type { OnlineAnswer, Value } from "./shop-api.ts";
import { duration, grouped, percentile, table } from "./words.ts";

type Lines = readonly string[];

/** Pure. What the example is, and what is done with it at this start. */
export function headline({ state, load, demo, visible }: OpenedDemo): string {
  const size = `${grouped(load.customers.length)} customers, ${load.merchants.length} merchants`;
  const [there, all] = [grouped(visible), grouped(demo.payments)];
  const texts: Readonly<Record<typeof state, string>> = {
    new: `${size}, ${all} payments of the last 60 days`,
    interrupted:
      `${size}. ${there} of ${all} payments are here from an earlier start; ` +
      "all are sent again, and each counts once",
    there: `${size}, ${there} payments, here since ${minute(demo.now)}: nothing is sent again`,
    foreign:
      `${size}. The stores hold ${there} payments of an example that was begun elsewhere: ` +
      "nothing is sent, and features are not checked",
  };
  return `A small shop: ${texts[state]}`;
}

/** Pure. What was sent, what came of it, and how soon. */
export function arrivalLines({ sent, visible, oneByOne, bulk }: Arrived): Lines {
  const lags = oneByOne.waited.map(({ ms }) => ms);
  const [p50, p99] = [0.5, 0.99].map((p) => duration(percentile(lags, p)));
  const rate = grouped(Math.round(bulk.payments / (bulk.ms / 1_000)));
  const rows = {
    sent:
      `${grouped(sent.total)}, ${sent.repeats} of them repeats; ${sent.webhooks} as signed ` +
      `webhooks, ${grouped(sent.imported)} imported with the time at which each was known`,
    accepted: `${grouped(sent.accepted)}, rejected 0`,
    applied: `${grouped(visible)}: every payment is visible in features, repeats count once`,
    speed: `${grouped(bulk.payments)} sent at once were visible after ${duration(bulk.ms)}: ${rate} a second`,
    lag: `p50 ${p50}, p99 ${p99} from sending to visible, for ${lags.length} payments sent one by one`,
  };
  return ["What arrived", ...table(Object.entries(rows))];
}

/** Pure. One customer's features around a payment. */
export function storyLines(payment: Payment, before: OnlineAnswer, after: OnlineAnswer): Lines {
  const { customer_id: customer, merchant_id: merchant, amount, country } = payment;
  const usual = shown(before, before.names.indexOf("customer_spend:amount_mean_30d"));
  return [
    `One more payment: customer ${customer}, who usually pays ${usual}, pays ${amount} at ` +
      `${merchant}, from ${country}`,
    ...table([
      ["feature", "before", "after"],
      ...before.names.map((name, i) => [name, shown(before, i), shown(after, i)]),
    ]),
  ];
}

/** Pure. One customer's features as they are. */
export const customerLines = (customerId: string, now: OnlineAnswer): Lines => [
  `Customer ${customerId}, as of ${minute(now.as_of)}`,
  ...table(now.names.map((name, i) => [name, shown(now, i)])),
];

/** Pure. Whether the engine and a plain recomputation agree; the first few places where not. */
export const checkLines = (what: ToCheck, { differences }: Checked): Lines => [
  `Check: ${countFeatures(CUSTOMER_VIEWS)} features of ${what.customers.length} customers and ` +
    `${countFeatures(MERCHANT_VIEWS)} of ${what.merchants.length} merchants, recomputed from the ` +
    `${grouped(what.payments.length)} raw payments: ${differences.length} differences`,
  ...differences.slice(0, 5).map((difference) => `  ${difference}`),
  ...(differences.length > 0 ? ["  (payments that you sent yourself count as differences)"] : []),
];

/** Pure. Where it is, and the keys to it. */
export const servingLines = (url: string, keys: DevelopmentKeys): Lines => [
  `Use it at ${url} (${url}/docs describes every call), with one of these keys`,
  ...table([
    ["secret key", keys.secret],
    ["", "for servers: sends and reads everything of the example"],
    ["publishable key", keys.publishable],
    ["", `for pages on ${keys.origins.join(", ")}: reads, predicts and searches`],
  ]),
];

/** Pure. An instant to the minute, UTC. */
export const minute = (at: number): string =>
  `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;

const shown = ({ results }: OnlineAnswer, i: number): string =>
  shownValue(results[0]?.values[i] ?? null);

/** Pure. A feature's value for people; – where there is none. */
export function shownValue(value: Value): string {
  if (value === null) return "–";
  return typeof value === "number" && !Number.isInteger(value) ? value.toFixed(2) : String(value);
}
