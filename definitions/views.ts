import { count, first, last, max, mean, min, sum } from "../src/features/aggregation.ts";
import { featureView } from "../src/features/define.ts";
import { customer, merchant } from "./entities.ts";
import { orders, payments } from "./sources.ts";

// A feature view computes the features of one entity from one source. Each feature is an aggregate,
// perhaps of some events only (where), over a window that slides even while nothing happens (over),
// or over all time. Results are up to date within moments of an event.

export const customerSpend = featureView("customer_spend", {
  description: "What a customer spent lately",
  owner: "risk@example.com",
  entity: customer,
  source: payments,
  features: {
    // How often, in the last hour and in the last day.
    payments_1h: count().over("1h"),
    payments_1d: count().over("1d"),
    // How much. A sum of decimals is a decimal: "129.90".
    amount_sum_1h: sum("amount").over("1h"),
    amount_sum_7d: sum("amount").over("7d"),
    amount_max_1d: max("amount").over("1d"),
    // What is usual. A mean is a number; without any payment it would be null.
    amount_mean_30d: mean("amount").over("30d"),
    // Only payments made at home and next door.
    payments_nearby_30d: count()
      .where({ country: ["DE", "AT", "CH"] })
      .over("30d"),
    // Without a window, a feature looks back to the very first event.
    last_country: last("country"),
  },
});

export const customerLifetime = featureView("customer_lifetime", {
  description: "What is known of a customer since the first payment",
  owner: "risk@example.com",
  entity: customer,
  source: payments,
  features: {
    payments: count(),
    // default() is the answer where there is nothing to sum.
    amount_sum: sum("amount").default("0"),
    amount_min: min("amount"),
    amount_max: max("amount"),
    first_paid_at: first("paid_at"),
    last_merchant: last("merchant_id"),
  },
});

// The same events again, seen from the other side.
export const merchantActivity = featureView("merchant_activity", {
  description: "What goes on at a merchant",
  owner: "risk@example.com",
  entity: merchant,
  source: payments,
  features: {
    payments_10m: count().over("10m"),
    payments_1d: count().over("1d"),
    amount_sum_1d: sum("amount").over("1d"),
    amount_mean_7d: mean("amount").over("7d"),
    amount_max_7d: max("amount").over("7d"),
    last_paid_at: last("paid_at"),
  },
});

// Of a table's rows: an order that is shipped, returned or deleted is no longer counted as open.
export const customerOrders = featureView("customer_orders", {
  description: "What a customer has ordered, and what is still on its way",
  owner: "risk@example.com",
  entity: customer,
  source: orders,
  // The state of rows at T takes what was made at T, too.
  boundary: "inclusive",
  features: {
    open_orders: count().where({ status: "open" }),
    open_amount: sum("amount").where({ status: "open" }).default("0"),
    returned_30d: count().where({ status: "returned" }).over("30d"),
    amount_max_30d: max("amount").over("30d"),
    last_status: last("status"),
  },
});
