import { customer, merchant } from "../../definitions/entities.ts";
import { payments } from "../../definitions/sources.ts";
import { customerLifetime, customerSpend, merchantActivity } from "../../definitions/views.ts";
import { approxCountDistinct, count, last, max, sum } from "../../src/features/aggregation.ts";
import { featureView } from "../../src/features/define.ts";
import { compileDefinitions } from "../../src/features/registry.ts";

const merchants = () => approxCountDistinct("merchant_id", { precision: 7 });

/** Five aggregates over five windows each, which share the tiles of four sizes. */
const wide = featureView("wide", {
  entity: customer,
  source: payments,
  features: {
    n_1h: count().over("1h"),
    n_1d: count().over("1d"),
    n_7d: count().over("7d"),
    n_30d: count().over("30d"),
    n: count(),
    sum_1h: sum("amount").over("1h"),
    sum_1d: sum("amount").over("1d"),
    sum_7d: sum("amount").over("7d"),
    sum_30d: sum("amount").over("30d"),
    sum: sum("amount"),
    max_1h: max("amount").over("1h"),
    max_1d: max("amount").over("1d"),
    max_7d: max("amount").over("7d"),
    max_30d: max("amount").over("30d"),
    max: max("amount"),
    last_1h: last("country").over("1h"),
    last_1d: last("country").over("1d"),
    last_7d: last("country").over("7d"),
    last_30d: last("country").over("30d"),
    last: last("country"),
    merchants_1h: merchants().over("1h"),
    merchants_1d: merchants().over("1d"),
    merchants_7d: merchants().over("7d"),
    merchants_30d: merchants().over("30d"),
    merchants: merchants(),
  },
});

export const VIEWS = ["customer_spend", "customer_lifetime", "merchant_activity", "wide"] as const;

export type View = (typeof VIEWS)[number];

export const registry = compileDefinitions([
  customer,
  merchant,
  payments,
  customerSpend,
  customerLifetime,
  merchantActivity,
  wide,
]);
