import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.ts";
import { clientVectors, collection, lexicalHashing } from "../../../src/retrieval/define.ts";
import { createTestApi, NOON, type TestApi } from "../../support/requests.ts";

const HELP = "/v1/collections/help/documents";
const notes = { embedder: lexicalHashing({ dimensions: 64 }), owner: "a", description: "b" };
const help = collection("help", {
  ...notes,
  text: ["title", "body"],
  chunk: { tokens: 16 },
  fields: { topic: "string", price: "number", tags: "string[]", at: "time", open: "boolean" },
});
const vectors = collection("vectors", {
  embedder: clientVectors({ dimensions: 2 }),
  text: ["body"],
});

/** About three quarters of a chunk. */
const paragraph = (word: string): string => `${word} `.repeat(48 / (word.length + 1)).trim();
const body = (...words: readonly string[]): string => words.map(paragraph).join("\n\n");

async function open(options: Parameters<typeof createTestApi>[0] = {}) {
  const api = await createTestApi({ definitions: [help, vectors], ...options });
  const key = await api.key();
  await api.call(`GET ${HELP}/nothing`, { key });
  await Promise.all(api.after.splice(0));
  const put = (id: string, json: unknown) => api.call(`PUT ${HELP}/${id}`, { key, json });
  const get = (id: string) => api.call(`GET ${HELP}/${id}`, { key });
  const change = (json: unknown) => api.call(`POST ${HELP}`, { key, json });
  return { api, key, put, get, change };
}

const trips = (answer: Response): Record<string, number> =>
  Object.fromEntries(
    [...(answer.headers.get("server-timing") ?? "").matchAll(/(\w+);dur=[\d.]+;desc="(\d+)"/g)].map(
      ([, name = "", count]) => [name, Number(count)],
    ),
  );

const embeddedSince = (api: TestApi): readonly string[] => api.embedded.splice(0).flat();

describe("PUT a document", () => {
  it("answers with its chunks and version, and GET gives it back", async () => {
    const { put, get } = await open();
    const json = {
      body: body("one", "two"),
      title: "Numbers",
      tags: ["a", "b"],
      at: "2026-11-22T13:00:00+01:00",
      price: 9007199254740991,
      open: null,
      expires_at: NOON + 1,
    };
    const written = await put("d1", json);
    expect(written.status).toBe(200);
    expect(trips(written)).toEqual({ redis: 0, postgres: 2, queue: 0, embedder: 1 });
    const { version, ...rest } = await written.json<{ version: number }>();
    expect(rest).toEqual({ id: "d1", chunks: 2 });
    const read = await get("d1");
    expect(trips(read)).toEqual({ redis: 0, postgres: 1, queue: 0, embedder: 0 });
    const { open: _, ...present } = json;
    expect(await read.json()).toEqual({ id: "d1", version, chunks: 2, ...present, at: NOON });
  });

  it("needs no commit and no embedder for what is there already, however it is written", async () => {
    const { api, put } = await open();
    const first = await (await put("d1", { title: "T", body: body("one"), topic: "x" })).json();
    api.embedded.length = 0;
    const again = await put("d1", { topic: "x", body: body("one"), title: "T", price: null });
    expect(await again.json()).toEqual(first);
    expect(trips(again)).toMatchObject({ postgres: 1, embedder: 0 });
  });

  it("embeds only the chunks that changed, none for a field, all for another title", async () => {
    const { api, put } = await open();
    const versions: number[] = [];
    const putting = async (json: object) => {
      const answer = await (await put("d1", json)).json<{ version: number }>();
      versions.push(answer.version);
      return embeddedSince(api);
    };
    const title = "T";
    const [one, two, three, six] = ["one", "two", "three", "six"].map(paragraph);
    expect(await putting({ title, body: body("one", "two", "three") })).toEqual([
      `T\n${one}`,
      `T\n${two}`,
      `T\n${three}`,
    ]);
    expect(await putting({ title, body: body("one", "six", "three") })).toEqual([`T\n${six}`]);
    const changed = { title, body: body("one", "six", "three"), topic: "x" };
    expect(await putting(changed)).toEqual([]);
    expect(await putting({ ...changed, body: body("six", "three") })).toEqual([]);
    expect(await putting({ ...changed, title: "U", body: body("six", "three") })).toEqual([
      `U\n${six}`,
      `U\n${three}`,
    ]);
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(new Set(versions).size).toBe(5);
  });

  it("keeps a text apart that its document has twice", async () => {
    const { put } = await open();
    const answer = await put("d1", { body: body("same", "same", "same") });
    expect(await answer.json()).toMatchObject({ chunks: 3 });
  });

  it.each([
    ["no text", { topic: "x" }, "title"],
    ["blank text", { title: " ", body: "\n" }, "title"],
    ["a misspelt field", { title: "T", topics: "x" }, "topics"],
    ["a number as text", { title: "T", price: "1" }, "price"],
    ["a time without offset", { title: "T", at: "2026-11-22T12:00:00" }, "at"],
    ["a list with a number", { title: "T", tags: ["a", 1] }, "tags[1]"],
    ["an expiry that is no time", { title: "T", expires_at: "soon" }, "expires_at"],
    ["a NUL", { title: "T\0" }, "title"],
    ["half a surrogate pair", { title: "T", topic: "\ud83d" }, "topic"],
    ["a vector for several chunks", { title: "T", vector: [1] }, "vector"],
  ])("refuses %s and says where", async (_, json, path) => {
    const { api, put } = await open();
    const answer = await put("d1", json);
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ code: "unprocessable", errors: [{ path }] });
    expect(trips(answer)).toMatchObject({ postgres: 0 });
    expect(api.embedded).toEqual([]);
  });

  it("refuses what is no JSON object, or not said to be JSON", async () => {
    const { api, key, put } = await open();
    for (const json of [[], "text", 1, null]) expect((await put("d1", json)).status).toBe(400);
    const status = async (text: string, type?: string) => {
      const headers = type === undefined ? {} : { "content-type": type };
      return (await api.call(`PUT ${HELP}/d1`, { key, body: text, headers })).status;
    };
    expect(await status('{"title":', "application/json")).toBe(400);
    expect(await status('{"title":"T"}', "text/plain")).toBe(415);
    expect(await status('{"title":"T"}', "application/json; charset=utf-8")).toBe(200);
  });

  it("takes gzip, and refuses what is too large before and after it", async () => {
    const { api, key } = await open();
    const send = async (bytes: Uint8Array, coding: string) => {
      const headers = { "content-type": "application/json", "content-encoding": coding };
      return (await api.call(`PUT ${HELP}/d1`, { key, body: bytes as BodyInit, headers })).status;
    };
    const gzip = async (text: string) => {
      const packed = new Response(text).body?.pipeThrough(new CompressionStream("gzip"));
      return new Uint8Array(await new Response(packed).arrayBuffer());
    };
    const document = (length: number) => JSON.stringify({ body: "a ".repeat(length / 2) });
    expect(await send(await gzip(document(100)), "gzip")).toBe(200);
    expect(await send(await gzip(document(100)), "br")).toBe(415);
    expect(await send(await gzip(document(11_000_000)), "gzip")).toBe(413);
    expect(await send(new TextEncoder().encode(document(5_300_000)), "identity")).toBe(413);
    // Within the body's limit, beyond the document's.
    expect(await send(await gzip(document(1_200_000)), "gzip")).toBe(422);
  });

  it("knows no other collections", async () => {
    const { api, key } = await open();
    const answer = await api.call("PUT /v1/collections/other/documents/d1", {
      key,
      json: { title: "T" },
    });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ detail: 'there is no collection "other"' });
  });

  it("stores a client's vector with its document", async () => {
    const { api, key } = await open();
    const path = "/v1/collections/vectors/documents/d1";
    const missing = await api.call(`PUT ${path}`, { key, json: { body: "text" } });
    expect(await missing.json()).toMatchObject({ errors: [{ path: "vector", code: "required" }] });
    const json = { body: "text", vector: [3, 4] };
    const written = await api.call(`PUT ${path}`, { key, json });
    expect(await written.json()).toMatchObject({ chunks: 1 });
    expect(trips(written)).toMatchObject({ postgres: 2, embedder: 0 });
    const read = await api.call(`GET ${path}`, { key });
    expect(Object.keys(await read.json<object>())).toEqual(["id", "version", "chunks", "body"]);
    const again = await api.call(`PUT ${path}`, { key, json: { ...json, vector: [4, 3] } });
    expect(trips(again)).toMatchObject({ postgres: 2 });
  });
});

describe("ids of documents", () => {
  it.each([
    "a/b",
    "a%2Fb",
    "100%",
    "%25",
    "日本語の文書🎏",
    "é",
    "a b+c&d=e?f#g",
    ".hidden",
    "...",
    "id",
    "x".repeat(512),
  ])("take %s as it is", async (id) => {
    const { api, key, put, get, change } = await open();
    const path = encodeURIComponent(id);
    expect(await (await put(path, { title: "T" })).json()).toMatchObject({ id });
    expect(await (await get(path)).json()).toMatchObject({ id, title: "T" });
    const batch = await change({ upserts: [{ id, title: "T" }] });
    expect(trips(batch)).toMatchObject({ postgres: 1, embedder: 0 });
    const gone = await api.call(`DELETE ${HELP}/${path}`, { key });
    expect(await gone.json()).toEqual({ id, deleted: true });
    expect((await get(path)).status).toBe(404);
  });

  it.each([
    ["a control character", "a\nb"],
    ["a NUL", "a\0"],
    ["too many bytes", "é".repeat(257)],
    ["nothing", ""],
    ["a dot", "."],
    ["two dots", ".."],
    ["half a surrogate pair", "\udc00"],
  ])("are refused with %s, and keep no other document out", async (_, id) => {
    const { put, change } = await open();
    // Of what a URL cannot name, no path has this route.
    const path = id.isWellFormed() ? encodeURIComponent(id) : "%ED%B0%80";
    expect([400, 404]).toContain((await put(path, { title: "T" })).status);
    const answer = await change({
      upserts: [
        { id, title: "T" },
        { id: "d1", title: "T" },
      ],
    });
    expect(await answer.json()).toMatchObject({
      results: [
        { status: "rejected", errors: [{ path: "id", code: "invalid_id" }] },
        { id: "d1", status: "written" },
      ],
    });
    const gone = await change({ deletes: [id] });
    expect(await gone.json()).toMatchObject({ results: [{ status: "rejected" }] });
  });

  it.each(["%FF", "a%", "%C3"])("are refused where %s is no percent-encoding", async (path) => {
    const { put, get } = await open();
    expect((await put(path, { title: "T" })).status).toBe(400);
    expect((await get(path)).status).toBe(400);
  });
});

describe("DELETE a document", () => {
  it("says whether it was there, and needs no embedder", async () => {
    const { api, key, put, get } = await open();
    await put("d1", { title: "T" });
    const gone = await api.call(`DELETE ${HELP}/d1`, { key });
    expect(await gone.json()).toEqual({ id: "d1", deleted: true });
    expect(trips(gone)).toMatchObject({ postgres: 2, embedder: 0 });
    const again = await api.call(`DELETE ${HELP}/d1`, { key });
    expect(await again.json()).toEqual({ id: "d1", deleted: false });
    expect(trips(again)).toMatchObject({ postgres: 1 });
    expect((await get("d1")).status).toBe(404);
  });

  it("never gives a version out again", async () => {
    const { api, key, put } = await open();
    const versionOf = async () =>
      (await (await put("d1", { title: "T" })).json<{ version: number }>()).version;
    const before = await versionOf();
    await api.call(`DELETE ${HELP}/d1`, { key });
    expect(await versionOf()).toBeGreaterThan(before);
  });
});

describe("POST documents", () => {
  it("says of each change what became of it, in the order of the request", async () => {
    const { api, put, get, change } = await open();
    await put("old", { title: "old" });
    api.embedded.length = 0;
    const answer = await change({
      upserts: [
        { id: "d2", title: "two" },
        { id: "bad", title: 1, topic: "x", more: true },
        { id: "d1", title: "one", body: body("one", "two") },
      ],
      deletes: ["old", "nothing"],
    });
    expect(answer.status).toBe(200);
    const { results } = await answer.json<{ results: unknown[] }>();
    expect(results).toEqual([
      { id: "d2", status: "written", chunks: 1, version: expect.any(Number) as unknown },
      {
        id: "bad",
        status: "rejected",
        errors: [
          expect.objectContaining({ path: "more", code: "unknown_field" }),
          expect.objectContaining({ path: "title", code: "wrong_type" }),
        ],
      },
      { id: "d1", status: "written", chunks: 2, version: expect.any(Number) as unknown },
      { id: "old", status: "deleted" },
      { id: "nothing", status: "not_found" },
    ]);
    expect(trips(answer)).toEqual({ redis: 0, postgres: 2, queue: 0, embedder: 1 });
    expect(api.embedded).toHaveLength(1);
    expect((await get("bad")).status).toBe(404);
  });

  it("needs no store where nothing can be written", async () => {
    const { change } = await open();
    const answer = await change({ upserts: [{ id: "d1" }] });
    expect(answer.status).toBe(200);
    expect(trips(answer)).toMatchObject({ postgres: 0, embedder: 0 });
    expect(await (await change({})).json()).toEqual({ results: [] });
  });

  it("refuses two changes of one document and more than 500", async () => {
    const { change } = await open();
    const twice = await change({ upserts: [{ id: "a", title: "T" }], deletes: ["b", "a"] });
    expect(twice.status).toBe(422);
    expect(await twice.json()).toMatchObject({
      errors: [{ path: "deletes[1]", code: "repeated_id" }],
    });
    const ids = Array.from({ length: 501 }, (_, i) => `d${i}`);
    const many = { upserts: [{ id: "x", title: "T" }], deletes: ids.slice(1) };
    expect((await change(many)).status).toBe(400);
    expect((await change({ deletes: ids.slice(1) })).status).toBe(200);
  });

  it.each([{ upserts: {} }, { upserts: [1] }, { upserts: [{ title: "T" }] }, { puts: [] }, [[]]])(
    "refuses %j as malformed",
    async (json) => {
      const { change } = await open();
      expect((await change(json)).status).toBe(400);
    },
  );
});

describe("while the embedder is down", () => {
  it("refuses writes, half does nothing, and takes the same batch afterwards", async () => {
    const { api, put, get, change } = await open();
    await put("d1", { title: "T", body: body("one") });
    const before = await (await get("d1")).text();
    api.broken.set("embedder", new AppError("dependency_unavailable", "The embedder is away."));
    const down = await put("d1", { title: "T", body: body("two"), topic: "x" });
    expect(down.status).toBe(503);
    expect(down.headers.get("retry-after")).not.toBeNull();
    expect(await (await get("d1")).text()).toBe(before);
    const batch = { upserts: [{ id: "d2", title: "two" }], deletes: ["d1"] };
    expect((await change(batch)).status).toBe(503);
    expect(await (await get("d1")).text()).toBe(before);
    // What embeds nothing goes on.
    expect((await put("d1", { title: "T", body: body("one"), topic: "x" })).status).toBe(200);
    api.broken.clear();
    const { results } = await (await change(batch)).json<{ results: { status: string }[] }>();
    expect(results.map(({ status }) => status)).toEqual(["written", "deleted"]);
  });

  it("says 504 where it is slow", async () => {
    const { api, put } = await open();
    api.broken.set("embedder", new AppError("timeout", "The embedder took too long."));
    expect((await put("d1", { title: "T" })).status).toBe(504);
  });
});

describe("documents of several tenants", () => {
  it("never meet, whatever their ids", async () => {
    const { api, put, get } = await open({ tenants: ["acme", "globex"] });
    await put("d1", { title: "acme's" });
    const key = await api.key({ tenant: "globex" });
    expect((await api.call(`GET ${HELP}/d1`, { key })).status).toBe(404);
    const gone = await api.call(`DELETE ${HELP}/d1`, { key });
    expect(await gone.json()).toEqual({ id: "d1", deleted: false });
    await api.call(`PUT ${HELP}/d1`, { key, json: { title: "globex's" } });
    expect(await (await get("d1")).json()).toMatchObject({ title: "acme's" });
  });
});

describe("who may do it", () => {
  it("is narrowed by roles to collections and actions, and by revocation", async () => {
    const { api } = await open();
    const status = async (roles: readonly string[], route: string) => {
      const key = await api.key({ roles });
      return (await api.call(route, { key, json: { title: "T" } })).status;
    };
    const PUT = `PUT ${HELP}/d1`;
    expect(await status(["producer"], PUT)).toBe(200);
    expect(await status(["reader"], PUT)).toBe(403);
    expect(await status(["frontend"], `DELETE ${HELP}/d1`)).toBe(403);
    const key = await api.key({ keyId: "key_leaked" });
    await api.revoke("acme", "key_leaked");
    api.clock.now += 15_000;
    expect((await api.call(PUT, { key, json: { title: "T" } })).status).toBe(200);
    await Promise.all(api.after.splice(0));
    expect((await api.call(PUT, { key, json: { title: "T" } })).status).toBe(401);
  });
});
