import { DEMO_TENANT } from "../../local/demo/keys.ts";
import { generatePayments } from "../../local/demo/payments.ts";
import type { StateKey } from "../../src/features/online-store.ts";
import { consume } from "../../src/ingest/consume.ts";
import { openTenant, registry, type Engine } from "../support/engine.ts";
import { deliveriesOf, inBatches, messagesOf } from "../support/messages.ts";

export const VIEWS = ["customer_spend", "customer_lifetime", "merchant_activity"] as const;

/** The rows of read requests: a customer and a merchant each. */
export interface Shop {
  readonly tenant: string;
  /** `count` rows, others for each `turn`. */
  rows(
    count: number,
    turn: number,
  ): readonly Readonly<Record<"customer_id" | "merchant_id", string>>[];
  /** Every state that a read can ask for. */
  readonly stateKeys: readonly StateKey[];
}

/** Payments of 60 days, of which customers have some twenty each and merchants 150. */
const PAYMENTS = 15_000;

/** Has the write path apply the example's payments, so that states are as they are in earnest. */
export async function openShop(engine: Engine): Promise<Shop> {
  const tenant = DEMO_TENANT;
  await openTenant(engine, tenant);
  const load = generatePayments({ seed: "bench", now: Date.now(), payments: PAYMENTS });
  for (const batch of inBatches(await messagesOf(engine, tenant, load.payments, 50), 10)) {
    await consume(engine, deliveriesOf(batch));
  }
  const customers = [...new Set(load.payments.map((payment) => payment.customer_id))];
  const merchants = [...new Set(load.payments.map((payment) => payment.merchant_id))];
  const at = (list: readonly string[], i: number): string => list[i % list.length] ?? "";
  return {
    tenant,
    rows: (count, turn) =>
      Array.from({ length: count }, (_, i) => ({
        customer_id: at(customers, turn + i),
        merchant_id: at(merchants, turn + i),
      })),
    stateKeys: VIEWS.flatMap((view) => {
      const plan = registry.views.get(view);
      const keys = plan?.entity === "merchant" ? merchants : customers;
      return keys.map((key) => ({ tenant, stateId: plan?.stateId ?? "", key }));
    }),
  };
}
