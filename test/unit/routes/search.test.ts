import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.ts";
import { role } from "../../../src/governance/role.ts";
import { clientVectors, collection, lexicalHashing } from "../../../src/retrieval/define.ts";
import { createTestApi, NOON } from "../../support/requests.ts";

const SEARCH = "POST /v1/collections/help/search";
const embedder = lexicalHashing({ dimensions: 256 });
const help = collection("help", {
  embedder,
  text: ["title", "body"],
  chunk: { tokens: 64 },
  fields: { topic: "string", price: "number", tags: "string[]", at: "time", open: "boolean" },
});
const plain = collection("plain", { embedder, text: ["body"] });
const vectors = collection("vectors", {
  embedder: clientVectors({ dimensions: 3 }),
  text: ["body"],
});

const ARTICLES = [
  {
    id: "refund",
    title: "Refunds",
    body: "Money comes back in three days.",
    topic: "money",
    price: 5,
  },
  { id: "card", title: "Cards", body: "A card that was refused.", topic: "money", tags: ["visa"] },
  {
    id: "ship",
    title: "Shipping",
    body: "Parcels leave the same day.",
    topic: "parcels",
    at: NOON,
  },
  {
    id: "henkin",
    title: "返金",
    body: "返金は三日で届きます。𠮷野家でも使えます。",
    topic: "money",
  },
];

interface Hit {
  readonly id: string;
  readonly chunk: number;
  readonly score: number;
  readonly scores: { readonly bm25: number | null; readonly vector: number | null };
  readonly text: string;
  readonly highlights?: readonly { readonly start: number; readonly end: number }[];
  readonly fields: Readonly<Record<string, unknown>>;
}

async function open(options: Parameters<typeof createTestApi>[0] = {}) {
  const api = await createTestApi({ definitions: [help, plain, vectors], ...options });
  const key = await api.key();
  if (options.applied !== false) {
    const json = { upserts: ARTICLES };
    await api.call("POST /v1/collections/help/documents", { key, json });
  }
  await Promise.all(api.after.splice(0));
  api.embedded.length = 0;
  const ask = (json: unknown) => api.call(SEARCH, { key, json });
  const answer = async (json: unknown) =>
    (await ask(json)).json<{ hits: Hit[]; degraded: string[] }>();
  const ids = async (json: unknown) => (await answer(json)).hits.map(({ id }) => id);
  return { api, key, ask, answer, ids };
}

const trips = (answer: Response): Record<string, number> =>
  Object.fromEntries(
    [...(answer.headers.get("server-timing") ?? "").matchAll(/(\w+);dur=[\d.]+;desc="(\d+)"/g)].map(
      ([, name = "", count]) => [name, Number(count)],
    ),
  );

describe("a search", () => {
  it("answers as the contract says", async () => {
    const { ask } = await open();
    const answer = await ask({ query: "refunds", mode: "keyword", highlight: true });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      hits: [
        {
          id: "refund",
          chunk: 0,
          score: expect.any(Number) as unknown,
          scores: { bm25: expect.any(Number) as unknown, vector: null },
          text: "Money comes back in three days.",
          highlights: [],
          fields: { title: "Refunds", topic: "money", price: 5 },
        },
      ],
      facets: {},
      degraded: [],
      cursor: null,
    });
  });

  it("has no title among its fields where the collection has none", async () => {
    const { api, key } = await open();
    const path = "/v1/collections/plain";
    await api.call(`PUT ${path}/documents/d`, { key, json: { body: "text" } });
    const json = { query: "text" };
    const { hits } = await (
      await api.call(`POST ${path}/search`, { key, json })
    ).json<{ hits: Hit[] }>();
    expect(hits).toMatchObject([{ id: "d", fields: {} }]);
    expect(hits[0]).not.toHaveProperty("highlights");
  });

  it.each([
    ["hybrid", { query: "refunds" }, 1],
    ["hybrid", { query: "refunds", vector: Array(256).fill(1) }, 0],
    ["keyword", { query: "refunds" }, 0],
    ["vector", { query: "refunds" }, 1],
    ["vector", { vector: Array(256).fill(1) }, 0],
  ])("in %s mode makes one round trip to Postgres: %#", async (mode, asked, embeddings) => {
    const { api, ask } = await open();
    api.clock.now += 15_000;
    const answer = await ask({ ...asked, mode });
    expect(answer.status).toBe(200);
    expect(trips(answer)).toEqual({ redis: 0, postgres: 1, queue: 0, embedder: embeddings });
    // Revoked keys are asked for after the answer.
    expect(api.after).toHaveLength(1);
  });

  it("is hybrid by default, and by vectors where only a vector is given", async () => {
    const { answer } = await open();
    const [best] = (await answer({ query: "refunds" })).hits;
    expect(best).toMatchObject({ id: "refund", score: 1 });
    expect(best?.scores.bm25).toBeGreaterThan(0);
    expect(best?.scores.vector).toBeGreaterThan(0);
    const { hits } = await answer({ vector: Array(256).fill(1) });
    expect(hits).toHaveLength(4);
    for (const { score, scores } of hits) expect(scores).toEqual({ bm25: null, vector: score });
  });

  it("embeds the query as it is", async () => {
    const { api, ask } = await open();
    await ask({ query: "  Wann kommt mein Geld? " });
    expect(api.embedded).toEqual([["  Wann kommt mein Geld? "]]);
  });

  it("finds what was written as soon as the write answers, and not what it replaced", async () => {
    const { api, key, ids } = await open();
    const documents = "/v1/collections/help/documents";
    const keyword = (query: string) => ids({ query, mode: "keyword" });
    await api.call(`PUT ${documents}/refund`, { key, json: { title: "Vouchers" } });
    expect(await keyword("refunds")).toEqual([]);
    expect(await keyword("voucher")).toEqual(["refund"]);
    await api.call(`DELETE ${documents}/refund`, { key });
    expect(await keyword("voucher")).toEqual([]);
  });

  it("gives k hits, at most 200", async () => {
    const { api, key, ids } = await open();
    const upserts = Array.from({ length: 250 }, (_, i) => ({ id: `n${i}`, title: `note ${i}` }));
    await api.call("POST /v1/collections/help/documents", { key, json: { upserts } });
    expect(await ids({ query: "note" })).toHaveLength(10);
    expect(await ids({ query: "note", k: 1 })).toHaveLength(1);
    expect(await ids({ query: "note", k: 200 })).toHaveLength(200);
  });

  it("weighs words and vectors as it is told", async () => {
    const { answer } = await open();
    const of = async (fusion: object) => (await answer({ query: "days money", fusion })).hits;
    const byVectorAlone = (await of({ alpha: 0 })).filter(({ scores }) => scores.bm25 === null);
    expect(byVectorAlone.length).toBeGreaterThan(0);
    expect(byVectorAlone.map(({ score }) => score)).toEqual(byVectorAlone.map(() => 0));
    const [best] = await of({ method: "rrf" });
    expect(best?.score).toBeCloseTo(2 / 61, 6);
    for (const { score } of await of({ method: "dbsf", alpha: 0.3 })) {
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(1);
    }
    const keyword = { query: "days money", mode: "keyword" };
    const scoreOf = async (bm25: object) => (await answer({ ...keyword, bm25 })).hits[0]?.score;
    expect(await scoreOf({ k1: 0 })).not.toBe(await scoreOf({ k1: 10 }));
  });
});

describe("a query of", () => {
  it("stop words alone is found by its letters, or not at all", async () => {
    const { ask, ids } = await open();
    expect(await ids({ query: "the and of it", mode: "keyword" })).toEqual([]);
    expect((await ask({ query: "the and of it" })).status).toBe(200);
    expect(await ids({ query: "!?… 🎏", mode: "keyword" })).toEqual([]);
    expect((await ask({ query: "!?…" })).status).toBe(200);
    expect((await ask({ query: "!?…", mode: "vector" })).status).toBe(200);
  });

  it("4,096 characters is taken, of one more refused", async () => {
    const { ask } = await open();
    for (const piece of ["refund ", "返金", "a.b'", "\u0301", "x"]) {
      const query = piece.repeat(4_096).slice(0, 4_096);
      expect((await ask({ query, highlight: true })).status).toBe(200);
    }
    expect((await ask({ query: "x".repeat(4_097) })).status).toBe(400);
  });

  it.each([
    ["nothing", {}],
    ["nothing at all", { query: "" }],
    ["blanks", { query: " \n\u3000" }],
    ["blanks, in vector mode", { query: " ", mode: "vector" }],
    ["a vector, for words", { vector: Array(256).fill(1), mode: "keyword" }],
    ["a vector, for both", { vector: Array(256).fill(1), mode: "hybrid" }],
  ])("%s is refused, and says what is missing", async (_, json) => {
    const { ask } = await open();
    const answer = await ask(json);
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({
      errors: [{ path: "query", code: "missing_query" }],
    });
    expect(trips(answer)).toMatchObject({ postgres: 0, embedder: 0 });
  });

  it.each(["half \ud83d a pair", "NUL \0"])("broken text is refused: %j", async (query) => {
    const { ask } = await open();
    const answer = await ask({ query });
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({
      errors: [{ path: "query", code: "invalid_text" }],
    });
  });
});

describe("highlights", () => {
  const shown = ({ text, highlights = [] }: Hit): readonly string[] =>
    highlights.map(({ start, end }) => text.slice(start, end));

  it("say where the query's words are, whatever their form", async () => {
    const { answer } = await open();
    const { hits } = await answer({ query: "refusing CARDS", mode: "keyword", highlight: true });
    expect(hits.map(shown)).toEqual([["card", "refused"]]);
  });

  it("count UTF-16 units in Japanese, beyond surrogate pairs", async () => {
    const { answer } = await open();
    const of = async (query: string, mode: string) =>
      (await answer({ query, mode, highlight: true, k: 1 })).hits.flatMap(shown);
    expect(await of("返金", "keyword")).toEqual(["返金"]);
    expect(await of("𠮷野家", "keyword")).toEqual(["𠮷野家"]);
    expect(await of("使え", "hybrid")).toEqual(["使え"]);
    // Found by its vector, with the query's words marked all the same.
    expect(await of("返金は三日", "vector")).toEqual(["返金は三日"]);
  });

  it("survive a text of nothing but tricks", async () => {
    const { api, key, answer } = await open();
    const body = "🎏👩‍👩‍👧 Straße ﬁn ２０２６年 e\u0301te\u0301 İstanbul O’Neill's";
    const json = { title: "x", body };
    await api.call("PUT /v1/collections/help/documents/t", { key, json });
    for (const query of ["straße", "fin", "2026年", "été", "istanbul", "o'neill"]) {
      const { hits } = await answer({ query, mode: "keyword", highlight: true });
      expect([query, hits.length]).toEqual([query, 1]);
      expect([query, ...hits.flatMap(shown)]).toHaveLength(2);
    }
  });
});

describe("filters", () => {
  it.each([
    [{ topic: "money" }, ["card", "henkin", "refund"]],
    [{ topic: { in: ["money", "parcels"] }, price: { gte: 5 } }, ["refund"]],
    [{ tags: { contains: "visa" } }, ["card"]],
    [{ at: { lte: "2026-11-22T12:00:00Z" } }, ["ship"]],
    [{ not: { topic: "money" } }, ["ship"]],
    [{ or: [{ price: 5 }, { at: { exists: true } }] }, ["refund", "ship"]],
    [{ open: { exists: true } }, []],
    [{}, ["card", "henkin", "refund", "ship"]],
    [null, ["card", "henkin", "refund", "ship"]],
  ])("hold for every mode: %j", async (filter, expected) => {
    const { ids } = await open();
    expect((await ids({ vector: Array(256).fill(1), filter })).toSorted()).toEqual(expected);
    const query = "money card parcels 返金 refunds";
    expect((await ids({ query, filter })).toSorted()).toEqual(expected);
    expect((await ids({ query, mode: "keyword", filter })).toSorted()).toEqual(expected);
  });

  it.each([
    [{ colour: "red" }, "filter.colour", "unknown_field"],
    [{ price: "5" }, "filter.price", "wrong_type"],
    [{ price: { near: 5 } }, "filter.price.near", "unknown_operator"],
    [{ tags: "visa" }, "filter.tags", "wrong_operator"],
    [{ or: { topic: "x" } }, "filter.or", "wrong_type"],
    [{ and: [{}, { at: { gt: "noon" } }] }, "filter.and[1].at.gt", "invalid_time"],
    [{ topic: null }, "filter.topic", "wrong_type"],
    [{ __proto__: null, constructor: 1 }, "filter.constructor", "unknown_field"],
  ])("that are wrong say where: %j", async (filter, path, code) => {
    const { ask } = await open();
    const answer = await ask({ query: "x", filter });
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({
      detail: expect.stringMatching(/^the filter is wrong: /) as unknown,
      errors: [{ path, code }],
    });
  });

  it("deep as a well are refused", async () => {
    const { api, key } = await open();
    const deep = (levels: number) =>
      `{"query":"x","filter":${'{"not":'.repeat(levels)}{}${"}".repeat(levels)}}`;
    const headers = { "content-type": "application/json" };
    for (const levels of [8, 100, 5_000]) {
      const answer = await api.call(SEARCH, { key, body: deep(levels), headers });
      expect([levels, answer.status]).toEqual([levels, 422]);
    }
    const answer = await api.call(SEARCH, { key, body: deep(100_000), headers });
    expect([400, 422]).toContain(answer.status);
  });
});

describe("a request that is malformed", () => {
  it.each([
    { query: 1 },
    { query: "x", mode: "fuzzy" },
    { query: "x", k: 0 },
    { query: "x", k: 201 },
    { query: "x", k: 1.5 },
    { query: "x", bm25: { k1: -1 } },
    { query: "x", bm25: { k1: 11 } },
    { query: "x", bm25: { b: 1.1 } },
    { query: "x", bm25: { c: 1 } },
    { query: "x", fusion: { method: "max" } },
    { query: "x", fusion: { alpha: -0.1 } },
    { query: "x", filter: [] },
    { query: "x", highlight: "yes" },
    { query: "x", limit: 3 },
    { vector: ["a"] },
  ])("is refused: %j", async (json) => {
    const { ask } = await open();
    const answer = await ask(json);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: "invalid_request" });
  });

  it.each([
    [[1, 2], "vector", "wrong_dimensions"],
    [Array(256).fill(0), "vector", "zero_vector"],
  ])("by its vector is refused: %#", async (vector, path, code) => {
    const { ask } = await open();
    const answer = await ask({ vector });
    expect(await answer.json()).toMatchObject({ status: 422, errors: [{ path, code }] });
  });

  it("beyond a megabyte is refused", async () => {
    const { ask } = await open();
    expect((await ask({ query: "x", filter: { topic: "x".repeat(1_048_576) } })).status).toBe(413);
  });
});

describe("a collection of clients' vectors", () => {
  it("is searched by a vector, by words, or by both, and never embeds", async () => {
    const { api, key } = await open();
    const path = "/v1/collections/vectors";
    const upserts = [
      { id: "north", body: "cold wind", vector: [1, 0, 0] },
      { id: "south", body: "warm wind", vector: [0, 1, 0] },
    ];
    await api.call(`POST ${path}/documents`, { key, json: { upserts } });
    const ask = async (json: object) => {
      const answer = await api.call(`POST ${path}/search`, { key, json });
      const { hits = [], ...problem } = await answer.json<{ hits?: Hit[] }>();
      return answer.ok ? hits.map(({ id }) => id) : problem;
    };
    expect(await ask({ vector: [1, 9, 0] })).toEqual(["south", "north"]);
    expect(await ask({ query: "cold", mode: "keyword" })).toEqual(["north"]);
    expect(await ask({ query: "cold", vector: [1, 0, 0] })).toEqual(["north", "south"]);
    for (const mode of ["hybrid", "vector"]) {
      expect(await ask({ query: "cold", mode })).toMatchObject({
        status: 422,
        errors: [{ path: "vector", code: "missing_vector" }],
      });
    }
    expect(api.embedded).toEqual([]);
  });
});

describe("while something is down", () => {
  const down = new AppError("dependency_unavailable", "The embedder is away.");

  it.each([down, new AppError("timeout", "The embedder took too long.")])(
    "a hybrid search finds by words and says so: %s",
    async (error) => {
      const { api, answer, ask } = await open();
      const { hits } = await answer({ query: "refunds", mode: "keyword" });
      api.broken.set("embedder", error);
      const degraded = await answer({ query: "refunds" });
      expect(degraded).toMatchObject({ hits, degraded: ["embedder_unavailable"] });
      expect(trips(await ask({ query: "refunds" }))).toMatchObject({ postgres: 1, embedder: 1 });
    },
  );

  it("a search by vectors is refused, one by words or with a vector is not", async () => {
    const { api, ask } = await open();
    api.broken.set("embedder", down);
    const answer = await ask({ query: "refunds", mode: "vector" });
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).not.toBeNull();
    expect((await ask({ query: "refunds", mode: "keyword" })).status).toBe(200);
    expect((await ask({ query: "x", vector: Array(256).fill(1) })).status).toBe(200);
  });

  it("a fault of the embedder's own code is not passed over", async () => {
    const { api, ask } = await open();
    api.broken.set("embedder", new TypeError("a bug"));
    expect((await ask({ query: "refunds" })).status).toBe(500);
  });

  it("nothing is found without Postgres, and Redis is not missed", async () => {
    const { api, ask } = await open();
    api.broken.set("redis", new Error("down"));
    expect((await ask({ query: "refunds" })).status).toBe(200);
    api.broken.set("postgres", new AppError("dependency_unavailable", "The database is away."));
    expect((await ask({ query: "refunds" })).status).toBe(503);
  });

  it("an index that is not applied says what to run", async () => {
    const { api, key, ask } = await open({ applied: false });
    const json = { title: "Refunds" };
    const put = await api.call("PUT /v1/collections/help/documents/d", { key, json });
    expect(put.status).toBe(200);
    const answer = await ask({ query: "refunds" });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      code: "dependency_unavailable",
      detail: expect.stringContaining("npm run apply") as unknown,
    });
  });
});

describe("who may search", () => {
  const SHOP = "https://shop.example";

  it("includes pages with a publishable key, which may not write", async () => {
    const { api } = await open();
    const key = await api.key({ roles: ["admin"], origins: [SHOP] });
    const headers = { origin: SHOP };
    const json = { query: "refunds" };
    const answer = await api.call(SEARCH, { key, json, headers });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("access-control-allow-origin")).toBe(SHOP);
    const put = await api.call("PUT /v1/collections/help/documents/d", { key, json, headers });
    expect(put.status).toBe(403);
  });

  it("is narrowed to collections, and existence is not told", async () => {
    const { api } = await open({
      roles: [role("narrow", [{ actions: ["search"], resources: ["collection:plain"] }])],
    });
    const key = await api.key({ roles: ["narrow"] });
    const status = async (name: string) => {
      const json = { query: "x" };
      return (await api.call(`POST /v1/collections/${name}/search`, { key, json })).status;
    };
    expect(await status("plain")).toBe(200);
    expect(await status("help")).toBe(403);
    expect(await status("nothing")).toBe(403);
  });

  it("ends within seconds of a revocation, and with the tenant", async () => {
    const { api } = await open({ tenants: ["acme", "globex"] });
    const key = await api.key({ keyId: "key_leaked" });
    const ask = async (by: string) => api.call(SEARCH, { key: by, json: { query: "refunds" } });
    await api.revoke("acme", "key_leaked");
    api.clock.now += 15_000;
    await ask(key);
    await Promise.all(api.after.splice(0));
    expect((await ask(key)).status).toBe(401);
    const other = await ask(await api.key({ tenant: "globex" }));
    expect(await other.json()).toMatchObject({ hits: [] });
  });
});
