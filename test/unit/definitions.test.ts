import { describe, expect, it } from "vitest";
import { definitions } from "../../definitions/index.ts";
import { payments } from "../../definitions/sources.ts";
import { velocity } from "../../definitions/velocity.ts";
import { compileDeployment } from "../../src/deployment.ts";
import { expectGoldenCases } from "../support/golden-cases.ts";

const { registry, collections, models } = compileDeployment(definitions);

describe("the example's definitions", () => {
  it("compile, and every definition is in the list", () => {
    expect([...registry.entities.keys()]).toEqual(["customer", "merchant", "ad"]);
    expect([...registry.sources.keys()]).toEqual([
      "payments",
      "orders",
      "ad_views",
      "ad_clicks",
      "clicked_views",
    ]);
    expect([...registry.views.keys()]).toEqual([
      "customer_spend",
      "customer_lifetime",
      "merchant_activity",
      "customer_orders",
      "ad_shown",
      "ad_clicked",
    ]);
    expect([...registry.onDemand.keys()]).toEqual(["velocity", "ad_rates"]);
    expect([...registry.services.keys()]).toEqual(["fraud_features", "payment_review"]);
    expect([...models.keys()]).toEqual(["fraud"]);
    expect([...collections.keys()]).toEqual(["helpdesk"]);
  });

  it("keep the versions under which their states are stored", () => {
    expect([...registry.views.values()].map(({ stateId }) => stateId)).toEqual([
      "customer_spend@8ce02f37527f70f8",
      "customer_lifetime@ecfe48980f8db5df",
      "merchant_activity@7bc15800d778681d",
      "customer_orders@c9426f3413e8644d",
      "ad_shown@98b11055702f161b",
      "ad_clicked@6c390623b40e132d",
    ]);
  });

  it("tell people what everything is for", () => {
    for (const { name, description } of definitions) {
      expect(description, `description of ${name}`).not.toBe("");
    }
  });

  it("keep e-mail addresses as tokens", () => {
    const fields = registry.sources.get("payments")?.fields ?? [];
    expect(fields.filter(({ pii }) => pii !== null)).toEqual([
      expect.objectContaining({ name: "email", pii: "token", email: true }),
    ]);
  });

  it("take payments from signed webhooks and from API keys", () => {
    expect(payments.accept).toEqual([
      { kind: "standard_webhooks", secret: "PAYMENTS_WEBHOOK_SECRET" },
      { kind: "api_key" },
    ]);
  });
});

describe("the example's on-demand views", () => {
  it("give what their golden cases say", () => {
    expectGoldenCases(registry);
  });
});

describe("velocity", () => {
  const spend = {
    payments_1h: 0,
    payments_1d: 0,
    amount_sum_1h: null,
    amount_sum_7d: "100",
    amount_max_1d: null,
    amount_mean_30d: 25,
    payments_nearby_30d: 4,
    last_country: "DE",
  };
  const known = { customer_spend: spend };
  const unknown = { customer_spend: { ...spend, amount_mean_30d: null, last_country: null } };

  it("compares a payment with what is usual", () => {
    const { amount_vs_mean: ratio } = velocity.features;
    expect(ratio({ request: { amount: 75 }, features: known })).toBe(3);
    expect(ratio({ request: { amount: 75 }, features: unknown })).toBeNull();
  });

  it("notices another country, and says nothing where it knows of none", () => {
    const { country_changed: changed } = velocity.features;
    expect(changed({ request: { amount: 1, country: "BR" }, features: known })).toBe(true);
    expect(changed({ request: { amount: 1, country: "DE" }, features: known })).toBe(false);
    expect(changed({ request: { amount: 1 }, features: known })).toBeNull();
    expect(changed({ request: { amount: 1, country: "DE" }, features: unknown })).toBeNull();
  });
});
