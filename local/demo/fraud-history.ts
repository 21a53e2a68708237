import { customer } from "../../definitions/entities.ts";
import { fraudFeatures } from "../../definitions/services.ts";
import { payments as source } from "../../definitions/sources.ts";
import { velocity } from "../../definitions/velocity.ts";
import { customerSpend } from "../../definitions/views.ts";
import type { FeatureValue } from "../../src/features/aggregates/aggregate.ts";
import type { LogEvent } from "../../src/features/event-log.ts";
import { exactOf, exactToText } from "../../src/features/exact.ts";
import { addEvent, dropUnreachable } from "../../src/features/fold-view.ts";
import type { OnlineRead, StateKey } from "../../src/features/online-store.ts";
import type { ViewPlan } from "../../src/features/plan.ts";
import { readOnline } from "../../src/features/read-online.ts";
import { compileDefinitions } from "../../src/features/registry.ts";
import { emptyState, encodeState, type ViewState } from "../../src/features/state.ts";
import type { Load, Payment } from "./payments.ts";

/** What was known of a payment just before it was made, and what it turned out to be. */
export interface FraudExample {
  readonly payment: Payment;
  readonly isFraud: boolean;
  /** In the order of the history's names. */
  readonly values: readonly FeatureValue[];
}

export interface FraudHistory {
  /** `view:feature` of the service fraud_features. */
  readonly names: readonly string[];
  /** In the order of their time. */
  readonly examples: readonly FraudExample[];
}

export const registry = compileDefinitions([
  customer,
  source,
  customerSpend,
  velocity,
  fraudFeatures,
]);

/**
 * The features that the service fraud_features would have answered just before each payment, had
 * every earlier one arrived at once: folded and read by the code that serves them. A payment is not
 * among its own features.
 */
export async function replayFrauds({ payments, frauds }: Load): Promise<FraudHistory> {
  const shop = openReplay();
  const examples: FraudExample[] = [];
  let names: readonly string[] = [];
  let folded = 0;
  for (const payment of payments) {
    const asOf = timeOf(payment);
    for (let next = payments[folded]; next && timeOf(next) < asOf; next = payments[folded]) {
      shop.add(next);
      folded += 1;
    }
    const answer = await shop.read(payment, asOf);
    names = answer.names;
    const isFraud = frauds.has(payment.payment_id);
    examples.push({ payment, isFraud, values: answer.results[0]?.values ?? [] });
  }
  return { names, examples };
}

const timeOf = ({ paid_at }: Payment): number => Date.parse(paid_at);

/** The example's customers, in memory. */
function openReplay() {
  const plan = registry.views.get(customerSpend.name) as ViewPlan;
  const states = new Map<string, ViewState>();
  const meta = {
    generation: "replay",
    revision: 1,
    views: { [plan.name]: { [plan.specHash]: 1 } },
    revokedKeys: [],
  };
  const read = async (_tenant: string, keys: readonly StateKey[]): Promise<OnlineRead> => ({
    meta,
    states: keys.map(({ key }) => {
      const state = states.get(key);
      return state ? { kind: "state", version: 1, bytes: encodeState(plan, state) } : null;
    }),
  });
  const token = async () => Promise.reject(new RangeError("no customer's key is personal"));
  return {
    add(payment: Payment): void {
      const key = payment.customer_id;
      const state = states.get(key) ?? emptyState(plan);
      const record = { ...payment, amount: exactToText(exactOf(payment.amount)) };
      addEvent(plan, state, key, { event: eventOf(payment), record });
      dropUnreachable(plan, state);
      states.set(key, state);
    },
    read: (payment: Payment, asOf: number) =>
      readOnline(
        {
          registry,
          online: { read },
          vault: { token },
          now: () => asOf,
          whenIncomplete: "unavailable",
        },
        {
          tenant: "replay",
          service: fraudFeatures.name,
          entities: [{ customer_id: payment.customer_id }],
          request: [{ amount: Number(payment.amount), country: payment.country }],
        },
      ),
  };
}

const eventOf = (payment: Payment): LogEvent => ({
  tenant: "replay",
  source: source.name,
  eventId: payment.payment_id,
  eventTime: timeOf(payment),
  originalEventTime: null,
  ingestTime: timeOf(payment),
  orderKey: payment.payment_id,
  sign: 1,
  body: "",
  bodyHash: "",
  knownAt: null,
});
