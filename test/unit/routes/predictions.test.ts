import { describe, expect, it } from "vitest";
import { definitions } from "../../../definitions/index.ts";
import { fraudFeatures } from "../../../definitions/services.ts";
import { role } from "../../../src/governance/role.ts";
import { model } from "../../../src/predictions/define.ts";
import {
  createTestApi,
  NOON,
  payment,
  trips,
  type TestApiOptions,
} from "../../support/requests.ts";

/** payments_1h + 2 · amount_vs_mean + 0.5 */
const load = model("load", {
  owner: "a",
  description: "b",
  features: fraudFeatures,
  kind: "regressor",
  file: {
    format: "freshet-linear",
    format_version: 1,
    kind: "linear",
    version: "3",
    inputs: [
      { feature: "customer_spend__payments_1h" },
      { feature: "velocity:amount_vs_mean", default: 1 },
    ],
    coefficients: [[1, 2]],
    intercepts: [0.5],
  },
});

const LOAD = "POST /v1/models/load/predictions";
const FRAUD = "POST /v1/models/fraud/predictions";

async function open(options: TestApiOptions = {}) {
  const api = await createTestApi({ definitions: [...definitions, load], ...options });
  const key = await api.key();
  const json = [payment({ amount: "10" }), payment({ payment_id: "p2", amount: "30" })];
  await api.call("POST /v1/sources/payments/events", { key, json });
  await api.settle();
  await Promise.all(api.after.splice(0));
  const ask = (asked: unknown, route = LOAD) => api.call(route, { key, json: asked });
  return { api, key, ask };
}

const c1 = { customer_id: "c1" };
const ID = expect.stringMatching(/^prd_[0-9a-z]{26}(_\d+)?$/) as unknown;

describe("a prediction", () => {
  it("answers as the contract says, in one round trip to Redis", async () => {
    const { ask } = await open();
    const answer = await ask({
      entities: [c1, { customer_id: "nobody" }],
      request: [{ amount: 60 }, { amount: 60 }],
    });
    expect(answer.status).toBe(200);
    expect(trips(answer)).toEqual({ redis: 1, postgres: 0, queue: 0, embedder: 0 });
    const rest = { label: null, probabilities: null };
    const version = { velocity: "2" };
    expect(await answer.json()).toEqual({
      model: { name: "load", version: "3" },
      as_of: NOON,
      predictions: [
        {
          id: ID,
          entity: c1,
          value: 8.5,
          version: { customer_spend: "1.2", ...version },
          degraded: [],
          ...rest,
        },
        {
          id: ID,
          entity: { customer_id: "nobody" },
          value: 2.5,
          version: { customer_spend: "1.0", ...version },
          degraded: ["velocity:amount_vs_mean"],
          ...rest,
        },
      ],
    });
  });

  it("of a thousand entities is one round trip, with an id for each", async () => {
    const { ask } = await open();
    const entities = Array.from({ length: 1_000 }, (_, i) => ({ customer_id: `c${i}` }));
    const request = entities.map(() => ({ amount: 10 }));
    const answer = await ask({ entities, request });
    expect(trips(answer)).toMatchObject({ redis: 1, postgres: 0 });
    const { predictions } = await answer.json<{ predictions: { id: string }[] }>();
    expect(new Set(predictions.map(({ id }) => id)).size).toBe(1_000);
    const more = await ask({ entities: [...entities, c1], request: [...request, {}] });
    expect(more.status).toBe(400);
  });

  it("classifies: a label, a probability for each class, and the last one's as value", async () => {
    const { ask } = await open();
    const asked = { entities: [c1], request: [{ amount: 5_000, country: "BR" }] };
    const answer = await (
      await ask(asked, FRAUD)
    ).json<{
      predictions: { value: number; label: string; probabilities: Record<string, number> }[];
    }>();
    const [one] = answer.predictions;
    expect(one?.label).toBe("fraud");
    expect(Object.keys(one?.probabilities ?? {})).toEqual(["legit", "fraud"]);
    expect(one?.probabilities["fraud"]).toBe(one?.value);
    expect((one?.probabilities["legit"] ?? 0) + (one?.value ?? 0)).toBeCloseTo(1, 12);
  });

  it("of features that the caller gives reads nothing, in either form of their names", async () => {
    const { ask } = await open();
    const answer = await ask({
      features: [
        { "customer_spend:payments_1h": 4, velocity__amount_vs_mean: 2.25 },
        { customer_spend__payments_1h: 4, "customer_spend:last_country": "DE" },
      ],
    });
    expect(trips(answer)).toEqual({ redis: 0, postgres: 0, queue: 0, embedder: 0 });
    const { predictions } = await answer.json<{ predictions: object[] }>();
    expect(predictions).toEqual([
      { id: ID, value: 9, label: null, probabilities: null, version: {}, degraded: [] },
      {
        id: ID,
        value: 6.5,
        label: null,
        probabilities: null,
        version: {},
        degraded: ["velocity:amount_vs_mean"],
      },
    ]);
  });

  it("explains itself where asked: base and contributions add up", async () => {
    const { ask } = await open();
    const answer = await ask({ entities: [c1], request: [{ amount: 60 }], explain: true });
    const { predictions } = await answer.json<{
      predictions: { value: number; base: number; contributions: { contribution: number }[] }[];
    }>();
    const [one] = predictions;
    expect(one?.contributions).toEqual([
      {
        feature: "customer_spend:payments_1h",
        value: 2,
        contribution: expect.any(Number) as unknown,
      },
      { feature: "velocity:amount_vs_mean", value: 3, contribution: expect.any(Number) as unknown },
    ]);
    const sum =
      one?.contributions.reduce((total, { contribution }) => total + contribution, 0) ?? 0;
    expect((one?.base ?? 0) + sum).toBeCloseTo(8.5, 12);
  });

  it("keeps every digit of an entity's long number", async () => {
    const { api, key } = await open();
    const body = '{"entities":[{"customer_id":12345678901234567890}],"request":[{"amount":1}]}';
    const headers = { "content-type": "application/json" };
    const answer = await api.call(LOAD, { key, body, headers });
    expect(await answer.json()).toMatchObject({
      predictions: [{ entity: { customer_id: "12345678901234567890" } }],
    });
    const deep = body.replace('"amount":1', `"amount":1,"x":${"[".repeat(99)}${"]".repeat(99)}`);
    expect((await api.call(LOAD, { key, body: deep, headers })).status).toBe(400);
  });

  it("takes another time only on one machine", async () => {
    const asked = { entities: [c1], request: [{ amount: 1 }], as_of: "2026-11-22T14:00:00Z" };
    const deployed = await open();
    const answer = await deployed.ask(asked);
    expect(await answer.json()).toMatchObject({ status: 422, errors: [{ path: "as_of" }] });
    const local = await open({ environment: "local" });
    expect(await (await local.ask(asked)).json()).toMatchObject({
      as_of: NOON + 7_200_000,
      predictions: [{ value: expect.any(Number) as unknown }],
    });
  });
});

describe("a prediction that cannot be made", () => {
  it.each([
    ["neither entities nor features", {}, 400],
    ["both", { entities: [c1], features: [{}] }, 400],
    ["a request for given features", { features: [{}], request: [{}] }, 400],
    ["no entities", { entities: [] }, 400],
    ["an unknown member", { entities: [c1], rows: [] }, 400],
    [
      "an entity without its key",
      { entities: [{ merchant_id: "m" }], request: [{ amount: 1 }] },
      422,
    ],
    ["no request for an on-demand feature", { entities: [c1] }, 422],
    ["a request too few", { entities: [c1, c1], request: [{ amount: 1 }] }, 422],
    ["a request that does not fit", { entities: [c1], request: [{ amount: "1" }] }, 422],
  ])("for %s is refused", async (_, json, status) => {
    const { ask } = await open();
    const answer = await ask(json);
    expect(answer.status).toBe(status);
    expect(trips(answer)).toMatchObject({ redis: 0, postgres: 0 });
  });

  it("for features that the service does not have names each of them", async () => {
    const { ask } = await open();
    const answer = await ask({
      features: [{}, { "customer_spend:nothing": 1, other__thing: 2, constructor: 3 }],
    });
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({
      errors: [
        { path: "features[1].customer_spend:nothing", code: "unknown_feature" },
        { path: "features[1].other__thing", code: "unknown_feature" },
        { path: "features[1].constructor", code: "unknown_feature" },
      ],
    });
  });

  it("for a model that is not there is 404, for a store that is down 503", async () => {
    const { api, ask } = await open();
    const asked = { entities: [c1], request: [{ amount: 1 }] };
    const unknown = await ask(asked, "POST /v1/models/other/predictions");
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ detail: 'there is no model "other"' });
    api.online.flush();
    expect((await ask(asked)).status).toBe(503);
    // Nothing of the store is needed where the features are given.
    expect((await ask({ features: [{}] })).status).toBe(200);
  });

  it("from Postgres in place of a flushed store is as it was, and named, where the setting says so", async () => {
    const { api, ask } = await open({ onIncompleteStore: "postgres" });
    const asked = { entities: [c1], request: [{ amount: 60 }] };
    const shown = async (answer: Response) => {
      const { predictions } = await answer.json<{ predictions: Record<string, unknown>[] }>();
      const [{ id, ...one } = {}] = predictions;
      expect(id).toMatch(/^prd_/);
      return one;
    };
    const filled = await shown(await ask(asked));
    api.online.flush();
    const answer = await ask(asked);
    expect(trips(answer)).toMatchObject({ redis: 1, postgres: 1 });
    expect(await shown(answer)).toEqual({ ...filled, degraded: ["online_store_bypassed"] });
    expect(filled["degraded"]).toEqual([]);
  });

  it("from a store that is being filled is made where the setting says so, and named", async () => {
    const { api, ask } = await open({ onIncompleteStore: "degraded" });
    api.online.flush();
    const answer = await ask({ entities: [c1], request: [{ amount: 60 }] });
    expect(await answer.json()).toMatchObject({
      predictions: [
        {
          degraded: expect.arrayContaining([
            "velocity:amount_vs_mean",
            "online_store_incomplete",
          ]) as unknown,
        },
      ],
    });
  });
});

describe("who may predict", () => {
  const SHOP = "https://shop.example";
  const asked = { entities: [c1], request: [{ amount: 1 }] };

  it("includes pages with a publishable key", async () => {
    const { api } = await open();
    const key = await api.key({ roles: ["frontend"], origins: [SHOP] });
    const headers = { origin: SHOP };
    expect((await api.call(LOAD, { key, json: asked, headers })).status).toBe(200);
  });

  it("may see what features add only with leave to read them", async () => {
    const { api } = await open({
      roles: [
        role("scorer", [{ actions: ["predict"], resources: ["model:load"] }]),
        role("seer", [
          { actions: ["predict"], resources: ["model:*"] },
          { actions: ["read_features"], resources: ["view:customer_spend", "view:velocity"] },
        ]),
        role("server", [
          { actions: ["predict"], resources: ["model:*"] },
          { actions: ["read_features"], resources: ["service:*"] },
        ]),
      ],
    });
    const status = async (roles: readonly string[], json: object, route = LOAD) => {
      const key = await api.key({ roles });
      return (await api.call(route, { key, json })).status;
    };
    expect(await status(["scorer"], asked)).toBe(200);
    expect(await status(["scorer"], { ...asked, explain: true })).toBe(403);
    expect(await status(["seer"], { ...asked, explain: true })).toBe(200);
    expect(await status(["server"], { ...asked, explain: true })).toBe(200);
    expect(await status(["scorer"], asked, FRAUD)).toBe(403);
    expect(await status(["producer"], asked)).toBe(403);
    expect(await status(["scorer"], asked, "POST /v1/models/nothing/predictions")).toBe(403);
  });

  it("ends with the next read after a revocation, and within seconds where nothing is read", async () => {
    const { api } = await open();
    const key = await api.key({ keyId: "key_leaked" });
    const given = { features: [{}] };
    const status = async (json: object) => (await api.call(LOAD, { key, json })).status;
    expect(await status(given)).toBe(200);
    await api.revoke("acme", "key_leaked");
    api.clock.now += 15_000;
    expect(await status(given)).toBe(200);
    await Promise.all(api.after.splice(0));
    expect(await status(given)).toBe(401);

    const other = await open();
    const leaked = await other.api.key({ keyId: "key_other" });
    await other.api.revoke("acme", "key_other");
    expect((await other.api.call(LOAD, { key: leaked, json: asked })).status).toBe(401);
  });
});
