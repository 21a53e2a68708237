import { describe, expect, it } from "vitest";
import { z } from "zod";
import { customer } from "../../../definitions/entities.ts";
import { payments } from "../../../definitions/sources.ts";
import { count, last, sum } from "../../../src/features/aggregation.ts";
import { entity, featureView, service } from "../../../src/features/define.ts";
import { apiKey, eventSource } from "../../../src/features/define-source.ts";
import { AppError } from "../../../src/errors.ts";
import { createMemoryKeyStore } from "../../support/fakes/memory-key-store.ts";
import { createTestApi, NOON, payment, trips, type TestApi } from "../../support/requests.ts";

const ONLINE = "POST /v1/features/online";

async function apiWithPayments(): Promise<{ api: TestApi; key: string }> {
  const api = await createTestApi();
  const key = await api.key();
  const json = [
    payment(),
    payment({ payment_id: "p2", amount: "7.40", country: "FR", merchant_id: "m2" }),
    payment({ payment_id: "p3", customer_id: "c2" }),
  ];
  await api.call("POST /v1/sources/payments/events", { key, json });
  await api.settle();
  await Promise.all(api.after.splice(0));
  return { api, key };
}

describe("POST /v1/features/online", () => {
  it("answers as the contract says", async () => {
    const { api, key } = await apiWithPayments();
    api.clock.now = NOON + 812;
    const answer = await api.call(ONLINE, {
      key,
      json: {
        features: ["customer_spend:payments_1h", "customer_spend:amount_sum_7d"],
        entities: [{ customer_id: "c1" }, { customer_id: "nobody" }],
      },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(await answer.json()).toEqual({
      as_of: NOON + 812,
      names: ["customer_spend:payments_1h", "customer_spend:amount_sum_7d"],
      results: [
        {
          entity: { customer_id: "c1" },
          values: [2, "19.9"],
          statuses: ["PRESENT", "PRESENT"],
          version: { customer_spend: "1.2" },
          freshness_ms: 812,
        },
        {
          entity: { customer_id: "nobody" },
          values: [0, null],
          statuses: ["NOT_FOUND", "NOT_FOUND"],
          version: { customer_spend: "1.0" },
          freshness_ms: null,
        },
      ],
    });
  });

  it("computes a service with its on-demand features", async () => {
    const { api, key } = await apiWithPayments();
    const answer = await api.call(ONLINE, {
      key,
      json: {
        service: "fraud_features",
        entities: [{ customer_id: "c2" }],
        request: [{ amount: 25, country: "DE" }],
      },
    });
    const { names, results } = await answer.json<{
      names: string[];
      results: { values: unknown[] }[];
    }>();
    const of = (name: string) => results[0]?.values[names.indexOf(name)];
    expect(of("velocity:amount_vs_mean")).toBe(2);
    expect(of("velocity:country_changed")).toBe(false);
  });

  it("makes one round trip to Redis and none to Postgres, and says so", async () => {
    const { api, key } = await apiWithPayments();
    const entities = Array.from({ length: 1_000 }, (_, i) => ({
      customer_id: `c${i}`,
      merchant_id: `m${i}`,
    }));
    const answer = await api.call(ONLINE, {
      key,
      json: { features: ["customer_spend", "customer_lifetime", "merchant_activity"], entities },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("server-timing")).toMatch(
      /^redis;dur=[\d.]+;desc="1", postgres;dur=0\.0;desc="0", queue;dur=0\.0;desc="0", embedder;dur=0\.0;desc="0", total;dur=[\d.]+$/,
    );
    expect(api.after).toEqual([]);
  });

  it("keeps every digit of a long numeric key", async () => {
    const accounts = eventSource("transfers", {
      schema: z.object({ id: z.string(), account: z.number(), at: z.number() }),
      id: "id",
      eventTime: "at",
      accept: [apiKey()],
    });
    const account = entity("account", { key: "account" });
    const view = featureView("transfers_of", {
      entity: account,
      source: accounts,
      features: { n: count() },
    });
    const api = await createTestApi({ definitions: [accounts, account, view] });
    const key = await api.key();
    const body = `[{"id":"a","account":9007199254740993,"at":${NOON}},
                   {"id":"b","account":9007199254740992,"at":${NOON}}]`;
    const headers = { "content-type": "application/json" };
    await api.call("POST /v1/sources/transfers/events", { key, body, headers });
    await api.settle();
    const asked = '{"features":["transfers_of"],"entities":[{"account":9007199254740993}]}';
    const answer = await api.call(ONLINE, { key, body: asked, headers });
    expect(await answer.json()).toMatchObject({
      results: [{ entity: { account: "9007199254740993" }, values: [1] }],
    });
  });

  it.each([
    ["no entities", { service: "fraud_features" }, "entities"],
    ["an empty list", { service: "fraud_features", entities: [] }, "entities"],
    ["a row that is none", { features: ["customer_spend"], entities: ["c1"] }, "entities[0]"],
    [
      "a key of another type",
      { features: ["customer_spend"], entities: [{ customer_id: true }] },
      "entities[0].customer_id",
    ],
    ["a field that is not there", { feature: ["x"], entities: [{ customer_id: "c1" }] }, ""],
    ["no list of features", { features: "x", entities: [{ customer_id: "c1" }] }, "features"],
  ])("names the field of a request with %s", async (_, json, path) => {
    const api = await createTestApi();
    const answer = await api.call(ONLINE, { key: await api.key(), json });
    expect(answer.status).toBe(400);
    const problem = await answer.json<{ code: string; errors: { path: string }[] }>();
    expect(problem.code).toBe("invalid_request");
    expect(problem.errors.map((error) => error.path)).toContain(path);
  });

  it("refuses more than 1,000 entities", async () => {
    const api = await createTestApi();
    const entities = Array.from({ length: 1_001 }, (_, i) => ({ customer_id: `c${i}` }));
    const json = { features: ["customer_spend"], entities };
    expect((await api.call(ONLINE, { key: await api.key(), json })).status).toBe(400);
  });

  it("tells unknown features, missing keys and missing requests from malformed ones", async () => {
    const api = await createTestApi();
    const key = await api.key();
    const entities = [{ customer_id: "c1" }];
    const unknown = await api.call(ONLINE, {
      key,
      json: { features: ["customer_spend:x"], entities },
    });
    expect(unknown.status).toBe(422);
    expect(await unknown.json()).toMatchObject({
      code: "unprocessable",
      errors: [{ path: "features[0]", code: "unknown_feature" }],
    });
    const noKey = await api.call(ONLINE, {
      key,
      json: { features: ["merchant_activity"], entities },
    });
    expect(await noKey.json()).toMatchObject({
      status: 422,
      errors: [{ path: "entities[0].merchant_id", code: "missing_key" }],
    });
    const noRequest = await api.call(ONLINE, {
      key,
      json: { service: "fraud_features", entities },
    });
    expect(await noRequest.json()).toMatchObject({
      status: 422,
      errors: [{ path: "request[0].amount" }],
    });
    const noService = await api.call(ONLINE, { key, json: { service: "x", entities } });
    expect(noService.status).toBe(404);
  });

  it("takes as_of in local development only", async () => {
    const json = {
      features: ["customer_spend:payments_1h"],
      entities: [{ customer_id: "c1" }],
      as_of: "2030-01-01T00:00:00Z",
    };
    const local = await createTestApi({ environment: "local" });
    const replaced = await local.call(ONLINE, { key: await local.key(), json });
    expect(await replaced.json()).toMatchObject({ as_of: Date.parse("2030-01-01T00:00:00Z") });

    const production = await createTestApi();
    const refused = await production.call(ONLINE, { key: await production.key(), json });
    expect(refused.status).toBe(422);
    expect(await refused.json()).toMatchObject({ errors: [{ path: "as_of" }] });
  });

  it("refuses while the store is being filled, or says that it is degraded, by setting", async () => {
    const json = { features: ["customer_spend:payments_1h"], entities: [{ customer_id: "c1" }] };
    const strict = await createTestApi();
    strict.online.flush();
    const refused = await strict.call(ONLINE, { key: await strict.key(), json });
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("5");

    const lenient = await createTestApi({ onIncompleteStore: "degraded" });
    lenient.online.flush();
    const degraded = await lenient.call(ONLINE, { key: await lenient.key(), json });
    expect(await degraded.json()).toMatchObject({
      degraded: ["online_store_incomplete"],
      results: [{ values: [null], statuses: ["NULL_VALUE"] }],
    });
  });

  it("answers from Postgres by setting, in one more round trip, and says so", async () => {
    const api = await createTestApi({ onIncompleteStore: "postgres" });
    const key = await api.key();
    const json = { features: ["customer_spend"], entities: [{ customer_id: "c1" }] };
    await api.call("POST /v1/sources/payments/events", { key, json: payment() });
    await api.settle();
    const online = await api.call(ONLINE, { key, json });
    expect(trips(online)).toMatchObject({ redis: 1, postgres: 0 });
    const filled = await online.json<object>();
    expect(filled).not.toHaveProperty("degraded");
    const bypassed = { ...filled, degraded: ["online_store_bypassed"] };
    api.online.flush();
    const answer = await api.call(ONLINE, { key, json });
    expect(trips(answer)).toMatchObject({ redis: 1, postgres: 1 });
    expect(await answer.json()).toEqual(bypassed);
    api.broken.set("redis", new AppError("timeout", "The online store took too long."));
    expect(await (await api.call(ONLINE, { key, json })).json()).toEqual(bypassed);
    // A revocation holds there as well.
    await createMemoryKeyStore(api.truth).revoke("acme", "key_gone", NOON);
    const gone = await api.key({ keyId: "key_gone" });
    expect((await api.call(ONLINE, { key: gone, json })).status).toBe(401);
  });

  it.each([
    ["timeout", 504],
    ["dependency_unavailable", 503],
  ] as const)("answers %s when Redis does", async (code, status) => {
    const api = await createTestApi();
    api.broken.set("redis", new AppError(code, "The online store took too long."));
    const json = { features: ["customer_spend"], entities: [{ customer_id: "c1" }] };
    const answer = await api.call(ONLINE, { key: await api.key(), json });
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ code });
  });
});

describe("GET /v1/features/{name}/{key}", () => {
  it("gives the features of a view or of a service's views", async () => {
    const { api, key } = await apiWithPayments();
    const view = await api.call("GET /v1/features/customer_spend/c1", { key });
    expect(await view.json()).toMatchObject({
      results: [{ entity: { customer_id: "c1" }, version: { customer_spend: "1.2" } }],
    });
    const ofService = await api.call("GET /v1/features/fraud_features/c1", { key });
    const { names } = await ofService.json<{ names: string[] }>();
    expect(names).toContain("customer_spend:payments_1h");
    expect(names.filter((name) => name.startsWith("velocity"))).toEqual([]);
  });

  it("reads the parts of a composite key from the path as it was sent", async () => {
    const pair = entity("pair", { key: ["customer_id", "merchant_id"] });
    const view = featureView("pair_spend", {
      entity: pair,
      source: payments,
      features: { n: count(), amount: sum("amount"), country: last("country") },
    });
    const api = await createTestApi({ definitions: [customer, payments, pair, view] });
    const key = await api.key();
    const odd = { customer_id: "a,b/ü %2C?#", merchant_id: "日本 +" };
    await api.call("POST /v1/sources/payments/events", { key, json: payment(odd) });
    await api.settle();
    const path = [odd.customer_id, odd.merchant_id].map(encodeURIComponent).join(",");
    const answer = await api.call(`GET /v1/features/pair_spend/${path}`, { key });
    expect(await answer.json()).toMatchObject({
      results: [{ entity: odd, values: [1, "12.5", "DE"] }],
    });

    const short = await api.call("GET /v1/features/pair_spend/a%2Cb", { key });
    expect(short.status).toBe(422);
    const damaged = await api.call("GET /v1/features/pair_spend/a,%C3%28", { key });
    expect(damaged.status).toBe(400);
  });

  it("does not guess which entity a service of several means", async () => {
    const { api, key } = await apiWithPayments();
    const answer = await api.call("GET /v1/features/payment_review/c1", { key });
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({
      detail: expect.stringContaining("POST") as string,
    });
  });

  it("sends on-demand features to POST, and knows no other names", async () => {
    const { api, key } = await apiWithPayments();
    expect((await api.call("GET /v1/features/velocity/c1", { key })).status).toBe(422);
    expect((await api.call("GET /v1/features/nothing/c1", { key })).status).toBe(404);
    const empty = await createTestApi({ definitions: [service("nothing", [])] });
    const none = await empty.call("GET /v1/features/nothing/c1", { key: await empty.key() });
    expect(none.status).toBe(422);
  });

  it("takes as_of in local development only", async () => {
    const local = await createTestApi({ environment: "local" });
    const key = await local.key();
    const later = NOON + 60_000;
    for (const asOf of [String(later), "2026-11-22T12:01:00Z"]) {
      const answer = await local.call(`GET /v1/features/customer_spend/c1?as_of=${asOf}`, { key });
      expect(await answer.json()).toMatchObject({ as_of: later });
    }
    const bad = await local.call("GET /v1/features/customer_spend/c1?as_of=2026-11-22", { key });
    expect(bad.status).toBe(400);
    const { api, key: other } = await apiWithPayments();
    const refused = await api.call(`GET /v1/features/customer_spend/c1?as_of=${later}`, {
      key: other,
    });
    expect(refused.status).toBe(422);
  });
});
