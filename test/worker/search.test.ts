import {
  createExecutionContext,
  createScheduledController,
  waitOnExecutionContext,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { applyIndexes } from "../../cli/apply-indexes.ts";
import { splitText } from "../../src/retrieval/chunk.ts";
import { createHashingEmbedder } from "../../src/retrieval/hashing-embedder.ts";
import { highlight } from "../../src/retrieval/highlight.ts";
import { changeDocuments } from "../../src/retrieval/index-documents.ts";
import { readDocument } from "../../src/retrieval/read-document.ts";
import worker from "../../src/worker.ts";
import { applyViews, call, context, deployment, keyOf, newTenant, payment, trips } from "./door.ts";

const DOCUMENTS = "/v1/collections/helpdesk/documents";
const SEARCH = "POST /v1/collections/helpdesk/search";
const NO_TRIPS = { redis: 0, postgres: 0, queue: 0, embedder: 0 };

interface Hit {
  readonly id: string;
  readonly text: string;
  readonly scores: { readonly bm25: number | null; readonly vector: number | null };
  readonly highlights?: readonly { readonly start: number; readonly end: number }[];
  readonly fields: Readonly<Record<string, unknown>>;
}

const ARTICLES = [
  {
    id: "refund",
    title: "Refunds",
    body: "Money comes back in three days.",
    topic: "money",
    updated_at: 5,
  },
  { id: "parcels/late", title: "Late parcels", body: "They leave the same day.", topic: "parcels" },
  { id: "返金", title: "返金について", body: "𠮷野家の返金は三日で届きます。", topic: "money" },
];

async function cron(): Promise<void> {
  const executionCtx = createExecutionContext();
  await worker.scheduled(createScheduledController(), env, executionCtx);
  await waitOnExecutionContext(executionCtx);
}

async function find(key: string, json: object) {
  const answer = await call(SEARCH, { key, json });
  expect([answer.status, trips(answer)]).toEqual([200, { ...NO_TRIPS, postgres: 1 }]);
  return (await answer.json<{ hits: Hit[] }>()).hits;
}
const idsOf = (hits: readonly Hit[]): readonly string[] => hits.map(({ id }) => id);

/** Puts a document as an older deployment would have: into another index. */
async function putOlder(tenant: string, id: string, body: string): Promise<void> {
  const plan = deployment.collections.get("helpdesk");
  if (plan === undefined) throw new Error("there is no helpdesk");
  const read = readDocument(plan, { body });
  if (!read.ok) throw new Error(read.error[0]?.detail);
  const older = { ...context(), vectorSpaceOf: () => createHashingEmbedder(64) };
  const put = { kind: "put", id, document: read.value } as const;
  await changeDocuments(older, { tenant, collection: plan }, [put]);
}

/** Before its index was applied, and after. */
const search = { before: 0, applied: false };

beforeAll(async () => {
  await applyViews();
  const key = await keyOf("early");
  search.before = (await call(SEARCH, { key, json: { query: "x" } })).status;
  await putOlder("early", "old", "written before anything was applied");
  search.applied = await applyIndexes({
    collections: deployment.collections,
    indexes: context().indexes,
    local: true,
    print: () => undefined,
    pause: cron,
  });
});

describe("an index in the Worker", () => {
  it("is built by the cron from what an older deployment wrote", async () => {
    expect(search).toEqual({ before: 503, applied: true });
    const key = await keyOf("early");
    const hits = await find(key, { query: "written before", mode: "keyword" });
    expect(idsOf(hits)).toEqual(["old"]);
  });
});

describe("documents in the Worker", () => {
  it("are found as soon as they are put, in English and Japanese, in one round trip", async () => {
    const tenant = await newTenant();
    const key = await keyOf(tenant);
    const { id: _, ...first } = ARTICLES[0] ?? {};
    const put = await call(`PUT ${DOCUMENTS}/refund`, { key, json: first });
    expect([put.status, trips(put)]).toEqual([200, { ...NO_TRIPS, postgres: 2 }]);
    const batch = await call(`POST ${DOCUMENTS}`, { key, json: { upserts: ARTICLES } });
    const { results } = await batch.json<{ results: { status: string }[] }>();
    expect(results.map(({ status }) => status)).toEqual(["written", "written", "written"]);

    const [english] = await find(key, { query: "how do refunds come back?", highlight: true });
    expect(english).toMatchObject({
      id: "refund",
      highlights: [
        { start: 6, end: 11 },
        { start: 12, end: 16 },
      ],
      fields: { title: "Refunds", topic: "money", updated_at: 5 },
    });
    expect(english?.scores).toEqual({
      bm25: expect.any(Number) as unknown,
      vector: expect.any(Number) as unknown,
    });
    const [japanese] = await find(key, { query: "𠮷野家　返金", mode: "keyword", highlight: true });
    const marked = japanese?.highlights?.map(({ start, end }) => japanese.text.slice(start, end));
    expect([japanese?.id, marked]).toEqual(["返金", ["𠮷野家", "返金"]]);
    expect(idsOf(await find(key, { query: "parcel", mode: "vector", k: 1 }))).toEqual([
      "parcels/late",
    ]);

    const gone = await call(`DELETE ${DOCUMENTS}/parcels%2Flate`, { key });
    expect(await gone.json()).toEqual({ id: "parcels/late", deleted: true });
    expect(idsOf(await find(key, { query: "parcels", mode: "keyword" }))).toEqual([]);
    const other = await keyOf(await newTenant());
    expect(await find(other, { query: "refunds" })).toEqual([]);
  });

  it("are searched in every mode, by every fusion and filter", async () => {
    const key = await keyOf(await newTenant());
    await call(`POST ${DOCUMENTS}`, { key, json: { upserts: ARTICLES } });
    const filters = [
      [undefined, ["parcels/late", "refund", "返金"]],
      [{ topic: "money" }, ["refund", "返金"]],
      [{ updated_at: { lte: "1970-01-01T00:00:01Z" } }, ["refund"]],
      [{ not: { or: [{ topic: { in: ["parcels"] } }, { updated_at: 5 }] } }, ["返金"]],
    ] as const;
    const query = "refunds parcels 返金";
    for (const [filter, expected] of filters) {
      for (const mode of ["hybrid", "keyword", "vector"]) {
        const hits = await find(key, { query, mode, filter });
        expect([mode, filter, idsOf(hits).toSorted()]).toEqual([mode, filter, expected]);
      }
    }
    for (const method of ["relative_score", "rrf", "dbsf"]) {
      const hits = await find(key, { query, fusion: { method, alpha: 0.3 }, k: 2 });
      expect([method, hits.length]).toEqual([method, 2]);
    }
    expect(await find(key, { query: "the and of", mode: "keyword" })).toEqual([]);
    expect(await find(key, { query: "!?", mode: "vector" })).toEqual([]);
    expect(await find(key, { query: "!?" })).toEqual([]);
  });

  it("vanish when they expire, and the cron removes them", async () => {
    const tenant = await newTenant();
    const key = await keyOf(tenant);
    const json = { title: "Sale", expires_at: Date.now() + 1_500 };
    const put = await call(`PUT ${DOCUMENTS}/sale`, { key, json });
    expect(put.status).toBe(200);
    await scheduler.wait(1_600);
    expect(await find(key, { query: "sale" })).toEqual([]);
    expect((await call(`GET ${DOCUMENTS}/sale`, { key })).status).toBe(404);
    await cron();
    const gone = await call(`DELETE ${DOCUMENTS}/sale`, { key });
    expect(await gone.json()).toEqual({ id: "sale", deleted: false });
  });

  it("of a megabyte, and queries of 4,096 tricky characters, take seconds at most", async () => {
    const key = await keyOf(await newTenant());
    await call(`POST ${DOCUMENTS}`, { key, json: { upserts: ARTICLES } });
    await scheduler.wait(1);
    const started = performance.now();
    for (const piece of ["word ", "日本語の文書。"]) {
      const text = piece.repeat(1_000_000 / piece.length);
      highlight(text, new Set(["word"]), "auto");
      expect(splitText(text, { tokens: 256 }).length).toBeGreaterThan(900);
    }
    const json = { title: "Large", body: "word ".repeat(200_000) };
    const put = await call(`PUT ${DOCUMENTS}/large`, { key, json });
    expect(await put.json()).toMatchObject({ status: 422, errors: [{ code: "too_many_chunks" }] });
    const han = String.fromCodePoint(...Array.from({ length: 4_096 }, (_, i) => 0x4e00 + i));
    for (const piece of [han, "w1 ", "ﷺ", "a'", "\u0327\u0301", "👩‍👩‍👧", "y"]) {
      const query = piece
        .repeat(4_096)
        .slice(0, 4_096)
        .replace(/[\ud800-\udbff]$/, "");
      await find(key, { query, highlight: true });
    }
    expect(performance.now() - started).toBeLessThan(40_000);
  });
});

describe("predictions in the Worker", () => {
  it("are made from the features that events left, in one round trip to Redis", async () => {
    const key = await keyOf(await newTenant());
    const json = [payment(), payment({ payment_id: "p2", amount: "7.50" })];
    await call("POST /v1/sources/payments/events?wait=applied", { key, json });
    const asked = {
      entities: [{ customer_id: "c1" }],
      request: [{ amount: 5_000, country: "BR" }],
      explain: true,
    };
    const answer = await call("POST /v1/models/fraud/predictions", { key, json: asked });
    expect([answer.status, trips(answer)]).toEqual([200, { ...NO_TRIPS, redis: 1 }]);
    const { predictions } = await answer.json<{
      predictions: { label: string; value: number; contributions: unknown[]; degraded: string[] }[];
    }>();
    expect(predictions).toMatchObject([{ label: "fraud", degraded: [] }]);
    expect(predictions[0]?.contributions).toContainEqual(
      expect.objectContaining({ feature: "velocity:amount_vs_mean", value: 500 }),
    );
  });
});
