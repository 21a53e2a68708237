import type { Definition } from "../src/deployment.ts";
import { ad, adClicked, adClicks, adRates, adShown, adViews, clickedViews } from "./ads.ts";
import { helpdesk } from "./collections.ts";
import { customer, merchant } from "./entities.ts";
import { fraud } from "./models.ts";
import { fraudFeatures, paymentReview } from "./services.ts";
import { orders, payments } from "./sources.ts";
import { velocity } from "./velocity.ts";
import { customerLifetime, customerOrders, customerSpend, merchantActivity } from "./views.ts";

/** Everything that this deployment serves. What is not in this list does not exist. */
export const definitions: readonly Definition[] = [
  customer,
  merchant,
  ad,
  payments,
  orders,
  adViews,
  adClicks,
  clickedViews,
  customerSpend,
  customerLifetime,
  merchantActivity,
  customerOrders,
  adShown,
  adClicked,
  velocity,
  adRates,
  fraudFeatures,
  paymentReview,
  fraud,
  helpdesk,
];
