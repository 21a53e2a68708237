import type { Definition } from "../src/deployment.ts";
import { helpdesk } from "./collections.ts";
import { customer, merchant } from "./entities.ts";
import { fraud } from "./models.ts";
import { fraudFeatures, paymentReview } from "./services.ts";
import { payments } from "./sources.ts";
import { velocity } from "./velocity.ts";
import { customerLifetime, customerSpend, merchantActivity } from "./views.ts";

/** Everything that this deployment serves. What is not in this list does not exist. */
export const definitions: readonly Definition[] = [
  customer,
  merchant,
  payments,
  customerSpend,
  customerLifetime,
  merchantActivity,
  velocity,
  fraudFeatures,
  paymentReview,
  fraud,
  helpdesk,
];
