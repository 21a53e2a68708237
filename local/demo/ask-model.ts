import { fraud } from "../../definitions/models.ts";
import type { OnlineAnswer, PredictionAnswer, ShopApi } from "./shop-api.ts";
import type { Story } from "./story.ts";

/** A payment that has not been made yet, as a model is asked about it. */
export interface Proposed {
  readonly amount: number;
  readonly country: string;
}

export interface Judged {
  readonly asked: readonly Proposed[];
  /** A prediction for each that was asked about. */
  readonly answer: PredictionAnswer;
}

/**
 * Pure. What the story's customer would usually pay; `known` are the customer's features, of which
 * the mean is null for somebody who has long paid nothing.
 */
export function usualPayment({ latest, home }: Story, known: OnlineAnswer): Proposed {
  const mean = known.results[0]?.values[known.names.indexOf("customer_spend:amount_mean_30d")];
  const amount = typeof mean === "number" ? mean : Number(latest.amount);
  return { amount: Math.round(100 * amount) / 100, country: home };
}

/** Asks the fraud model about payments of the story's customer, in one call. */
export async function askModel(
  api: ShopApi,
  { customerId }: Story,
  asked: readonly Proposed[],
): Promise<Judged> {
  const { answer } = await api.predict(fraud.name, {
    entities: asked.map(() => ({ customer_id: customerId })),
    request: asked.map((one) => ({ ...one })),
    explain: true,
  });
  return { asked, answer };
}
