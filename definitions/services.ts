import { service } from "../src/features/define.ts";
import { velocity } from "./velocity.ts";
import { customerSpend, merchantActivity } from "./views.ts";

// A service names the views that are read together: in one request, in one round trip.

export const fraudFeatures = service("fraud_features", [customerSpend, velocity], {
  description: "What the fraud model asks before a payment is approved",
});

export const paymentReview = service(
  "payment_review",
  [customerSpend, merchantActivity, velocity],
  { description: "What a person sees who looks into a payment: both its sides" },
);
