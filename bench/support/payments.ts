import { createRandom, type Random } from "../../local/demo/random.ts";
import type { Payment } from "../../local/demo/payments.ts";

/** How often each of the customers and merchants takes part. */
export type Popularity = "even" | "zipf" | "one_merchant" | "one_pair";

/** Draws payments without end; the same seed gives the same ones but for their times. */
export interface Payments {
  next(at: number): Payment;
}

export const KEYS = 10_000;

/** Pure. A draw of 0 … n − 1 in which rank r has a chance in proportion to 1 / (r + 1). */
function zipf(n: number): (random: Random) => number {
  const sums: number[] = [];
  for (let rank = 0; rank < n; rank += 1) sums.push((sums[rank - 1] ?? 0) + 1 / (rank + 1));
  const total = sums.at(-1) ?? 1;
  return (random) => {
    const wanted = random.between(0, total);
    let low = 0;
    for (let high = n - 1; low < high;) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** Payments of 10,000 customers at 10,000 merchants, of all of them at one, or of one at one. */
export function drawPayments(seed: string, popularity: Popularity): Payments {
  const random = createRandom(seed);
  const popular = zipf(KEYS);
  const pick = (): number => {
    if (popularity === "one_pair") return 0;
    return popularity === "zipf" ? popular(random) : random.int(0, KEYS - 1);
  };
  let drawn = 0;
  return {
    next(at) {
      drawn += 1;
      const customer = pick();
      return {
        payment_id: `pay_${seed}_${drawn}`,
        customer_id: `c${customer}`,
        merchant_id: popularity === "one_merchant" ? "m0" : `m${pick()}`,
        amount: (random.int(50, 20_000) / 100).toFixed(2),
        country: random.pick(["DE", "AT", "FR", "NL"]),
        email: `customer${customer}@example.com`,
        paid_at: new Date(at).toISOString(),
      };
    },
  };
}
