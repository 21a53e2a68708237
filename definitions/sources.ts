import { z } from "zod";
import {
  apiKey,
  eventSource,
  standardWebhooks,
  tableSource,
} from "../src/features/define-source.ts";
import { decimal, pii } from "../src/features/fields.ts";

// A source says what an event looks like. Every event is checked against the schema when it
// arrives; one that does not fit is set aside with its reason and harms no other.

export const payments = eventSource("payments", {
  description: "Every payment that a customer made to a merchant",
  owner: "payments@example.com",
  schema: z.object({
    payment_id: z.string(),
    customer_id: z.string(),
    merchant_id: z.string(),
    // Money is a decimal, never a float: sums are exact, and come back as text.
    amount: decimal(),
    // Where the card was used, as in ISO 3166: "DE".
    country: z.string(),
    // Replaced by a token before anything is stored: equal addresses stay equal, none is readable.
    email: pii(z.email(), "token"),
    paid_at: z.iso.datetime({ offset: true }),
  }),
  // The same payment sent twice counts once; what was paid earlier counts as earlier, however late
  // it arrives.
  id: "payment_id",
  eventTime: "paid_at",
  // The payment provider signs its webhooks with this secret; our own services use an API key.
  accept: [standardWebhooks("PAYMENTS_WEBHOOK_SECRET"), apiKey()],
});

// The rows of a table change: its database tells of every insert, update and delete (change data
// capture), and features follow exactly. What a row was is known here; nobody needs to send it.

export const orders = tableSource("orders", {
  description: "The shop's orders, as their table has them now",
  owner: "payments@example.com",
  schema: z.object({
    order_id: z.string(),
    customer_id: z.string(),
    status: z.enum(["open", "shipped", "returned"]),
    amount: decimal(),
    created_at: z.iso.datetime({ offset: true }),
    updated_at: z.iso.datetime({ offset: true }),
  }),
  key: "order_id",
  // An order happened when it was made, however often it is changed.
  eventTime: "created_at",
  // Of two changes of an order, the one with the later updated_at counts, whichever comes first.
  order: "updated_at",
  accept: [apiKey()],
});
