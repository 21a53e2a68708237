import { entity } from "../src/features/define.ts";

// An entity is a thing that has features. Its key is the column by which events name it.

export const customer = entity("customer", {
  key: "customer_id",
  description: "Somebody who buys at one of the merchants",
});

export const merchant = entity("merchant", {
  key: "merchant_id",
  description: "A shop that takes payments",
});
