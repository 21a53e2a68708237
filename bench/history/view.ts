import { customer } from "../../definitions/entities.ts";
import { payments } from "../../definitions/sources.ts";
import { count, max, mean, sum } from "../../src/features/aggregation.ts";
import { featureView } from "../../src/features/define.ts";
import { compileDefinitions } from "../../src/features/registry.ts";

/** Ten features over windows from an hour to a month. */
export const tenFeatures = (name: string) =>
  featureView(name, {
    entity: customer,
    source: payments,
    features: {
      n_1h: count().over("1h"),
      n_1d: count().over("1d"),
      n_7d: count().over("7d"),
      n_30d: count().over("30d"),
      sum_1h: sum("amount").over("1h"),
      sum_1d: sum("amount").over("1d"),
      sum_7d: sum("amount").over("7d"),
      sum_30d: sum("amount").over("30d"),
      max_7d: max("amount").over("7d"),
      mean_30d: mean("amount").over("30d"),
    },
  });

export const tenRegistry = compileDefinitions([customer, payments, tenFeatures("ten")]);
