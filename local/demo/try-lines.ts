import type { DevelopmentKeys } from "./keys.ts";
import type { Story } from "./story.ts";

/** Pure. Three commands to paste, with comments: read one customer, read two with a request, send a payment. */
export function tryLines(
  url: string,
  keys: DevelopmentKeys,
  { customerId, latest, merchantId }: Story,
  now: number,
): readonly string[] {
  const key = `-H 'Authorization: Bearer ${keys.secret}'`;
  const post = (path: string, body: unknown): string =>
    `curl -s ${key} -H 'Content-Type: application/json' '${url}${path}' -d '${JSON.stringify(body)}'`;
  const other = customerId === "c1" ? "c2" : "c1";
  return [
    `# What is known of customer ${customerId}:`,
    `curl -s ${key} '${url}/v1/features/customer_spend/${customerId}'`,
    "",
    "# What a fraud model would ask about two payments before they are approved:",
    post("/v1/features/online", {
      service: "fraud_features",
      entities: [{ customer_id: customerId }, { customer_id: other }],
      request: [
        { amount: 12.5, country: "DE" },
        { amount: 950, country: "BR" },
      ],
    }),
    "",
    `# A payment of ${customerId}, answered when it is visible; then read the customer again:`,
    post("/v1/sources/payments/events?wait=applied", {
      ...latest,
      payment_id: `try_${Math.floor(now / 1_000).toString(36)}`,
      merchant_id: merchantId,
      amount: "49.90",
      paid_at: new Date(now).toISOString(),
    }),
  ];
}
