import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { AppError } from "../../../src/errors.ts";
import { last, sum } from "../../../src/features/aggregation.ts";
import { entity, featureView } from "../../../src/features/define.ts";
import { apiKey, eventSource, standardWebhooks } from "../../../src/features/define-source.ts";
import { bigint, decimal } from "../../../src/features/fields.ts";
import {
  createTestApi,
  NOON,
  payment,
  signWebhook,
  WEBHOOK_SECRET,
  type TestApi,
} from "../../support/requests.ts";

const EVENTS = "POST /v1/sources/payments/events";
const NDJSON = { "content-type": "application/x-ndjson" };
const JSON_TYPE = { "content-type": "application/json" };

interface Accepted {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: readonly {
    index: number;
    code: string;
    detail: string;
    quarantine_id: string;
  }[];
  readonly event_ids: readonly string[];
  readonly applied?: boolean;
}

async function accepted(answer: Response): Promise<Accepted> {
  expect(answer.status).toBe(202);
  return await answer.json<Accepted>();
}

const code = async (answer: Response): Promise<string> =>
  (await answer.json<{ code: string }>()).code;

async function feature(api: TestApi, key: string, name: string, customer = "c1"): Promise<unknown> {
  const json = { features: [name], entities: [{ customer_id: customer }] };
  const answer = await api.call("POST /v1/features/online", { key, json });
  return (await answer.json<{ results: { values: unknown[] }[] }>()).results[0]?.values[0];
}

describe("POST /v1/sources/{source}/events", () => {
  it("answers as the contract says, and says nothing of waiting unless it waited", async () => {
    const api = await createTestApi();
    const json = [
      payment(),
      payment({ payment_id: "p2", amount: "much" }),
      payment(),
      payment({ payment_id: "p3" }),
    ];
    const answer = await accepted(await api.call(EVENTS, { key: await api.key(), json }));
    expect(answer).toEqual({
      accepted: 2,
      duplicates: 1,
      rejected: [
        {
          index: 1,
          code: "invalid_event",
          detail: "amount: expected a decimal of at most 38 digits",
          quarantine_id: expect.stringMatching(/^qrt_[0-9a-z]{26}$/) as string,
        },
      ],
      event_ids: ["p1", "p3"],
    });
  });

  it("takes one object, an array, and lines", async () => {
    const api = await createTestApi();
    const key = await api.key({ roles: ["producer"] });
    const one = await api.call(EVENTS, { key, json: payment() });
    expect((await accepted(one)).event_ids).toEqual(["p1"]);
    const several = await api.call(EVENTS, {
      key,
      json: [payment(), payment({ payment_id: "p2" })],
    });
    expect((await accepted(several)).event_ids).toEqual(["p1", "p2"]);
    const lines = `${JSON.stringify(payment())}\n\nnonsense\n${JSON.stringify(payment({ payment_id: "p2" }))}\r\n`;
    const ofLines = await accepted(await api.call(EVENTS, { key, body: lines, headers: NDJSON }));
    expect(ofLines.event_ids).toEqual(["p1", "p2"]);
    expect(ofLines.rejected).toMatchObject([{ index: 1, code: "invalid_event" }]);
    expect((await accepted(await api.call(EVENTS, { key, json: [] }))).accepted).toBe(0);
  });

  it("rejects an invalid event inside a 202, even alone", async () => {
    const api = await createTestApi();
    const answer = await accepted(await api.call(EVENTS, { key: await api.key(), json: 7 }));
    expect(answer).toMatchObject({ accepted: 0, rejected: [{ index: 0, code: "invalid_event" }] });
  });

  it.each([
    ["a body that is no JSON", "{", JSON_TYPE, 400, "invalid_request"],
    ["an empty body", "", JSON_TYPE, 400, "invalid_request"],
    [
      "a body that is no UTF-8",
      new Uint8Array([123, 0xff, 125]),
      JSON_TYPE,
      400,
      "invalid_request",
    ],
    ["brackets 10,000 deep", "[".repeat(10_000), JSON_TYPE, 400, "invalid_request"],
    ["another type", "a,b", { "content-type": "text/csv" }, 415, "unsupported_media_type"],
    ["no type", new Uint8Array([123, 125]), {}, 415, "unsupported_media_type"],
    ["1,001 events", `[${"{},".repeat(1_000)}{}]`, JSON_TYPE, 413, "payload_too_large"],
  ])("refuses %s", async (_, body, headers, status, expected) => {
    const api = await createTestApi();
    const answer = await api.call(EVENTS, { key: await api.key(), body, headers });
    expect(answer.status).toBe(status);
    expect(await code(answer)).toBe(expected);
  });

  it("keeps every digit, whether a number came as JSON number or as text", async () => {
    const things = eventSource("things", {
      schema: z.object({
        id: z.string(),
        of: z.string(),
        n: bigint(),
        d: decimal(),
        at: z.number(),
      }),
      id: "id",
      eventTime: "at",
      accept: [apiKey()],
    });
    const thing = entity("thing", { key: "of" });
    const view = featureView("thing_sums", {
      entity: thing,
      source: things,
      features: { n: sum("n"), d: sum("d"), last_n: last("n") },
    });
    const api = await createTestApi({ definitions: [things, thing, view] });
    const key = await api.key();
    const digits = "12345678901234567890123456789012.345678";
    const body = `[{"id":"a","of":"t","n":9007199254740993,"d":${digits},"at":${NOON}},
      {"id":"b","of":"t","n":"1","d":"0.000001","at":${NOON}}]`;
    await accepted(
      await api.call("POST /v1/sources/things/events", { key, body, headers: JSON_TYPE }),
    );
    await api.settle();
    const answer = await api.call("GET /v1/features/thing_sums/t", { key });
    const { results } = await answer.json<{ results: { values: unknown[] }[] }>();
    expect(results[0]?.values).toEqual([
      "9007199254740994",
      "12345678901234567890123456789012.345679",
      "1",
    ]);
  });

  it("never lets a personal value into the queue, the truth or the log", async () => {
    const api = await createTestApi();
    const key = await api.key();
    const email = "grace.hopper@example.com";
    await api.call(EVENTS, { key, json: [payment({ email }), payment({ email, amount: "no" })] });
    const queued = api.queue.drain();
    expect(queued).not.toEqual([]);
    expect(JSON.stringify(queued)).not.toContain("hopper");
    expect(JSON.stringify(api.lines)).not.toContain("hopper");
  });

  it("costs one send, and no request to Redis or Postgres", async () => {
    const api = await createTestApi();
    const key = await api.key();
    await api.call(EVENTS, { key, json: payment() });
    await Promise.all(api.after.splice(0));
    const json = Array.from({ length: 40 }, (_, i) => payment({ payment_id: `p${i}` }));
    const answer = await api.call(EVENTS, { key, json });
    expect(answer.headers.get("server-timing")).toMatch(
      /^redis;dur=0\.0;desc="0", postgres;dur=0\.0;desc="0", queue;dur=[\d.]+;desc="1", embedder;dur=0\.0;desc="0"/,
    );
    expect(api.after).toEqual([]);
  });

  it("goes on answering while Redis and Postgres are down", async () => {
    const api = await createTestApi();
    const down = new AppError("dependency_unavailable", "does not answer");
    api.broken.set("redis", down).set("postgres", down);
    const answer = await api.call(EVENTS, { key: await api.key(), json: payment() });
    expect((await accepted(answer)).accepted).toBe(1);
  });

  it.each([
    ["too_many_requests", 429, "7"],
    ["dependency_unavailable", 503, "5"],
  ] as const)(
    "answers %s when the queue does, and when to come again",
    async (reason, status, after) => {
      const api = await createTestApi();
      const retry = reason === "too_many_requests" ? { retryAfterSeconds: 7 } : {};
      api.broken.set("queue", new AppError(reason, "The queue does not take it.", retry));
      const answer = await api.call(EVENTS, { key: await api.key(), json: payment() });
      expect(answer.status).toBe(status);
      expect(answer.headers.get("retry-after")).toBe(after);
      expect(await code(answer)).toBe(reason);
    },
  );

  it("knows no source that is not defined, and no way to wait but one", async () => {
    const api = await createTestApi();
    const key = await api.key();
    const unknown = await api.call("POST /v1/sources/nothing/events", { key, json: {} });
    expect(unknown.status).toBe(404);
    expect((await api.call(`${EVENTS}?wait=forever`, { key, json: {} })).status).toBe(400);
  });

  it("carries the trace into the queue", async () => {
    const api = await createTestApi();
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const key = await api.key();
    await api.call(EVENTS, { key, json: payment(), headers: { traceparent } });
    expect(api.queue.drain()).toMatchObject([{ body: { traceparent } }]);
  });
});

describe("wait=applied", () => {
  it("answers when the events are visible", async () => {
    const api = await createTestApi();
    const key = await api.key();
    api.whileWaiting(async () => void (await api.settle()));
    const answer = await accepted(
      await api.call(`${EVENTS}?wait=applied`, { key, json: payment() }),
    );
    expect(answer.applied).toBe(true);
    expect(await feature(api, key, "customer_spend:payments_1h")).toBe(1);
  });

  it("answers false after ten seconds, and the events are safe", async () => {
    const api = await createTestApi();
    const key = await api.key();
    api.whileWaiting(async (ms) => void (api.clock.now += ms));
    const answer = await accepted(
      await api.call(`${EVENTS}?wait=applied`, { key, json: payment() }),
    );
    expect(answer.applied).toBe(false);
    expect(api.clock.now - NOON).toBeGreaterThanOrEqual(10_000);
    expect(api.clock.now - NOON).toBeLessThan(10_500);
    await api.settle();
    expect(await feature(api, key, "customer_spend:payments_1h")).toBe(1);
  });
});

describe("gzip", () => {
  const gzip = { ...JSON_TYPE, "content-encoding": "gzip" };

  it("is taken for events and for questions", async () => {
    const api = await createTestApi();
    const key = await api.key();
    const body = gzipSync(JSON.stringify([payment()]));
    expect((await accepted(await api.call(EVENTS, { key, body, headers: gzip }))).accepted).toBe(1);
    const asked = { features: ["customer_spend"], entities: [{ customer_id: "c1" }] };
    const question = { key, body: gzipSync(JSON.stringify(asked)), headers: gzip };
    expect((await api.call("POST /v1/features/online", question)).status).toBe(200);
  });

  it("is stopped when it inflates beyond the limit", async () => {
    const api = await createTestApi();
    const bomb = gzipSync(new Uint8Array(200 * 1024 * 1024));
    const answer = await api.call(EVENTS, { key: await api.key(), body: bomb, headers: gzip });
    expect(answer.status).toBe(413);
    expect(await code(answer)).toBe("payload_too_large");
  });

  it.each([
    ["plain text", new TextEncoder().encode("{}"), "gzip", 400],
    ["half of it", gzipSync(JSON.stringify(payment())).subarray(0, 40), "gzip", 400],
    ["another coding", new TextEncoder().encode("{}"), "br", 415],
    ["two codings", gzipSync(gzipSync("{}")), "gzip, gzip", 415],
  ])("refuses %s under that name", async (_, body: Uint8Array, coding, status) => {
    const api = await createTestApi();
    const headers = { ...JSON_TYPE, "content-encoding": coding };
    expect((await api.call(EVENTS, { key: await api.key(), body, headers })).status).toBe(status);
  });
});

describe("large bodies", () => {
  const MB = 1024 * 1024;

  it("are refused by their declared length, before they are read", async () => {
    const api = await createTestApi();
    const headers = { ...JSON_TYPE, "content-length": String(5 * MB + 1) };
    const answer = await api.call(EVENTS, { key: await api.key(), body: "[]", headers });
    expect(answer.status).toBe(413);
  });

  it("are stopped at the limit where no length is declared", async () => {
    const api = await createTestApi();
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(64 * 1024).fill(32));
      },
    });
    const answer = await api.call(EVENTS, {
      key: await api.key(),
      body: endless,
      headers: JSON_TYPE,
    });
    expect(answer.status).toBe(413);
    expect(pulled).toBeLessThan(90);
  });

  it("have 1 MB for questions", async () => {
    const api = await createTestApi();
    const body = JSON.stringify({ features: ["x".repeat(MB)], entities: [{ customer_id: "c1" }] });
    const answer = await api.call("POST /v1/features/online", {
      key: await api.key(),
      body,
      headers: JSON_TYPE,
    });
    expect(answer.status).toBe(413);
  });

  it("do not keep a too large event from being told apart from its neighbours", async () => {
    const api = await createTestApi();
    const json = [payment(), payment({ payment_id: "p2", country: "東".repeat(60_000) })];
    const answer = await accepted(await api.call(EVENTS, { key: await api.key(), json }));
    expect(answer).toMatchObject({
      accepted: 1,
      rejected: [{ index: 1, code: "event_too_large" }],
    });
    await api.settle();
    expect(api.truth.quarantine.size).toBe(1);
  });
});

describe("webhooks", () => {
  const body = JSON.stringify(payment());

  it("are taken by their signature, for the tenant whose secret it is", async () => {
    const api = await createTestApi();
    const headers = await signWebhook(body);
    const answer = await accepted(await api.call(EVENTS, { body, headers }));
    expect(answer.accepted).toBe(1);
    expect(api.queue.drain()).toMatchObject([{ body: { events: [{ tenant: "acme" }] } }]);
  });

  it("are signed over the bytes as they are sent", async () => {
    const api = await createTestApi();
    const packed = gzipSync(body);
    const headers = { ...(await signWebhook(packed)), "content-encoding": "gzip" };
    expect((await accepted(await api.call(EVENTS, { body: packed, headers }))).accepted).toBe(1);
  });

  it("count once when they are sent again, and not at all when they are old", async () => {
    const api = await createTestApi();
    const key = await api.key();
    const headers = await signWebhook(body);
    await api.call(EVENTS, { body, headers });
    await api.call(EVENTS, { body, headers });
    await api.settle();
    expect(await feature(api, key, "customer_spend:payments_1h")).toBe(1);
    api.clock.now = NOON + 301_000;
    const replayed = await api.call(EVENTS, { body, headers });
    expect(replayed.status).toBe(401);
    expect(await replayed.json()).toMatchObject({
      detail: expect.stringContaining("tolerance") as string,
    });
  });

  it("are refused, and not parsed, when anything was changed", async () => {
    const api = await createTestApi();
    const headers = await signWebhook(body);
    const tampered = [
      { body: body.replace("12.50", "99.50"), headers },
      { body: "{", headers },
      { body, headers: { ...headers, "webhook-id": "msg_other" } },
      { body, headers: { ...headers, "webhook-signature": `v1,${"A".repeat(43)}=` } },
      { body, headers: { ...headers, "webhook-signature": "v2,AAAA" } },
    ];
    for (const call of tampered) {
      const answer = await api.call(EVENTS, call);
      expect(answer.status).toBe(401);
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
    }
    expect(api.queue.drain()).toEqual([]);
  });

  it("are for the sources that accept them, and keys for those that accept keys", async () => {
    const [hooks, keys] = (["hooks", "keys"] as const).map((name) =>
      eventSource(name, {
        schema: z.object({ id: z.string(), at: z.number() }),
        id: "id",
        eventTime: "at",
        accept: [name === "keys" ? apiKey() : standardWebhooks("PAYMENTS_WEBHOOK_SECRET")],
      }),
    );
    const api = await createTestApi({
      definitions: [hooks, keys].filter((one) => one !== undefined),
    });
    const key = await api.key();
    const json = { id: "a", at: NOON };
    const sent = JSON.stringify(json);
    const headers = await signWebhook(sent);
    const both = { ...headers, authorization: `Bearer ${key}` };
    expect((await api.call("POST /v1/sources/hooks/events", { body: sent, headers })).status).toBe(
      202,
    );
    expect(
      (await api.call("POST /v1/sources/hooks/events", { body: sent, headers: both })).status,
    ).toBe(202);
    expect((await api.call("POST /v1/sources/hooks/events", { key, json })).status).toBe(403);
    expect((await api.call("POST /v1/sources/keys/events", { body: sent, headers })).status).toBe(
      401,
    );
    expect((await api.call("POST /v1/sources/keys/events", { key, json })).status).toBe(202);
    // Nothing tells a stranger which sources there are.
    expect(
      (await api.call("POST /v1/sources/nothing/events", { body: sent, headers })).status,
    ).toBe(401);
  });

  it("say nothing of a secret that is not set", async () => {
    const source = eventSource("hooks", {
      schema: z.object({ id: z.string(), at: z.number() }),
      id: "id",
      eventTime: "at",
      accept: [standardWebhooks("FORGOTTEN_SECRET")],
    });
    const api = await createTestApi({ definitions: [source] });
    const headers = await signWebhook(body);
    const answer = await api.call("POST /v1/sources/hooks/events", { body, headers });
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain("FORGOTTEN");
    expect(JSON.stringify(api.lines)).toContain("FORGOTTEN_SECRET");
    expect(JSON.stringify(api.lines)).not.toContain(WEBHOOK_SECRET);
  });
});

describe("POST /v1/sources/{source}/import", () => {
  const IMPORT = "POST /v1/sources/payments/import";

  it("keeps when each event was known", async () => {
    const api = await createTestApi();
    const key = await api.key({ roles: ["operator"] });
    const json = {
      events: [
        { event: payment(), known_at: "2026-11-22T10:00:00Z" },
        { event: payment({ payment_id: "p2" }), known_at: NOON - 1 },
      ],
    };
    expect((await accepted(await api.call(IMPORT, { key, json }))).accepted).toBe(2);
    const known = api.queue
      .drain()
      .flatMap(({ body }) => (body.kind === "events" ? body.events : []))
      .map(({ knownAt }) => knownAt);
    expect(known).toEqual([Date.parse("2026-11-22T10:00:00Z"), NOON - 1]);
  });

  it("keeps every digit", async () => {
    const api = await createTestApi();
    const key = await api.key();
    const event = JSON.stringify(payment()).replace(
      '"12.50"',
      "12345678901234567890.123456789012345678",
    );
    const body = `{"events":[{"event":${event},"known_at":${NOON}}]}`;
    await accepted(await api.call(IMPORT, { key, body, headers: JSON_TYPE }));
    await api.settle();
    expect(await feature(api, key, "customer_spend:amount_sum_7d")).toBe(
      "12345678901234567890.123456789012345678",
    );
  });

  it("rejects entries without a time, without an event, or known in the future", async () => {
    const api = await createTestApi();
    const json = {
      events: [
        { event: payment() },
        { known_at: NOON },
        { event: payment(), known_at: NOON + 1 },
        { event: payment(), known_at: "yesterday" },
        7,
      ],
    };
    const answer = await accepted(await api.call(IMPORT, { key: await api.key(), json }));
    expect(answer.accepted).toBe(0);
    expect(answer.rejected.map((one) => one.code)).toEqual([
      "invalid_event",
      "invalid_event",
      "event_in_future",
      "invalid_event",
      "invalid_event",
    ]);
  });

  it.each([
    ["another form", [payment()], 400],
    ["more than 1,000 events", { events: Array.from({ length: 1_001 }, () => 0) }, 413],
  ])("refuses %s", async (_, json, status) => {
    const api = await createTestApi();
    expect((await api.call(IMPORT, { key: await api.key(), json })).status).toBe(status);
  });

  it("is not for lines, nor for keys that only ingest", async () => {
    const api = await createTestApi();
    const lines = { body: "{}", headers: NDJSON };
    expect((await api.call(IMPORT, { key: await api.key(), ...lines })).status).toBe(415);
    const producer = await api.key({ roles: ["producer"] });
    expect((await api.call(IMPORT, { key: producer, json: { events: [] } })).status).toBe(403);
  });
});
