import { beforeAll, describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.ts";
import { role } from "../../../src/governance/role.ts";
import { count } from "../../../src/features/aggregation.ts";
import * as define from "../../../src/features/define.ts";
import { apiKey, eventSource } from "../../../src/features/define-source.ts";
import { z } from "zod";
import { createTestApi, NOON, payment, type TestApi } from "../../support/requests.ts";

const HISTORY = "POST /v1/features/history";
const NDJSON = { "content-type": "application/x-ndjson" };
const MINUTE = 60_000;

interface Answer {
  readonly names: readonly string[];
  readonly rows: readonly {
    readonly values: readonly unknown[];
    readonly statuses: readonly string[];
  }[];
}

let api: TestApi;
let key: string;
beforeAll(async () => {
  api = await createTestApi();
  key = await api.key();
  const events = [
    { event: payment(), known_at: NOON - MINUTE },
    {
      event: payment({ payment_id: "p2", amount: "7.40", paid_at: "2026-11-22T11:00:00Z" }),
      known_at: NOON,
    },
    { event: payment({ payment_id: "p3", customer_id: "c2" }), known_at: NOON - MINUTE },
  ];
  await api.call("POST /v1/sources/payments/import", { key, json: { events } });
  await api.settle();
});

const ask = async (json: object): Promise<Response> => api.call(HISTORY, { key, json });
const lines = (...all: readonly unknown[]): string =>
  all.map((one) => (typeof one === "string" ? one : JSON.stringify(one))).join("\n");
async function linesOf(answer: Response): Promise<readonly unknown[]> {
  const text = (await answer.text()).trim().split("\n");
  return text.map((line) => JSON.parse(line) as unknown);
}
const at = NOON;
const c1 = { entity: { customer_id: "c1" }, at };
const features = ["customer_lifetime:payments", "customer_spend:amount_sum_7d"];

describe("POST /v1/features/history", () => {
  it("answers as the contract says: what was known by each row's time, before it", async () => {
    const rows = [
      c1,
      { ...c1, at: "2026-11-22T11:59:59.999Z" },
      { ...c1, known_at: NOON - 1 },
      { ...c1, at: NOON - MINUTE },
      { entity: { customer_id: "nobody" }, at },
    ];
    const answer = await ask({ features, rows });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      names: features,
      rows: [
        { values: [2, "19.9"], statuses: ["PRESENT", "PRESENT"] },
        { values: [1, "12.5"], statuses: ["PRESENT", "PRESENT"] },
        { values: [1, "12.5"], statuses: ["PRESENT", "PRESENT"] },
        { values: [0, null], statuses: ["NOT_FOUND", "NOT_FOUND"] },
        { values: [0, null], statuses: ["NOT_FOUND", "NOT_FOUND"] },
      ],
    });
    const latest = await ask({ features, known: "latest", rows: rows.slice(1, 4) });
    expect((await latest.json<Answer>()).rows.map(({ values }) => values[0])).toEqual([2, 1, 1]);
  });

  it("gives an online answer again, by its as_of and version", async () => {
    const online = await api.call("POST /v1/features/online", {
      key,
      json: {
        service: "fraud_features",
        entities: [{ customer_id: "c1" }, { customer_id: "nobody" }],
        request: [{ amount: 25 }, { amount: 1 }],
      },
    });
    const { as_of, names, results } = await online.json<{
      as_of: number;
      names: string[];
      results: { entity: object; values: unknown[]; statuses: string[]; version: object }[];
    }>();
    const amounts = [25, 1];
    const rows = results.map(({ entity, version }, i) => ({
      entity,
      version,
      at: as_of,
      request: { amount: amounts[i] },
    }));
    const again = await (await ask({ service: "fraud_features", rows })).json<Answer>();
    expect(again.names).toEqual(names);
    expect(again.rows).toEqual(results.map(({ values, statuses }) => ({ values, statuses })));
  });

  it.each([
    ["in_future", { ...c1, at: NOON + 1 }, "rows[0].at"],
    ["in_future", { ...c1, known_at: NOON + 1 }, "rows[0].known_at"],
    [
      "version_given",
      { ...c1, known_at: at, version: { customer_spend: "1.1" } },
      "rows[0].known_at",
    ],
    ["missing_version", { ...c1, version: { velocity: "2" } }, "rows[0].version.customer_spend"],
    ["missing_version", { ...c1, version: { customer_spend: "1.1" } }, "rows[0].version.velocity"],
    [
      "invalid_version",
      { ...c1, version: { customer_spend: "1", velocity: "2" } },
      "rows[0].version.customer_spend",
    ],
    [
      "other_version",
      { ...c1, version: { customer_spend: "2.1", velocity: "2" } },
      "rows[0].version.customer_spend",
    ],
    [
      "other_version",
      { ...c1, version: { customer_spend: "1.1", velocity: "9" } },
      "rows[0].version.velocity",
    ],
    [
      "unknown_version",
      { ...c1, version: { customer_spend: "1.3", velocity: "2" } },
      "rows[0].version.customer_spend",
    ],
    ["missing_key", { entity: { customer: "c1" }, at }, "rows[0].entity.customer_id"],
    ["invalid_key", { entity: { customer_id: "" }, at }, "rows[0].entity"],
    ["invalid_type", { ...c1, request: { amount: "x" } }, "rows[0].request.amount"],
  ])("refuses a row with 422 %s", async (code, row, path) => {
    const request = { amount: 1 };
    const answer = await ask({
      service: "fraud_features",
      rows: [
        { request, ...row },
        { request, ...c1 },
      ],
    });
    expect(answer.status).toBe(422);
    const { errors } = await answer.json<{ errors: { code: string; path: string }[] }>();
    expect(errors.map((one) => [one.code, one.path])).toEqual([[code, path]]);
  });

  it("takes a time to come where that says itself what was known", async () => {
    const later = { ...c1, at: NOON + 10 * MINUTE };
    for (const row of [
      { ...later, known_at: NOON },
      { ...later, version: { customer_lifetime: "1.2" } },
    ]) {
      const answer = await ask({ features: features.slice(0, 1), rows: [row] });
      expect((await answer.json<Answer>()).rows[0]?.values).toEqual([2]);
    }
  });

  it.each([
    ["no rows", { features }, "rows"],
    ["an empty list", { features, rows: [] }, "rows"],
    ["a row without a time", { features, rows: [{ entity: { customer_id: "c1" } }] }, "rows[0].at"],
    [
      "a time without offset",
      { features, rows: [{ ...c1, at: "2026-11-22T12:00:00" }] },
      "rows[0].at",
    ],
    ["another word for known", { features, known: "now", rows: [c1] }, "known"],
  ])("names the field of a request with %s", async (_, json, path) => {
    const answer = await ask(json);
    expect(answer.status).toBe(400);
    const { errors } = await answer.json<{ errors: { path: string }[] }>();
    expect(errors.map((error) => error.path)).toContain(path);
  });

  it("refuses more than 1,000 rows as JSON, and other types of content", async () => {
    const rows = Array.from({ length: 1_001 }, () => c1);
    expect((await ask({ features, rows })).status).toBe(400);
    const text = await api.call(HISTORY, {
      key,
      body: "{}",
      headers: { "content-type": "text/csv" },
    });
    expect(text.status).toBe(415);
  });

  it("reads an entity's log once for all of its rows, and no other store but the meta key", async () => {
    const rows = Array.from({ length: 1_000 }, (_, i) => ({ ...c1, at: NOON - i }));
    const answer = await ask({ features, rows });
    expect(answer.headers.get("server-timing")).toMatch(/postgres;dur=[\d.]+;desc="3"/);
  });

  it("needs read_history, on the service or each view", async () => {
    const narrow = role("narrow", [
      { actions: ["read_history"], resources: ["view:customer_spend"] },
      { actions: ["read_features"], resources: ["*"] },
    ]);
    const other = await createTestApi({ roles: [narrow] });
    const narrowKey = await other.key({ roles: ["narrow"] });
    const status = async (json: object) =>
      (await other.call(HISTORY, { key: narrowKey, json: { ...json, rows: [c1] } })).status;
    expect(await status({ features: ["customer_spend"] })).toBe(200);
    expect(await status({ features: ["customer_lifetime"] })).toBe(403);
    expect(await status({ service: "fraud_features" })).toBe(403);
    const body = lines({ features: ["customer_lifetime"] }, c1);
    const ndjson = await other.call(HISTORY, { key: narrowKey, body, headers: NDJSON });
    expect(ndjson.status).toBe(403);
  });

  it("keeps every digit of a long numeric key, in lines too", async () => {
    const transfers = eventSource("transfers", {
      schema: z.object({ id: z.string(), account: z.number(), at: z.number() }),
      id: "id",
      eventTime: "at",
      accept: [apiKey()],
    });
    const account = define.entity("account", { key: "account" });
    const view = define.featureView("transfers_of", {
      entity: account,
      source: transfers,
      features: { n: count() },
    });
    const own = await createTestApi({ definitions: [transfers, account, view] });
    const ownKey = await own.key();
    const sent = `[{"id":"a","account":9007199254740993,"at":${NOON - 1}}]`;
    const json = { "content-type": "application/json" };
    await own.call("POST /v1/sources/transfers/events", { key: ownKey, body: sent, headers: json });
    await own.settle();
    const row = `{"entity":{"account":9007199254740993},"at":${NOON}}`;
    const whole = await own.call(HISTORY, {
      key: ownKey,
      body: `{"features":["transfers_of"],"rows":[${row}]}`,
      headers: json,
    });
    expect((await whole.json<Answer>()).rows[0]?.values).toEqual([1]);
    const body = lines({ features: ["transfers_of"] }, row);
    const streamed = await own.call(HISTORY, { key: ownKey, body, headers: NDJSON });
    expect(await linesOf(streamed)).toContainEqual({ values: [1], statuses: ["PRESENT"] });
  });

  it("answers 503 where a view is not applied", async () => {
    const other = await createTestApi();
    other.truth.retired.add(other.truth.views[0]?.stateId ?? "");
    const json = { features: ["customer_spend"], rows: [c1] };
    const answer = await other.call(HISTORY, { key: await other.key(), json });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      detail: expect.stringContaining("npm run apply") as string,
    });
  });
});

describe("POST /v1/features/history with lines", () => {
  const send = (body: BodyInit, headers = {}) =>
    api.call(HISTORY, { key, body, headers: { ...NDJSON, ...headers } });

  it("answers line by line, refused rows in their place", async () => {
    const answer = await send(
      lines({ features }, c1, "{oops", { ...c1, at: "soon" }, "", { ...c1, at: NOON + 1 }, c1),
    );
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
    const present = { values: [2, "19.9"], statuses: ["PRESENT", "PRESENT"] };
    const [names, first, json, time, future, last, done] = await linesOf(answer);
    expect(names).toEqual({ names: features });
    expect([first, last]).toEqual([present, present]);
    expect(json).toMatchObject({ errors: [{ code: "invalid_json" }] });
    expect(time).toMatchObject({ errors: [{ path: "at" }] });
    expect(future).toMatchObject({ errors: [{ path: "at", code: "in_future" }] });
    expect(done).toEqual({ done: { rows: 5, refused: 3 } });
  });

  it("takes many more than a thousand, however the stream is cut", async () => {
    const text = lines(
      { features: features.slice(0, 1) },
      ...Array.from({ length: 2_500 }, () => c1),
    );
    const bytes = new TextEncoder().encode(text);
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let from = 0; from < bytes.length; from += 7_001) {
          controller.enqueue(bytes.slice(from, from + 7_001));
        }
        controller.close();
      },
    });
    const answered = await linesOf(await send(body));
    expect(answered).toHaveLength(2_502);
    expect(answered.at(-1)).toEqual({ done: { rows: 2_500, refused: 0 } });
  });

  it("refuses a first line that is none, before it answers anything", async () => {
    for (const first of ["", "{oops", '{"features":[]}', '{"rows":[]}']) {
      expect((await send(first)).status).toBe(400);
    }
    expect((await send('{"service":"nothing"}')).status).toBe(404);
    expect((await send('{"features":["nothing"]}')).status).toBe(422);
    expect(
      (await send('{"features":["customer_spend"]}', { "content-encoding": "gzip" })).status,
    ).toBe(415);
  });

  it("ends with an error where it has to be cut, and never as if it were whole", async () => {
    const other = await createTestApi();
    const otherKey = await other.key();
    const body = lines({ features }, c1);
    const call = () => other.call(HISTORY, { key: otherKey, body, headers: NDJSON });
    const down = new AppError("dependency_unavailable", "The database does not answer.");
    other.broken.set("postgres.readHeads", down);
    expect((await linesOf(await call())).at(-1)).toMatchObject({
      error: { code: "dependency_unavailable", detail: "The database does not answer." },
    });
    other.broken.set("postgres.readHeads", new Error("a secret"));
    const cut = (await linesOf(await call())).at(-1);
    expect(cut).toMatchObject({ error: { code: "internal" } });
    expect(JSON.stringify(cut)).not.toContain("secret");
    expect(other.lines.at(-1)).toMatchObject({ message: "history broke off" });
  });

  it("refuses a line that never ends, and bytes that are no text", async () => {
    const long = await send(lines({ features }, "x".repeat(70_000), "x".repeat(70_000)));
    expect((await linesOf(long)).at(-1)).toMatchObject({ error: { code: "payload_too_large" } });
    const head = new TextEncoder().encode(`${lines({ features })}\n`);
    const bad = await send(Uint8Array.from([...head, 0xc3, 0x28]));
    expect(bad.status).toBe(400);
  });
});
