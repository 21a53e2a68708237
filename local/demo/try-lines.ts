import { fraud } from "../../definitions/models.ts";
import type { DevelopmentKeys } from "./keys.ts";
import type { Story } from "./story.ts";

/** Pure. Commands to paste, with comments: read, predict, send a payment, search, put a document. */
export function tryLines(
  url: string,
  keys: DevelopmentKeys,
  { customerId, latest, merchantId }: Story,
  now: number,
): readonly string[] {
  const key = `-H 'Authorization: Bearer ${keys.secret}'`;
  const send = (path: string, body: unknown, method = ""): string =>
    `curl -s ${method}${key} -H 'Content-Type: application/json' '${url}${path}' -d ` +
    quoted(JSON.stringify(body));
  const search = (query: string): string =>
    send("/v1/collections/helpdesk/search", { query, k: 3, highlight: true });
  const other = customerId === "c1" ? "c2" : "c1";
  const asked = {
    entities: [{ customer_id: customerId }, { customer_id: other }],
    request: [
      { amount: 12.5, country: "DE" },
      { amount: 950, country: "BR" },
    ],
  };
  const instant = new Date(now).toISOString();
  return [
    `# What is known of customer ${customerId}:`,
    `curl -s ${key} '${url}/v1/features/customer_spend/${customerId}'`,
    "",
    "# What the fraud model asks about two payments before they are approved, and what it says:",
    send("/v1/features/online", { service: "fraud_features", ...asked }),
    send(`/v1/models/${fraud.name}/predictions`, { ...asked, explain: true }),
    "",
    `# A payment of ${customerId}, answered when it is visible; then read the customer again:`,
    send("/v1/sources/payments/events?wait=applied", {
      ...latest,
      payment_id: `try_${Math.floor(now / 1_000).toString(36)}`,
      merchant_id: merchantId,
      amount: "49.90",
      paid_at: instant,
    }),
    "",
    "# Searches of the help centre, in English and in Japanese:",
    search("my parcel is late"),
    search("ポイントはいつまで使えますか"),
    "",
    "# A document of your own, found as soon as the first command answers:",
    send(
      "/v1/collections/helpdesk/documents/plants",
      {
        title: "Plants in the post",
        body: "Water the plants the day before, and wrap the roots in wet paper.",
        topic: "orders",
        language: "en",
        updated_at: instant,
      },
      "-X PUT ",
    ),
    search("posting a plant"),
  ];
}

/** As one argument of a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
