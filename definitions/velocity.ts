import { z } from "zod";
import { onDemand } from "../src/features/define.ts";
import { customerSpend } from "./views.ts";

// On-demand features compare a request, which no event has reported yet, with what is known. They
// are plain functions of the two. Raise the version whenever a function changes. The cases say what
// they must give; they are checked whenever the definitions are applied.

export const velocity = onDemand("velocity", {
  description: "How unusual a payment would be for its customer",
  version: 2,
  request: z.object({ amount: z.number(), country: z.string().optional() }),
  from: [customerSpend],
  features: {
    /** Where the card is used. */
    country: ({ request }) => request.country ?? null,
    /** 3 means: three times what this customer usually pays. */
    amount_vs_mean: ({ request, features }) => {
      const usual = features.customer_spend.amount_mean_30d;
      return usual ? request.amount / usual : null;
    },
    /** Whether the card was last used in another country. */
    country_changed: ({ request, features }) => {
      const before = features.customer_spend.last_country;
      return request.country === undefined || before === null ? null : request.country !== before;
    },
  },
  cases: [
    {
      request: { amount: 75, country: "BR" },
      features: { customer_spend: { amount_mean_30d: 25, last_country: "DE" } },
      expect: { country: "BR", amount_vs_mean: 3, country_changed: true },
    },
    {
      request: { amount: 75, country: "DE" },
      features: { customer_spend: { amount_mean_30d: 25, last_country: "DE" } },
      expect: { country_changed: false },
    },
    // A request without a country, and a customer of whom nothing is known.
    {
      request: { amount: 75 },
      features: { customer_spend: { last_country: "DE" } },
      expect: { country: null, amount_vs_mean: null, country_changed: null },
    },
    {
      request: { amount: 75, country: "DE" },
      expect: { amount_vs_mean: null, country_changed: null },
    },
  ],
});
