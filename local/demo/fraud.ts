import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../../src/time.ts";
import { usualCents, type Draft, type Fraud } from "./habits.ts";
import type { Random } from "./random.ts";
import { DAYS, type Shop } from "./shop.ts";

/** Where the stolen cards of the example turn up; nobody of the shop lives or travels there. */
export const ELSEWHERE = ["BR", "MX", "TH", "ZA"];

type Pattern = (random: Random, shop: Shop, end: number) => readonly Draft[];

/** Someone tries whether a stolen card works: many tiny payments in minutes, then a large one. */
const cardTesting: Pattern = (random, shop, end) => {
  const customer = random.pick(shop.customers);
  const merchant = random.pick(shop.merchants);
  const country = random.pick(ELSEWHERE);
  const fraud: Fraud = "card_testing";
  const drafts: Draft[] = [
    { customer, merchant, country, fraud, cents: random.int(30_000, 70_000), at: end },
  ];
  let at = end - random.int(2, 5) * MINUTE_MS;
  for (let left = random.int(24, 34); left > 0; left -= 1) {
    drafts.push({ customer, merchant, country, fraud, cents: random.int(50, 199), at });
    at -= random.int(4 * SECOND_MS, 16 * SECOND_MS);
  }
  return drafts;
};

/** Someone else uses the account: another country, large amounts, merchants never seen before. */
const accountTakeover: Pattern = (random, shop, end) => {
  const customer = random.pick(shop.customers);
  const country = random.pick(ELSEWHERE);
  const unknown = shop.merchants.filter((merchant) => !customer.favourites.includes(merchant));
  return Array.from({ length: random.int(4, 8) }, () => {
    const merchant = random.pick(unknown);
    const cents = usualCents(customer, merchant, random.between(8, 16)) + 15_000;
    const at = end - Math.floor(random.between(0, 1.5 * HOUR_MS));
    return { customer, merchant, country, cents, at, fraud: "account_takeover" };
  });
};

/** A customer who means never to pay back: amounts rise from day to day, until the end. */
const bustOut: Pattern = (random, shop, end) => {
  const customer = random.pick(shop.customers);
  return Array.from({ length: random.int(18, 26) }, () => {
    const merchant = random.pick(shop.merchants);
    const before = random.between(0, 4 * DAY_MS);
    const cents = usualCents(customer, merchant, 14 - (2.5 * before) / DAY_MS);
    const at = Math.floor(end - before);
    return { customer, merchant, country: customer.home, cents, at, fraud: "bust_out" };
  });
};

/** Pure. Each pattern once for every 2,000 payments, spread over the days before `now`. */
export function drawFrauds(random: Random, shop: Shop, now: number, payments: number): Draft[] {
  const rounds = Math.max(1, Math.round(payments / 2000));
  const end = (): number => now - Math.floor(random.between(2 * HOUR_MS, (DAYS - 6) * DAY_MS));
  return Array.from({ length: rounds }, () =>
    [cardTesting, accountTakeover, bustOut].flatMap((draw) => draw(random, shop, end())),
  ).flat();
}
