import { ELSEWHERE } from "./fraud.ts";
import type { Load, Payment } from "./payments.ts";

/** Who the report looks at. */
export interface Story {
  readonly customerId: string;
  /** Where that customer never was. */
  readonly merchantId: string;
  /** The customer's latest payment. */
  readonly latest: Payment;
  /** The country from which most of the customer's payments come. */
  readonly home: string;
}

/** Pure. The customer without any fraud who paid most often, and a merchant new to them. */
export function pickStory({ payments, frauds, merchants }: Load): Story {
  const defrauded = new Set(
    payments.filter((one) => frauds.has(one.payment_id)).map((one) => one.customer_id),
  );
  const byCustomer = Map.groupBy(
    payments.filter((one) => !defrauded.has(one.customer_id)),
    (one) => one.customer_id,
  );
  const [own = []] = [...byCustomer.values()].toSorted((a, b) => b.length - a.length);
  const latest = own.at(-1);
  if (latest === undefined) throw new RangeError("no customer of the load is without fraud");
  const known = new Set(own.map((one) => one.merchant_id));
  const merchantId = merchants.find((id) => !known.has(id)) ?? latest.merchant_id;
  const byCountry = Map.groupBy(own, (one) => one.country);
  const [[home] = [latest.country]] = [...byCountry].toSorted(
    ([, a], [, b]) => b.length - a.length,
  );
  return { customerId: latest.customer_id, merchantId, latest, home };
}

/** Pure. What a thief would pay with that customer's card at `now`, as the `n`th of its kind. */
export const theftOf = ({ latest, merchantId }: Story, n: number, now: number): Payment => ({
  ...latest,
  payment_id: `${latest.payment_id}_theft_${n}`,
  merchant_id: merchantId,
  amount: "899.90",
  country: ELSEWHERE[0] ?? latest.country,
  paid_at: new Date(now).toISOString(),
});
