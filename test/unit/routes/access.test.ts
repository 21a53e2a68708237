import { OpenAPIHono } from "@hono/zod-openapi";
import { describe, expect, it } from "vitest";
import { BUILT_IN_ROLES } from "../../../src/governance/built-in-roles.ts";
import { PUBLISHABLE_ACTIONS } from "../../../src/governance/policy.ts";
import { role, type Action } from "../../../src/governance/role.ts";
import type { AppEnv } from "../../../src/routes/app-env.ts";
import { createTestApi, NOON, payment, type Call, type TestApi } from "../../support/requests.ts";

const SHOP = "https://shop.example";

interface Operation {
  readonly "x-action"?: Action;
  readonly security?: readonly unknown[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Described>> };
  readonly parameters?: readonly { readonly name: string; readonly schema: Described }[];
}

interface Described {
  readonly schema?: { readonly $ref?: string };
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, { readonly example?: unknown }>>;
  };
}

interface Route {
  readonly name: string;
  readonly action: Action | undefined;
  readonly path: string;
  readonly call: Omit<Call, "key">;
}

/** Every operation of the description, with the request that its own examples make. */
async function routes(api: TestApi): Promise<readonly Route[]> {
  const { paths, components } = await (await api.call("GET /openapi.json")).json<OpenApi>();
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]): Route => {
      const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
        const parameter = operation.parameters?.find((one) => one.name === name);
        return String(parameter?.schema.example);
      });
      const content = operation.requestBody?.content["application/json"];
      const reference = content?.schema?.$ref?.split("/").at(-1) ?? "";
      const json =
        content?.example ??
        Object.values(content?.examples ?? {})[0]?.value ??
        components.schemas[reference]?.example;
      return {
        name: `${method.toUpperCase()} ${path}`,
        action: operation["x-action"],
        path: `${method.toUpperCase()} ${filled}`,
        call: content === undefined ? {} : { json },
      };
    }),
  );
}

const everyRole = BUILT_IN_ROLES.map(({ name }) => name);
const grants = (name: string, action: Action): boolean =>
  BUILT_IN_ROLES.some(
    (one) => one.name === name && one.grants.some((g) => g.actions.includes(action)),
  );

describe("every route of the description", () => {
  it("declares its action when it is under /v1, and only then", async () => {
    const all = await routes(await createTestApi());
    expect(all.length).toBeGreaterThan(10);
    for (const { name, action } of all) {
      expect([name, action !== undefined]).toEqual([name, name.includes(" /v1/")]);
    }
  });

  it("answers 401 without a key and with one that is forged, cut, expired or of elsewhere", async () => {
    const api = await createTestApi();
    const expired = await api.key({ exp: NOON / 1000 });
    const good = await api.key();
    const keys = [null, "fr_live_x", good.slice(0, -1), `${good}x`, expired];
    for (const { name, action, path, call } of await routes(api)) {
      if (action === undefined) continue;
      for (const key of keys) {
        const answer = await api.call(path, { ...call, key });
        expect([name, answer.status]).toEqual([name, 401]);
        expect(await answer.json()).toMatchObject({
          code: "unauthorized",
          type: "/docs/errors#unauthorized",
        });
        expect(answer.headers.get("www-authenticate")).toBe("Bearer");
      }
    }
  });

  it("answers its own example when a role of the key grants the action, else 403", async () => {
    const api = await createTestApi();
    for (const { name, action, path, call } of await routes(api)) {
      if (action === undefined) continue;
      for (const roleName of [...everyRole, "nobody_declared_this"]) {
        const key = await api.key({ roles: [roleName] });
        const { status } = await api.call(path, { ...call, key });
        const allowed = status === 200 || status === 202;
        const expected = grants(roleName, action);
        expect({ name, roleName, allowed }).toEqual({ name, roleName, allowed: expected });
        expect([200, 202, 403]).toContain(status);
      }
    }
  });

  it("answers 403 to a publishable key that would write or look around, whatever its roles", async () => {
    const api = await createTestApi();
    const key = await api.key({ roles: ["admin"], origins: [SHOP] });
    const secret = await api.key();
    const all = await routes(api);
    for (const { action, path, call } of all) {
      if (action === "write_documents") await api.call(path, { ...call, key: secret });
    }
    for (const { name, action, path, call } of all) {
      if (action === undefined) continue;
      const { status } = await api.call(path, { ...call, key, headers: { origin: SHOP } });
      expect([name, status]).toEqual([name, PUBLISHABLE_ACTIONS.has(action) ? 200 : 403]);
    }
  });

  it("shows one tenant nothing of another", async () => {
    const api = await createTestApi({ tenants: ["acme", "globex"] });
    const acme = await api.key({ tenant: "acme" });
    const globex = await api.key({ tenant: "globex" });
    const json = [payment(), payment({ payment_id: "p2", amount: "no" })];
    await api.call("POST /v1/sources/payments/events", { key: acme, json });
    await api.settle();
    const [entry] = api.truth.quarantine.values();
    const json2 = { ids: [entry?.id] };
    const replayed = await api.call("POST /v1/quarantine/replay", { key: globex, json: json2 });
    expect(await replayed.json()).toEqual({ replayed: [], refused: [], not_found: [entry?.id] });
    const listed = await api.call("GET /v1/quarantine", { key: globex });
    expect(await listed.json()).toEqual({ items: [], cursor: null });
    const put = await api.call("PUT /v1/collections/helpdesk/documents/secret", {
      key: acme,
      json: { title: "acme", body: "how long does a refund take" },
    });
    expect(put.status).toBe(200);
    const read = await api.call("GET /v1/features/customer_spend/c1", { key: globex });
    expect(await read.json()).toMatchObject({
      results: [{ statuses: Array(8).fill("NOT_FOUND") }],
    });
    for (const { action, path, call } of await routes(api)) {
      if (action === undefined) continue;
      const text = await (await api.call(path, { ...call, key: globex })).text();
      expect(text).not.toContain("acme");
      expect(text).not.toContain("secret");
    }
  });
});

describe("a route that declares no action", () => {
  it("is for nobody, whatever key comes along", async () => {
    const api = await createTestApi();
    const forgetful = new OpenAPIHono<AppEnv>().get("/v1/open", (c) => {
      return c.json(c.get("permit")("system:everything").tenant);
    });
    api.app.route("/", forgetful);
    const answer = await api.call("GET /v1/open", { key: await api.key() });
    expect(answer.status).toBe(403);
  });
});

describe("roles of a deployment", () => {
  it("narrow a key to views, services and sources", async () => {
    const narrow = role("narrow", [
      { actions: ["read_features"], resources: ["view:customer_*", "service:fraud_features"] },
      { actions: ["ingest"], resources: ["source:other"] },
      { actions: ["read_quarantine"], resources: ["source:payments"] },
    ]);
    const api = await createTestApi({ roles: [narrow] });
    const key = await api.key({ roles: ["narrow"] });
    const entities = [{ customer_id: "c1", merchant_id: "m1" }];
    const request = [{ amount: 1 }];
    const ask = async (asked: object) =>
      (await api.call("POST /v1/features/online", { key, json: { ...asked, entities } })).status;
    expect(await ask({ features: ["customer_spend", "customer_lifetime__payments"] })).toBe(200);
    expect(await ask({ features: ["customer_spend", "merchant_activity"] })).toBe(403);
    expect(await ask({ features: ["velocity"], request })).toBe(403);
    expect(await ask({ service: "fraud_features", request })).toBe(200);
    expect(await ask({ service: "payment_review", request })).toBe(403);
    // Whether something exists is not told to who may not see it.
    expect(await ask({ features: ["nothing"] })).toBe(403);
    const get = async (path: string) => (await api.call(`GET /v1/${path}`, { key })).status;
    expect(await get("features/customer_spend/c1")).toBe(200);
    expect(await get("features/merchant_activity/m1")).toBe(403);
    expect(await get("features/nothing/m1")).toBe(403);
    expect(await get("quarantine")).toBe(403);
    expect(await get("quarantine?source=payments")).toBe(200);
    const send = await api.call("POST /v1/sources/payments/events", { key, json: payment() });
    expect(await send.json()).toMatchObject({
      code: "forbidden",
      detail: "no role of this key grants ingest on source:payments",
    });
    const unknown = await api.call("POST /v1/sources/nothing/events", { key, json: {} });
    expect(unknown.status).toBe(403);
  });
});

describe("revocation", () => {
  const READ = "GET /v1/features/customer_spend/c1";
  const SEND = "POST /v1/sources/payments/events";

  it("holds for the next read, and within seconds for what reads nothing", async () => {
    const api = await createTestApi();
    const key = await api.key({ keyId: "key_leaked" });
    const other = await api.key({ keyId: "key_other" });
    expect((await api.call(READ, { key })).status).toBe(200);
    await api.revoke("acme", "key_leaked");
    expect((await api.call(SEND, { key, json: payment() })).status).toBe(202);
    expect((await api.call(READ, { key })).status).toBe(401);
    expect((await api.call(READ, { key: other })).status).toBe(200);

    api.clock.now += 15_000;
    expect((await api.call(SEND, { key, json: payment() })).status).toBe(202);
    await Promise.all(api.after.splice(0));
    expect((await api.call(SEND, { key, json: payment() })).status).toBe(401);
    expect((await api.call(SEND, { key: other, json: payment() })).status).toBe(202);
  });

  it("holds at once where an operator looks into quarantine", async () => {
    const api = await createTestApi();
    const key = await api.key({ keyId: "key_leaked" });
    await api.revoke("acme", "key_leaked");
    expect((await api.call("GET /v1/quarantine", { key })).status).toBe(401);
  });

  it("does not lock out writers, nor try with each request, while Redis is down", async () => {
    const api = await createTestApi();
    const key = await api.key();
    api.broken.set("redis", new Error("down"));
    for (let i = 0; i < 5; i += 1) {
      expect((await api.call(SEND, { key, json: payment() })).status).toBe(202);
    }
    await Promise.all(api.after);
    expect(api.after).toHaveLength(1);
    expect((await api.call("GET /v1/quarantine", { key })).status).toBe(200);
  });
});

describe("CORS", () => {
  const READ = "GET /v1/features/customer_spend/c1";

  it("lets every page ask, because a preflight carries no key", async () => {
    const api = await createTestApi();
    for (const path of ["/v1/features/online", "/v1/nothing"]) {
      const answer = await api.call(`OPTIONS ${path}`, {
        headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
      });
      expect(answer.status).toBe(204);
      expect(answer.headers.get("access-control-allow-origin")).toBe("*");
      expect(answer.headers.get("access-control-allow-headers")).toContain("authorization");
      expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
    }
  });

  it("lets a page read the answer only with a publishable key made for its origin", async () => {
    const api = await createTestApi();
    const publishable = await api.key({ roles: ["frontend"], origins: [SHOP] });
    const secret = await api.key();
    const of = async (key: string, origin: string) => {
      const answer = await api.call(READ, { key, headers: { origin } });
      return [answer.status, answer.headers.get("access-control-allow-origin")];
    };
    expect(await of(publishable, SHOP)).toEqual([200, SHOP]);
    expect(await of(publishable, "https://evil.example")).toEqual([401, null]);
    expect(await of(publishable, "https://shop.example.evil.io")).toEqual([401, null]);
    expect(await of(publishable, "null")).toEqual([401, null]);
    expect(await of(secret, SHOP)).toEqual([200, null]);
    expect((await api.call(READ, { key: publishable })).status).toBe(401);
  });

  it("lets that page read refusals, the request id and the timing too", async () => {
    const api = await createTestApi();
    const key = await api.key({ roles: ["frontend"], origins: [SHOP] });
    const answer = await api.call("GET /v1/features/nothing/c1", {
      key,
      headers: { origin: SHOP },
    });
    expect(answer.status).toBe(404);
    expect(answer.headers.get("access-control-allow-origin")).toBe(SHOP);
    expect(answer.headers.get("vary")).toBe("Origin");
    expect(answer.headers.get("access-control-expose-headers")).toContain("x-request-id");
    expect(answer.headers.get("timing-allow-origin")).toBe(SHOP);
  });
});
