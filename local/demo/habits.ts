import { DAY_MS, floorTo, HOUR_MS } from "../../src/time.ts";
import { DAYS, type Customer, type Merchant, type Shop } from "./shop.ts";
import type { Random } from "./random.ts";

/** A payment before it has an id. */
export interface Draft {
  readonly customer: Customer;
  readonly merchant: Merchant;
  readonly cents: number;
  readonly country: string;
  /** Epoch ms. */
  readonly at: number;
  readonly fraud: Fraud | null;
}

export type Fraud = "card_testing" | "account_takeover" | "bust_out";

/** Pure. A payment as its customer usually makes it, within the days before `now`. */
export function drawHabit(random: Random, shop: Shop, now: number): Draft {
  const customer = random.weighted(shop.customers, ({ activity }) => activity);
  const merchant =
    random.next() < 0.8
      ? random.pick(customer.favourites)
      : random.weighted(shop.merchants, ({ size }) => size);
  const at = drawTime(random, customer, now);
  return {
    customer,
    merchant,
    // Log-normal: many small amounts, few large ones.
    cents: usualCents(customer, merchant, Math.exp(random.normal() * 0.4)),
    country: whereabouts(random, customer, (now - at) / DAY_MS),
    at,
    fraud: null,
  };
}

/** Pure. What a customer leaves at a merchant, times a factor; at least 50 cents. */
export const usualCents = (customer: Customer, merchant: Merchant, factor: number): number =>
  Math.max(50, Math.round(100 * merchant.basket * customer.means * factor));

function whereabouts(random: Random, { home, journey }: Customer, daysAgo: number): string {
  if (journey !== null && daysAgo <= journey.from && daysAgo >= journey.to) return journey.country;
  return random.next() < 0.01 ? "LU" : home;
}

/** Draws until a time lies within the days and on a day on which the customer would go. */
function drawTime(random: Random, customer: Customer, now: number): number {
  for (;;) {
    const day = floorTo(now, DAY_MS) - random.int(0, DAYS) * DAY_MS;
    const hour = customer.hour + 2.5 * random.normal();
    const at = Math.floor(day + hour * HOUR_MS);
    const wanted = random.next() < (customer.week[new Date(day).getUTCDay()] ?? 0);
    if (wanted && at >= now - DAYS * DAY_MS && at < now) return at;
  }
}
