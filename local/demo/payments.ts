import { DAY_MS, HOUR_MS, SECOND_MS } from "../../src/time.ts";
import { drawFrauds } from "./fraud.ts";
import { drawHabit, type Draft, type Fraud } from "./habits.ts";
import { createRandom, hash32, type Random } from "./random.ts";
import { openShop } from "./shop.ts";

/** A payment as it is sent; the fields are those of definitions/sources.ts. */
export interface Payment {
  readonly payment_id: string;
  readonly customer_id: string;
  readonly merchant_id: string;
  /** In euros, with two decimals. */
  readonly amount: string;
  readonly country: string;
  readonly email: string;
  readonly paid_at: string;
}

export interface Load {
  /** Each payment once, in the order of its time. */
  readonly payments: readonly Payment[];
  /** The payments as they arrive: some late, some twice. */
  readonly deliveries: readonly Payment[];
  /** What is fraud, by payment id; never sent. */
  readonly frauds: ReadonlyMap<string, Fraud>;
  readonly customers: readonly string[];
  readonly merchants: readonly string[];
}

export interface LoadOptions {
  readonly seed: string;
  /** The end of the 60 days, epoch ms. */
  readonly now: number;
  readonly payments?: number;
}

const MIN_PAYMENTS = 300;
const LATE = 0.01;
const REPEATED = 0.006;

/**
 * Pure. The payments of a small shop over the 60 days before `now`, among them a few fraud patterns.
 * The same options give the same payments, ids included, so that sending them again changes nothing.
 * Throws a RangeError for fewer payments than the patterns need.
 */
export function generatePayments({ seed, now, payments: total = 6_000 }: LoadOptions): Load {
  if (total < MIN_PAYMENTS) throw new RangeError(`expected at least ${MIN_PAYMENTS} payments`);
  const random = createRandom(seed);
  const customers = Math.max(30, Math.round(total / 20));
  const shop = openShop(random, customers, Math.max(12, Math.round(total / 150)));
  const drafts = drawFrauds(random, shop, now, total);
  while (drafts.length < total) drafts.push(drawHabit(random, shop, now));
  const sorted = drafts.toSorted((a, b) => a.at - b.at);
  const prefix = hash32(`${seed} ${now}`).toString(36);
  const payments = sorted.map((draft, i) => toPayment(draft, `pay_${prefix}_${i + 1}`));
  return {
    payments,
    deliveries: deliver(random, payments, now),
    frauds: new Map(
      payments.flatMap(({ payment_id }, i) => {
        const fraud = sorted[i]?.fraud ?? null;
        return fraud === null ? [] : [[payment_id, fraud] as const];
      }),
    ),
    customers: shop.customers.map(({ id }) => id),
    merchants: shop.merchants.map(({ id }) => id),
  };
}

const toPayment = (draft: Draft, id: string): Payment => ({
  payment_id: id,
  customer_id: draft.customer.id,
  merchant_id: draft.merchant.id,
  amount: (draft.cents / 100).toFixed(2),
  country: draft.country,
  email: draft.customer.email,
  paid_at: new Date(draft.at).toISOString(),
});

/** The order of arrival, as networks make it: most at once, some days late, some a second time. */
function deliver(random: Random, payments: readonly Payment[], now: number): readonly Payment[] {
  const arrivals = payments.flatMap((payment) => {
    const paidAt = Date.parse(payment.paid_at);
    const isLate = random.next() < LATE;
    const delay = isLate ? random.between(HOUR_MS, 3 * DAY_MS) : random.between(0, 5 * SECOND_MS);
    const at = Math.min(paidAt + delay, now);
    const again = at + random.between(SECOND_MS, 12 * HOUR_MS);
    return random.next() < REPEATED
      ? [
          { payment, at },
          { payment, at: again },
        ]
      : [{ payment, at }];
  });
  return arrivals.toSorted((a, b) => a.at - b.at).map(({ payment }) => payment);
}
