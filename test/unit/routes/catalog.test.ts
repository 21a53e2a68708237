import { describe, expect, it } from "vitest";
import { createTestApi } from "../../support/requests.ts";

describe("GET /v1/catalog", () => {
  it("describes every definition, without asking a store", async () => {
    const api = await createTestApi();
    const key = await api.key({ roles: ["reader"] });
    await api.call("GET /v1/catalog", { key });
    await Promise.all(api.after);
    const answer = await api.call("GET /v1/catalog", { key });
    expect(answer.headers.get("server-timing")).toMatch(/redis;dur=0.0;desc="0"/);
    const catalog = await answer.json<Record<string, readonly { name: string }[]>>();
    const names = (kind: string) => catalog[kind]?.map(({ name }) => name);
    expect(names("entities")).toEqual(["customer", "merchant", "ad"]);
    expect(names("sources")).toEqual([
      "payments",
      "orders",
      "ad_views",
      "ad_clicks",
      "clicked_views",
    ]);
    expect(names("views")).toEqual([
      "customer_spend",
      "customer_lifetime",
      "merchant_activity",
      "customer_orders",
      "ad_shown",
      "ad_clicked",
    ]);
    expect(names("on_demand_views")).toEqual(["velocity", "ad_rates"]);
    expect(names("services")).toEqual(["fraud_features", "payment_review"]);
    expect(names("models")).toEqual(["fraud"]);
    expect(names("collections")).toEqual(["helpdesk"]);
  });

  it("says what a model takes and answers, and what a document of a collection may hold", async () => {
    const api = await createTestApi();
    const key = await api.key();
    const model = await api.call("GET /v1/catalog/models/fraud", { key });
    expect(await model.json()).toMatchObject({
      kind: "model",
      task: "classifier",
      service: "fraud_features",
      features: expect.arrayContaining(["velocity:amount_vs_mean"]) as unknown,
      classes: ["legit", "fraud"],
    });
    const collection = await api.call("GET /v1/catalog/collections/helpdesk", { key });
    expect(await collection.json()).toMatchObject({
      kind: "collection",
      title: "title",
      text: ["body"],
      fields: [
        { name: "topic", type: "string" },
        { name: "language", type: "string" },
        { name: "updated_at", type: "time" },
      ],
      language: "auto",
      chunk_tokens: 256,
      embedder: { kind: "workers_ai", model: "@cf/baai/bge-m3", dimensions: 1024 },
    });
  });

  it("says what a view computes, from what, and who answers for it", async () => {
    const api = await createTestApi();
    const key = await api.key();
    const answer = await api.call("GET /v1/catalog/views/customer_spend", { key });
    const view = await answer.json<{ features: readonly { name: string }[] }>();
    expect(view).toMatchObject({
      kind: "view",
      name: "customer_spend",
      description: "What a customer spent lately",
      owner: "risk@example.com",
      entity: "customer",
      source: "payments",
      key: { customer_id: "customer_id" },
      max_age_ms: null,
    });
    const feature = (name: string) =>
      view.features.find((one) => one.name === `customer_spend:${name}`);
    expect(feature("payments_nearby_30d")).toEqual({
      name: "customer_spend:payments_nearby_30d",
      aggregate: "count",
      field: null,
      where: { country: ["DE", "AT", "CH"] },
      window: "30d",
      type: "integer",
      default: null,
    });
    expect(feature("amount_sum_1h")).toMatchObject({
      field: "amount",
      type: "decimal",
      window: "1h",
    });
    expect(feature("amount_mean_30d")).toMatchObject({ type: "number" });
    expect(feature("last_country")).toMatchObject({ type: "string", window: "lifetime" });
  });

  it("says what a source takes, which fields are personal, and what a request must hold", async () => {
    const api = await createTestApi();
    const key = await api.key();
    const sources = await api.call("GET /v1/catalog/sources", { key });
    const { items, cursor } = await sources.json<{
      items: readonly { fields: readonly unknown[] }[];
      cursor: null;
    }>();
    expect(cursor).toBeNull();
    expect(items[0]).toMatchObject({
      id: "payment_id",
      event_time: "paid_at",
      accepts: ["standard_webhooks", "api_key"],
    });
    expect(items[0]?.fields).toContainEqual({
      name: "email",
      type: "string",
      nullable: false,
      pii: "token",
    });
    const velocity = await api.call("GET /v1/catalog/on_demand_views/velocity", { key });
    expect(await velocity.json()).toMatchObject({
      from: ["customer_spend"],
      request: [
        { name: "amount", required: true },
        { name: "country", required: false },
      ],
    });
  });

  it("knows no other kinds and names", async () => {
    const api = await createTestApi();
    const key = await api.key();
    expect((await api.call("GET /v1/catalog/views/nothing", { key })).status).toBe(404);
    expect((await api.call("GET /v1/catalog/things", { key })).status).toBe(400);
  });
});
