import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.ts";
import {
  clientVectors,
  collection,
  lexicalHashing,
  type Collection,
} from "../../../src/retrieval/define.ts";
import { maintainIndexes, type Maintained } from "../../../src/retrieval/maintain.ts";
import { createMemoryDocuments } from "../../support/fakes/memory-document-index.ts";
import { createTestApi, NOON, type TestApi } from "../../support/requests.ts";

const embedder = lexicalHashing({ dimensions: 64 });
const notes = { owner: "a", description: "b" };
const HELP = collection("help", {
  ...notes,
  embedder,
  text: ["title", "body"],
  fields: { topic: "string" },
});
const NEWER = collection("help", {
  ...notes,
  embedder: lexicalHashing({ dimensions: 32 }),
  text: ["title", "body"],
  language: "simple",
  chunk: { tokens: 16 },
  fields: { topic: "string", price: "number" },
});

interface Side {
  readonly api: TestApi;
  readonly maintain: () => Promise<Maintained>;
  readonly put: (id: string, json: object, tenant?: string) => Promise<Response>;
  /** Ids that a search for the words finds; its status where it is none. */
  readonly find: (
    query: string,
    more?: object,
    tenant?: string,
  ) => Promise<readonly string[] | number>;
}

/** A deployment with these collections, over documents that others may have stored. */
async function deploy(
  definitions: readonly Collection[],
  documents = createMemoryDocuments(),
): Promise<Side> {
  const api = await createTestApi({ definitions, documents });
  const path = `/v1/collections/${definitions[0]?.name}`;
  const keyOf = (tenant = "acme") => api.key({ tenant });
  return {
    api,
    maintain: () => maintainIndexes(api.ctx()),
    put: async (id, json, tenant) =>
      api.call(`PUT ${path}/documents/${id}`, { key: await keyOf(tenant), json }),
    async find(query, more = {}, tenant = "acme") {
      const json = { query, mode: "keyword", ...more };
      const answer = await api.call(`POST ${path}/search`, { key: await keyOf(tenant), json });
      if (!answer.ok) return answer.status;
      const { hits } = await answer.json<{ hits: { id: string }[] }>();
      return hits.map(({ id }) => id).toSorted();
    },
  };
}

describe("an index whose definition changed", () => {
  it("is built from the stored documents of all tenants, and then answers", async () => {
    const documents = createMemoryDocuments();
    const before = await deploy([HELP], documents);
    for (let i = 0; i < 50; i += 1) await before.put(`d${i}`, { title: `word${i}`, body: "text" });
    await before.put("d0", { title: "theirs", body: "text" }, "globex");
    const after = await deploy([NEWER], documents);
    expect(await after.find("text")).toBe(503);
    expect(await after.maintain()).toEqual({ reindexed: 51, expired: 0, purged: 51 });
    expect(await after.find("text", { k: 200 })).toHaveLength(50);
    expect(await after.find("word7")).toEqual(["d7"]);
    expect(await after.find("theirs")).toEqual([]);
    expect(await after.find("theirs", {}, "globex")).toEqual(["d0"]);
    after.api.embedded.length = 0;
    expect(await after.maintain()).toEqual({ reindexed: 0, expired: 0, purged: 0 });
    expect(after.api.embedded).toEqual([]);
  });

  it("keeps the newer version of a document that is put meanwhile, read or not", async () => {
    const documents = createMemoryDocuments();
    const before = await deploy([HELP], documents);
    for (const id of ["d1", "d2", "d3"]) await before.put(id, { title: `old ${id}` });
    const after = await deploy([NEWER], documents);
    const { meanwhile } = after.api;
    meanwhile.set("postgres.readHeads", () => after.put("d1", { title: "new d1" }));
    meanwhile.set("postgres.commit", async () => {
      await after.put("d2", { title: "new d2" });
      await before.put("d4", { title: "new d4" });
    });
    await after.maintain();
    expect(await after.find("new")).toEqual(["d1", "d2", "d4"]);
    expect(await after.find("old")).toEqual(["d3"]);
  });

  it("takes in what an older deployment goes on writing into its own", async () => {
    const documents = createMemoryDocuments();
    const before = await deploy([HELP], documents);
    const after = await deploy([NEWER], documents);
    await before.put("d1", { title: "late" });
    expect(await after.find("late")).toEqual([]);
    expect(await after.maintain()).toMatchObject({ reindexed: 1 });
    expect(await after.find("late")).toEqual(["d1"]);
  });

  it("keeps documents whole that do not fit any more, and says so once", async () => {
    const documents = createMemoryDocuments();
    const before = await deploy([HELP], documents);
    for (const id of ["d1", "d2"]) await before.put(id, { title: "title", topic: "x" });
    await before.put("d3", { body: "body" });
    const narrow = collection("help", { ...notes, embedder, text: ["title"] });
    const after = await deploy([narrow], documents);
    await after.maintain();
    expect(await after.find("title")).toEqual(["d1", "d2"]);
    expect(await after.find("body")).toEqual([]);
    expect(after.api.lines).toEqual([
      expect.objectContaining({
        message: "documents do not fit their collection any more",
        collection: "help",
        documents: 3,
        fields: "topic, body, title",
      }),
    ]);
    const key = await after.api.key();
    const read = await after.api.call("GET /v1/collections/help/documents/d3", { key });
    expect(await read.json()).toMatchObject({ chunks: 0, body: "body" });

    const again = await deploy([HELP], documents);
    await again.maintain();
    expect(await again.find("body")).toEqual(["d3"]);
    expect(await again.find("title", { filter: { topic: "x" } })).toEqual(["d1", "d2"]);
  });

  it("keeps the vectors that clients gave, wherever the definition goes", async () => {
    const documents = createMemoryDocuments();
    const client = clientVectors({ dimensions: 2 });
    const given = collection("help", { ...notes, embedder: client, text: ["body"] });
    const before = await deploy([given], documents);
    await before.put("d1", { body: "one", vector: [1, 0] });
    await before.put("d2", { body: "two", vector: [0, 1] });
    const nearest = { query: undefined, mode: "vector", vector: [0.1, 1], k: 1 };

    const fielded = { ...given, fields: { topic: "string" } as const };
    const after = await deploy([fielded], documents);
    await after.maintain();
    expect(await after.find("", nearest)).toEqual(["d2"]);

    const wider = { ...given, embedder: clientVectors({ dimensions: 3 }) };
    const without = await deploy([wider], documents);
    await without.maintain();
    expect(await without.find("two")).toEqual(["d2"]);
    expect(await without.find("", { ...nearest, vector: [0, 1, 1] })).toEqual([]);

    const again = await deploy([given], documents);
    await again.maintain();
    expect(await again.find("", nearest)).toEqual(["d2"]);
  });

  it("waits for its embedder, while other collections are built and expire", async () => {
    const documents = createMemoryDocuments();
    const other = collection("other", {
      ...notes,
      embedder: clientVectors({ dimensions: 2 }),
      text: ["body"],
    });
    const before = await deploy([HELP, other], documents);
    await before.put("d1", { title: "text" });
    const key = await before.api.key();
    const json = { body: "text", vector: [1, 0], expires_at: NOON + 1_000 };
    await before.api.call("PUT /v1/collections/other/documents/d1", { key, json });
    await before.api.call("PUT /v1/collections/other/documents/d2", {
      key,
      json: { ...json, expires_at: null },
    });

    const after = await deploy([NEWER, { ...other, language: "simple" }], documents);
    after.api.clock.now = NOON + 1_000;
    after.api.broken.set("embedder", new AppError("dependency_unavailable", "down"));
    await expect(after.maintain()).rejects.toMatchObject({ code: "dependency_unavailable" });
    expect(await after.find("text")).toBe(503);
    const search = { query: "text", mode: "keyword" };
    const found = await after.api.call("POST /v1/collections/other/search", { key, json: search });
    expect(await found.json()).toMatchObject({ hits: [{ id: "d2" }] });
    after.api.broken.clear();
    expect(await after.maintain()).toMatchObject({ reindexed: 1 });
    expect(await after.find("text")).toEqual(["d1"]);
  });

  it("goes on in the next run where this one has no time left", async () => {
    const documents = createMemoryDocuments();
    const before = await deploy([HELP], documents);
    for (let i = 0; i < 30; i += 1) await before.put(`d${i}`, { title: "text" });
    const after = await deploy([NEWER], documents);
    after.api.meanwhile.set("postgres.commit", async () => void (after.api.clock.now += 60_000));
    expect(await after.maintain()).toMatchObject({ reindexed: 20 });
    expect(await after.find("text")).toBe(503);
    expect(await after.maintain()).toMatchObject({ reindexed: 10 });
    expect(await after.find("text", { k: 50 })).toHaveLength(30);
  });

  it("is left alone where nobody applied it", async () => {
    const api = await createTestApi({ definitions: [HELP], applied: false });
    expect(await maintainIndexes(api.ctx())).toEqual({ reindexed: 0, expired: 0, purged: 0 });
  });
});

describe("documents that expire", () => {
  it("are neither found nor read from then on, and are removed by the next run", async () => {
    const { api, put, find, maintain } = await deploy([HELP]);
    await put("d1", { title: "text", expires_at: NOON + 1_000 });
    await put("d2", { title: "text", expires_at: NOON + 1_001 });
    expect(await find("text")).toEqual(["d1", "d2"]);
    api.clock.now = NOON + 1_000;
    expect(await find("text")).toEqual(["d2"]);
    const key = await api.key();
    const get = () => api.call("GET /v1/collections/help/documents/d1", { key });
    expect((await get()).status).toBe(404);
    expect(await maintain()).toEqual({ reindexed: 0, expired: 1, purged: 0 });
    expect(await maintain()).toMatchObject({ expired: 0 });
    // Its version is not used again, and its id is free.
    await put("d1", { title: "text" });
    expect(await find("text")).toEqual(["d1", "d2"]);
  });

  it("stay where somebody renews them at that moment", async () => {
    const { api, put, find, maintain } = await deploy([HELP]);
    for (const at of ["postgres.readHeads", "postgres.commit"]) {
      await put("d1", { title: "text", expires_at: NOON });
      api.meanwhile.set(at, () => put("d1", { title: "text", expires_at: NOON + 5_000 }));
      expect(await maintain()).toMatchObject({ expired: 0 });
      expect(await find("text")).toEqual(["d1"]);
    }
  });
});
