import type { FeatureView } from "../../src/features/define.ts";
import { customerLifetime, customerSpend, merchantActivity } from "../../definitions/views.ts";
import { recompute } from "./oracle.ts";
import type { Payment } from "./payments.ts";
import type { EntityKey, ShopApi } from "./shop-api.ts";

export interface Checked {
  readonly values: number;
  /** Each value that is served differently, in a sentence. */
  readonly differences: readonly string[];
}

export interface ToCheck {
  readonly payments: readonly Payment[];
  readonly customers: readonly string[];
  readonly merchants: readonly string[];
}

export const CUSTOMER_VIEWS: readonly FeatureView[] = [customerSpend, customerLifetime];
export const MERCHANT_VIEWS: readonly FeatureView[] = [merchantActivity];

/** Pure. How many features these views have. */
export const countFeatures = (views: readonly FeatureView[]): number =>
  views.reduce((sum, view) => sum + Object.keys(view.features).length, 0);

/** Compares what is served with a recomputation from the raw payments, value by value. */
export async function checkShop(api: ShopApi, what: ToCheck): Promise<Checked> {
  const events = what.payments.map((payment) => ({ ...payment }));
  const checkAll = async (
    views: readonly FeatureView[],
    entities: readonly EntityKey[],
  ): Promise<Checked> => {
    const { answer } = await api.read({ features: views.map(({ name }) => name), entities });
    const differences = entities.flatMap((entity, i) => {
      const expected = views.flatMap((view) =>
        Object.values(recompute(view, events, entity, answer.as_of)),
      );
      return answer.names.flatMap((name, j) => {
        const served = answer.results[i]?.values[j];
        return served === expected[j]
          ? []
          : [
              `${Object.values(entity).join()} ${name}: served ${served}, recomputed ${expected[j]}`,
            ];
      });
    });
    return { values: entities.length * answer.names.length, differences };
  };
  const ofCustomers = await checkAll(
    CUSTOMER_VIEWS,
    what.customers.map((id) => ({ customer_id: id })),
  );
  const ofMerchants = await checkAll(
    MERCHANT_VIEWS,
    what.merchants.map((id) => ({ merchant_id: id })),
  );
  return {
    values: ofCustomers.values + ofMerchants.values,
    differences: [...ofCustomers.differences, ...ofMerchants.differences],
  };
}
