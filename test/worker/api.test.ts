import {
  createExecutionContext,
  createMessageBatch,
  createScheduledController,
  getQueueResult,
  waitOnExecutionContext,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { customer } from "../../definitions/entities.ts";
import { payments } from "../../definitions/sources.ts";
import { count } from "../../src/features/aggregation.ts";
import { applyDefinitions } from "../../src/features/apply-definitions.ts";
import { featureView } from "../../src/features/define.ts";
import { readOnline } from "../../src/features/read-online.ts";
import { compileDefinitions } from "../../src/features/registry.ts";
import { foldingOf } from "../../src/ingest/fold-pending.ts";
import { openViewsInUse } from "../../src/ingest/views-in-use.ts";
import type { IngestMessage } from "../../src/ingest/envelope.ts";
import worker from "../../src/worker.ts";
import {
  applyViews,
  call,
  config,
  context,
  deployment,
  keyOf,
  newTenant,
  payment,
  trips,
} from "./door.ts";

const EVENTS = "/v1/sources/payments/events";

beforeAll(applyViews);

describe("the Worker", () => {
  it("gives what it served again from history, whole and line by line", async () => {
    const key = await keyOf(await newTenant());
    const json = Array.from({ length: 3 }, (_, i) => payment({ payment_id: `h${i}` }));
    await call(`POST ${EVENTS}?wait=applied`, { key, json });
    const features = ["customer_spend", "customer_lifetime"];
    const asked = { features, entities: [{ customer_id: "c1" }] };
    const online = await call("POST /v1/features/online", { key, json: asked });
    const { as_of: at, results } = await online.json<{
      as_of: number;
      results: { values: unknown[]; statuses: string[]; entity: object; version: object }[];
    }>();
    const { values, statuses, entity, version } = results[0] ?? {};
    const rows = [{ entity, version, at }];
    const whole = await call("POST /v1/features/history", { key, json: { features, rows } });
    expect(await whole.json()).toMatchObject({ rows: [{ values, statuses }] });
    expect(trips(whole)).toMatchObject({ postgres: 3, queue: 0 });

    const body = [{ features }, ...Array.from({ length: 1_500 }, () => rows[0])]
      .map((line) => JSON.stringify(line))
      .join("\n");
    const headers = { "content-type": "application/x-ndjson" };
    const streamed = await call("POST /v1/features/history", { key, body, headers });
    const lines = (await streamed.text()).trim().split("\n");
    expect(lines).toHaveLength(1_502);
    expect(JSON.parse(lines[1_500] ?? "")).toEqual({ values, statuses });
    expect(JSON.parse(lines[1_501] ?? "")).toEqual({ done: { rows: 1_500, refused: 0 } });
  });

  it("takes events, folds them and serves them, each digit kept", async () => {
    const key = await keyOf(await newTenant());
    const amount = "12345678901234567890.123456789012345678";
    const text = JSON.stringify([payment(), payment({ payment_id: "p2" })]);
    const body = text.replace('"12.50"', amount);
    const sent = await call(`POST ${EVENTS}?wait=applied`, { key, body });
    expect(sent.status).toBe(202);
    expect(await sent.json()).toEqual({
      accepted: 2,
      duplicates: 0,
      rejected: [],
      event_ids: ["p1", "p2"],
      applied: true,
    });
    const answer = await call("GET /v1/features/customer_spend/c1", { key });
    const { names, results } = await answer.json<{
      names: string[];
      results: { values: unknown[]; version: object }[];
    }>();
    const sum = results[0]?.values[names.indexOf("customer_spend:amount_sum_7d")];
    expect(sum).toBe("12345678901234567902.623456789012345678");
    expect(results[0]?.version).toEqual({ customer_spend: "1.2" });
  });

  it("folds into views of the next deployment, which is applied beside it", async () => {
    const tenant = await newTenant();
    const key = await keyOf(tenant);
    const next = compileDefinitions([
      customer,
      payments,
      featureView("next_spend", {
        entity: customer,
        source: payments,
        features: { payments: count() },
      }),
    ]);
    const ctx = context();
    const send = async (id: string): Promise<void> => {
      const sent = await call(`POST ${EVENTS}?wait=applied`, {
        key,
        json: payment({ payment_id: id, customer_id: "beside" }),
      });
      expect(await sent.json()).toMatchObject({ applied: true });
    };
    await send("b1");
    await applyDefinitions({
      registry: next,
      beside: true,
      archive: ctx.archive,
      online: ctx.online,
      definitions: ctx.definitions,
      now: ctx.now,
      progress: () => undefined,
      ...foldingOf({ ...ctx, registry: next, inUse: openViewsInUse(next, ctx.inUse.list) }),
    });
    await send("b2");
    const { results } = await readOnline(
      { ...ctx, registry: next, whenIncomplete: "unavailable" },
      { tenant, features: ["next_spend"], entities: [{ customer_id: "beside" }] },
    );
    expect(results[0]?.values).toEqual([2]);
    await applyViews();
  });

  it("reads a thousand entities of several views in one request to Redis and none to Postgres", async () => {
    const key = await keyOf(await newTenant());
    const json = Array.from({ length: 30 }, (_, i) =>
      payment({ payment_id: `p${i}`, customer_id: `c${i}`, merchant_id: `m${i}` }),
    );
    await call(`POST ${EVENTS}?wait=applied`, { key, json });
    const entities = Array.from({ length: 1_000 }, (_, i) => ({
      customer_id: `c${i}`,
      merchant_id: `m${i}`,
    }));
    const features = ["customer_spend", "customer_lifetime", "merchant_activity"];
    const fetches = vi.spyOn(globalThis, "fetch");
    const executionCtx = createExecutionContext();
    const request = new Request("https://api.example/v1/features/online", {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ features, entities }),
    });
    const answer = await worker.fetch(request, env, executionCtx);
    await waitOnExecutionContext(executionCtx);
    const targets = fetches.mock.calls.map(([target]) => new Request(target).url);
    fetches.mockRestore();
    expect(targets.filter((target) => target.startsWith(config.redisUrl))).toHaveLength(1);
    expect(trips(answer)).toEqual({ redis: 1, postgres: 0, queue: 0, embedder: 0 });
    const { results } = await answer.json<{ results: { statuses: string[] }[] }>();
    expect(results).toHaveLength(1_000);
    expect(results[29]?.statuses[0]).toBe("PRESENT");
    expect(results[30]?.statuses[0]).toBe("NOT_FOUND");
  });

  it("reads a store without meta from Postgres by setting, in one more round trip", async () => {
    const tenant = await newTenant();
    const key = await keyOf(tenant);
    const json = [payment(), payment({ payment_id: "p2", customer_id: "ü,%:" })];
    await call(`POST ${EVENTS}?wait=applied`, { key, json });
    const entities = ["c1", "ü,%:", "nobody"].map((customer_id) => ({ customer_id }));
    const features = ["customer_spend", "customer_lifetime", "velocity"];
    const request = entities.map(() => ({ amount: 25 }));
    const body = JSON.stringify({ features, entities, request, as_of: Date.now() + 60_000 });
    const lenient = { ...env, ON_INCOMPLETE_STORE: "postgres" } as unknown as Env;
    const read = async () => {
      const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
      const asked = new Request("https://api.example/v1/features/online", {
        method: "POST",
        headers,
        body,
      });
      const answer = await worker.fetch(asked, lenient, createExecutionContext());
      return { said: await answer.json<object>(), trips: trips(answer) };
    };
    const filled = await read();
    await context().online.dropMeta(tenant);
    const bypassed = await read();
    expect([filled.trips, bypassed.trips]).toMatchObject([
      { redis: 1, postgres: 0 },
      { redis: 1, postgres: 1 },
    ]);
    expect(bypassed.said).toEqual({ ...filled.said, degraded: ["online_store_bypassed"] });
  });

  it("takes events in one send, without Redis or Postgres", async () => {
    const key = await keyOf(await newTenant());
    const json = Array.from({ length: 100 }, (_, i) => payment({ payment_id: `p${i}` }));
    expect(trips(await call(`POST ${EVENTS}`, { key, json }))).toEqual({
      redis: 0,
      postgres: 0,
      queue: 1,
      embedder: 0,
    });
  });

  it("takes signed webhooks for the tenant whose secret it is, packed or not", async () => {
    const secret = config.webhookSecrets("PAYMENTS_WEBHOOK_SECRET")[0]?.secret ?? "";
    const raw = Uint8Array.from(atob(secret.slice("whsec_".length)), (c) => c.charCodeAt(0));
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const hmac = await crypto.subtle.importKey("raw", raw, algorithm, false, ["sign"]);
    const plain = new Response(JSON.stringify(payment())).body;
    const packed = plain?.pipeThrough(new CompressionStream("gzip")) ?? null;
    const body = new Uint8Array(await new Response(packed).arrayBuffer());
    const head = `msg_1.${Math.floor(Date.now() / 1000)}`;
    const signed = Uint8Array.from([...new TextEncoder().encode(`${head}.`), ...body]);
    const mac = new Uint8Array(await crypto.subtle.sign("HMAC", hmac, signed));
    const headers = {
      "content-encoding": "gzip",
      "webhook-id": "msg_1",
      "webhook-timestamp": head.slice("msg_1.".length),
      "webhook-signature": `v1,${btoa(String.fromCharCode(...mac))}`,
    };
    expect((await call(`POST ${EVENTS}`, { body, headers })).status).toBe(202);
    const other = { ...headers, "webhook-id": "msg_2" };
    expect((await call(`POST ${EVENTS}`, { body, headers: other })).status).toBe(401);
  });

  it("is ready", async () => {
    const answer = await call("GET /readyz");
    expect(answer.status).toBe(200);
    expect(trips(answer)).toEqual({ redis: 1, postgres: 1, queue: 0, embedder: 0 });
  });
});

describe("the Worker's queues and cron", () => {
  const batchOf = (queue: string, bodies: readonly unknown[]) =>
    createMessageBatch(
      queue,
      bodies.map((body, i) => ({ id: `m${i}`, timestamp: new Date(), attempts: 1, body })),
    );

  async function deliver(queue: string, bodies: readonly unknown[]) {
    const batch = batchOf(queue, bodies);
    const executionCtx = createExecutionContext();
    await worker.queue(batch, env, executionCtx);
    return getQueueResult(batch, executionCtx);
  }

  it("keeps dead letters in quarantine, from where they are replayed", async () => {
    const tenant = await newTenant();
    const key = await keyOf(tenant);
    const sent: IngestMessage[] = [];
    const sendBatch = vi.spyOn(env.INGEST_QUEUE, "sendBatch").mockImplementationOnce((messages) => {
      for (const { body } of messages) sent.push(body as IngestMessage);
      return Promise.resolve(undefined as unknown as QueueSendBatchResponse);
    });
    await worker.fetch(
      new Request(`https://api.example${EVENTS}`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify(payment()),
      }),
      env,
      createExecutionContext(),
    );
    sendBatch.mockRestore();
    expect(sent).toHaveLength(1);
    const result = await deliver("freshet-dead-letters", sent);
    expect(result.explicitAcks).toEqual(["m0"]);

    const listed = await call("GET /v1/quarantine", { key });
    const { items } = await listed.json<{ items: { id: string; reason: string }[] }>();
    expect(items.map(({ reason }) => reason)).toEqual(["dead_letter"]);
    const ids = items.map(({ id }) => id);
    const replayed = await call("POST /v1/quarantine/replay", { key, json: { ids } });
    expect(await replayed.json()).toEqual({ replayed: ids, refused: [], not_found: [] });
    await vi.waitUntil(
      async () => {
        const answer = await call("GET /v1/features/customer_spend/c1", { key });
        const { results } = await answer.json<{ results: { statuses: string[] }[] }>();
        return results[0]?.statuses[0] === "PRESENT";
      },
      { timeout: 30_000, interval: 200 },
    );
  });

  it("acknowledges a poison message and keeps it apart from its neighbours", async () => {
    const result = await deliver("freshet-ingest-staging", [{ v: 2 }, "nonsense"]);
    expect(result.explicitAcks).toEqual(["m0", "m1"]);
    expect(result.retryMessages).toEqual([]);
  });

  it("knows no other queues", async () => {
    await expect(deliver("freshet-other", [])).rejects.toThrow(/freshet-other/);
  });

  it("profiles views, whose quality is then told", async () => {
    const key = await keyOf(await newTenant());
    await call(`POST ${EVENTS}?wait=applied`, { key, json: [payment()] });
    const { promise, resolve } = Promise.withResolvers<unknown>();
    await vi.waitUntil(async () => {
      const executionCtx = createExecutionContext();
      await worker.scheduled(createScheduledController(), env, executionCtx);
      await waitOnExecutionContext(executionCtx);
      const answer = await call("GET /v1/quality/customer_spend", { key });
      const quality = await answer.json<{ profile: object | null }>();
      if (quality.profile !== null) resolve(quality);
      return quality.profile !== null;
    }, 15_000);
    expect(await promise).toMatchObject({
      version: 1,
      note: expect.stringMatching(/^no baseline yet/) as unknown,
      profile: { entities: 1, not_found: 0 },
    });
  });

  it("sweeps, and fills an online store that was flushed", async () => {
    const tenant = `t${crypto.randomUUID().slice(0, 8)}`;
    await context().archive.nextMeta(tenant);
    const executionCtx = createExecutionContext();
    await worker.scheduled(createScheduledController(), env, executionCtx);
    await waitOnExecutionContext(executionCtx);
    const { promise, resolve } = Promise.withResolvers<number>();
    await vi.waitUntil(async () => {
      const { meta } = await context().online.read(tenant, []);
      if (meta !== null) resolve(Object.keys(meta.views).length);
      return meta !== null;
    }, 30_000);
    expect(await promise).toBe(deployment.registry.views.size);
  });
});
