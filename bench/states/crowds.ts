import type { Payment } from "../../local/demo/payments.ts";
import { createRandom } from "../../local/demo/random.ts";
import { consume } from "../../src/ingest/consume.ts";
import { DAY_MS } from "../../src/time.ts";
import { openTenant, type Engine } from "../support/engine.ts";
import { deliveriesOf, inBatches, messagesOf } from "../support/messages.ts";
import type { View } from "./views.ts";

export const TENANT = "bench";

/** Customers, and as many merchants, that have so many payments each. */
export interface Crowd {
  readonly name: string;
  readonly entities: number;
  readonly events: number;
}

export const CROWDS: readonly Crowd[] = [
  { name: "few", entities: 40, events: 3 },
  { name: "typical", entities: 40, events: 60 },
  { name: "many", entities: 4, events: 4_000 },
];

/** How long payments go back. */
const SPAN = 60 * DAY_MS;

/** The column that names a view's entity. */
export const keyColumn = (view: View): "customer_id" | "merchant_id" =>
  view === "merchant_activity" ? "merchant_id" : "customer_id";

/** The keys of a crowd's entities in a view. */
export const keysOf = ({ name, entities }: Crowd, view: View): readonly string[] =>
  Array.from({ length: entities }, (_, i) => `${keyColumn(view).charAt(0)}_${name}_${i}`);

/** Every payment of the sixty days before `now`, by time: each customer's go round all merchants. */
function drawPayments(now: number): readonly Payment[] {
  const random = createRandom("states");
  const drawn = CROWDS.flatMap(({ name, entities, events }) =>
    Array.from({ length: entities * events }, (_, i) => {
      const customer = i % entities;
      const merchant = (customer + Math.floor(i / entities)) % entities;
      return {
        payment_id: `pay_${name}_${i}`,
        customer_id: `c_${name}_${customer}`,
        merchant_id: `m_${name}_${merchant}`,
        amount: (random.int(50, 20_000) / 100).toFixed(2),
        country: random.pick(["DE", "AT", "FR", "NL"]),
        email: `customer${customer}@example.com`,
        paid_at: new Date(now - 1 - random.int(0, SPAN)).toISOString(),
      };
    }),
  );
  return drawn.toSorted((a, b) => (a.paid_at < b.paid_at ? -1 : 1));
}

/** Has the write path apply the payments of all crowds, so that states are as they are in earnest. */
export async function applyPayments(engine: Engine, now: number): Promise<readonly Payment[]> {
  await openTenant(engine, TENANT);
  const payments = drawPayments(now);
  for (const batch of inBatches(await messagesOf(engine, TENANT, payments, 50), 10)) {
    await consume(engine, deliveriesOf(batch));
  }
  return payments;
}
