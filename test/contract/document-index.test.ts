import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RejectedByStore } from "../../src/features/event-log.ts";
import type { DocumentIndex } from "../../src/retrieval/document-index.ts";
import { find, hashOf, newIndex, put, query, remove, write } from "../support/document-calls.ts";
import { truths, type Truth } from "../support/stores.ts";

describe.each(truths())("the document index %s", (_name, open) => {
  let truth: Truth;
  let documents: DocumentIndex;
  beforeAll(async () => {
    truth = await open();
    documents = truth.documentIndex;
  });
  afterAll(() => truth.close());

  it("gives back what was put, character by character", async () => {
    const index = newIndex();
    const body = '{ "title": "caf\u00e9 \u{1f30a}", "n": 1.50, "n": 2 }';
    const [version] = await write(
      documents,
      index,
      { a: { chunks: ["one", "two"], body, expiresAt: 9_000 } },
      1_234,
    );
    expect(await documents.read(index, "a", 2_000)).toEqual({
      id: "a",
      version,
      body,
      chunks: 2,
      expiresAt: 9_000,
      updatedAt: 1_234,
    });
    const heads = await documents.readHeads(index, ["none", "a"]);
    expect([...heads]).toEqual([
      [
        "a",
        {
          version,
          indexId: index.indexId,
          contentHash: put("a", { chunks: ["one", "two"], body, expiresAt: 9_000 }).contentHash,
          chunks: ["one", "two"].map((text) => hashOf({ text, vector: null })),
        },
      ],
    ]);
  });

  it("knows nothing of what was never put, or was deleted", async () => {
    const index = newIndex();
    await write(documents, index, { a: { chunks: ["one"] } });
    await write(documents, index, { a: null });
    for (const id of ["a", "never"]) expect(await documents.read(index, id, 1)).toBeNull();
    expect((await documents.readHeads(index, ["a", "never"])).size).toBe(0);
    expect((await documents.readHeads(index, [])).size).toBe(0);
    expect(await find(documents, index, { words: "one" })).toEqual([]);
  });

  it("never uses a version again, also after a delete", async () => {
    const index = newIndex();
    const seen: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const puts = { a: { chunks: [`${round}`] }, b: { chunks: [`${round}`] } };
      for (const version of await write(documents, index, puts)) seen.push(version ?? 0);
      const [gone] = await write(documents, index, { a: null });
      expect(gone).toBe(seen.at(-2));
    }
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(new Set(seen).size).toBe(6);
  });

  it("changes nothing where the expected version is not there any more", async () => {
    const index = newIndex();
    const [first = 0] = await write(documents, index, { a: { chunks: ["first"] } });
    const [second] = await write(documents, index, { a: { chunks: ["second"] } });
    const lost = [
      put("a", { chunks: ["third"], expected: 0 }),
      put("a", { chunks: ["third"], expected: first ?? 0 }),
      remove("a", first ?? 0),
      remove("a", 0),
      put("none", { chunks: ["third"], expected: first ?? 0 }),
      remove("none", first ?? 0),
    ];
    for (const one of lost) expect(await documents.commit(index, [one], 1)).toEqual([null]);
    expect(await documents.read(index, "a", 1)).toMatchObject({ version: second });
    expect(await find(documents, index, { words: "first second third" })).toEqual(["a#0"]);
  });

  it("writes each document on its own: one that lost takes nothing from the others", async () => {
    const index = newIndex();
    await write(documents, index, { b: { chunks: ["old"] } });
    const writes = ["c", "b", "a"].map((id) => put(id, { chunks: [`new ${id}`] }));
    const versions = await documents.commit(index, writes, 1);
    expect(versions.map((version) => version !== null)).toEqual([true, false, true]);
    const found = await find(documents, index, { words: "new old" });
    expect(found.toSorted()).toEqual(["a#0", "b#0", "c#0"]);
  });

  it("says that a delete of nothing is done", async () => {
    expect(await documents.commit(newIndex(), [remove("none", 0)], 1)).toEqual([0]);
    expect(await documents.commit(newIndex(), [], 1)).toEqual([]);
  });

  it("keeps vectors and words of chunks that stay, while position, fields and expiry change", async () => {
    const index = newIndex();
    const stays = { text: "stays here", vector: [1, 0, 0, 0] };
    const goes = { text: "goes away", vector: [0, 1, 0, 0] };
    await write(documents, index, { a: { chunks: [stays, goes], fields: { n: 1 } } });
    const comes = { text: "comes", vector: [0, 0, 1, 0] };
    const next = { chunks: [comes, stays], fields: { n: 2 }, expiresAt: 5_000 };
    await write(documents, index, { a: next });
    const vector = [1, 0, 0, 0];
    const { hits } = await documents.search(index, query({ vector, words: "stays", k: 1 }));
    expect(hits).toMatchObject([{ id: "a", chunk: 1, text: "stays here", fields: { n: 2 } }]);
    expect(hits[0]?.vector).toBeCloseTo(1, 3);
    expect(await find(documents, index, { words: "goes away" })).toEqual([]);
    expect(await find(documents, index, { words: "stays", now: 5_000 })).toEqual([]);
    const heads = await documents.readHeads(index, ["a"]);
    expect(heads.get("a")?.chunks).toEqual([comes, stays].map(hashOf));
  });

  it("refuses to keep a chunk that is not there, and leaves the document as it is", async () => {
    const index = newIndex();
    const [version = 0] = await write(documents, index, { a: { chunks: ["old"] } });
    const held = [hashOf({ text: "other", vector: null })];
    const strange = { chunks: ["new", "other"], held };
    const writes = [
      put("a", { ...strange, expected: version ?? 0 }),
      put("b", strange),
      put("c", { chunks: ["good"] }),
    ];
    const versions = await documents.commit(index, writes, 1);
    expect(versions.map((one) => one !== null)).toEqual([false, false, true]);
    expect(await documents.read(index, "a", 1)).toMatchObject({ version });
    expect(await find(documents, index, { words: "new other old" })).toEqual(["a#0"]);
  });

  it("replaces a chunk that is given anew", async () => {
    const index = newIndex();
    const [version = 0] = await write(documents, index, { a: { chunks: ["word word"] } });
    await documents.commit(index, [put("a", { chunks: ["word word"], expected: version ?? 0 })], 1);
    const { hits } = await documents.search(index, query({ words: "word" }));
    expect(hits).toHaveLength(1);
  });

  it("holds documents without any chunk, and chunks without words or vector", async () => {
    const index = newIndex();
    const silent = { text: "", vector: [1, 0, 0, 0] };
    await write(documents, index, {
      a: { chunks: [] },
      b: { chunks: [silent] },
      c: { chunks: ["word"] },
    });
    expect(await documents.read(index, "a", 1)).toMatchObject({ chunks: 0 });
    expect(await find(documents, index, { words: "word" })).toEqual(["c#0"]);
    expect(await find(documents, index, { vector: [1, 0, 0, 0] })).toEqual(["b#0"]);
    expect(await find(documents, index, { words: "" })).toEqual([]);
    expect(await find(documents, index, {})).toEqual([]);
  });

  it("does not find what expired, and lists it, soonest first", async () => {
    const index = newIndex();
    await write(documents, index, {
      later: { chunks: ["word"], expiresAt: 3_000 },
      never: { chunks: ["word"] },
      soon: { chunks: ["word"], expiresAt: 2_000 },
    });
    const at = (now: number) => find(documents, index, { words: "word", now });
    expect(await at(1_999)).toEqual(["later#0", "never#0", "soon#0"]);
    expect(await at(2_000)).toEqual(["later#0", "never#0"]);
    expect(await documents.read(index, "soon", 1_999)).not.toBeNull();
    expect(await documents.read(index, "soon", 2_000)).toBeNull();
    expect((await documents.readHeads(index, ["soon"])).size).toBe(1);
    const expired = async (now: number, limit: number) =>
      (await documents.findExpired(index.collection, now, limit)).map(({ id }) => id);
    expect(await expired(3_000, 9)).toEqual(["soon", "later"]);
    expect(await expired(3_000, 1)).toEqual(["soon"]);
    expect(await expired(1_999, 9)).toEqual([]);
    const heads = await documents.readHeads(index, ["soon"]);
    const { tenant, collection } = index;
    expect(await documents.findExpired(collection, 2_000, 9)).toEqual([
      { tenant, collection, id: "soon", version: heads.get("soon")?.version },
    ]);
  });

  it("keeps tenants and collections apart, in what is found and in what it scores", async () => {
    const mine = newIndex();
    const others = [newIndex({ collection: mine.collection, indexId: mine.indexId }), newIndex()];
    await write(documents, mine, { a: { chunks: ["red fish"] }, b: { chunks: ["blue fish"] } });
    const before = await documents.search(mine, query({ words: "red fish" }));
    for (const other of others) {
      await write(documents, other, { a: { chunks: ["red red red"] }, c: { chunks: ["red"] } });
      await write(documents, other, { a: null });
    }
    expect(await documents.search(mine, query({ words: "red fish" }))).toEqual(before);
    expect(await documents.read(mine, "c", 1)).toBeNull();
    expect(await documents.read(mine, "a", 1)).not.toBeNull();
  });

  it.each([
    ["a lone surrogate", put("a", { chunks: ["\ud800"] })],
    ["a NUL", put("a", { chunks: ["word"], fields: { f: "\0" } })],
    ["a NUL in a body", put("a", { chunks: ["word"], body: '{"title":"\\u0000"}' })],
    ["a body that is no JSON", put("a", { chunks: ["word"], body: "{" })],
    ["a vector of another length", put("a", { chunks: [{ text: "word", vector: [1, 2] }] })],
  ])("refuses %s, and all that is committed with it", async (_what, bad) => {
    const index = newIndex();
    const commit = documents.commit(index, [put("good", { chunks: ["word"] }), bad], 1);
    await expect(commit).rejects.toBeInstanceOf(RejectedByStore);
    expect(await find(documents, index, { words: "word" })).toEqual([]);
    expect((await documents.readHeads(index, ["good", "a"])).size).toBe(0);
  });

  it("refuses a document or a chunk that is named twice", async () => {
    const index = newIndex();
    const twice = put("a", { chunks: ["same", "same"] });
    const one = put("a", { chunks: ["word"] });
    for (const writes of [[twice], [one, one]]) {
      await expect(documents.commit(index, writes, 1)).rejects.toMatchObject({ code: "internal" });
    }
  });

  it("keeps any words, whatever characters they are made of", async () => {
    const index = newIndex();
    const words = ['"', "\\", "{a,b}", "null", "NULL", "\u{1f30a}", "it's", "a,b", "%"];
    await write(documents, index, { a: { chunks: words } });
    for (const [position, word] of words.entries()) {
      expect(await find(documents, index, { words: word })).toEqual([`a#${position}`]);
    }
  });

  it("commits in one request, and searches in one", async () => {
    const index = newIndex();
    const before = truth.requests();
    const writes = Array.from({ length: 30 }, (_, i) => put(`d${i}`, { chunks: ["a b", "b c"] }));
    expect((await documents.commit(index, writes, 1)).every((one) => one !== null)).toBe(true);
    const vector = [1, 0, 0, 0];
    await documents.search(index, query({ words: "b", vector }));
    expect(truth.requests()).toBe(before === null ? null : before + 2);
  });

  describe("with two indexes of one collection", () => {
    const pair = () => {
      const old = newIndex();
      const next = newIndex({ tenant: old.tenant, collection: old.collection });
      return { old, next };
    };

    it("lists what is not in the new one, oldest version first", async () => {
      const { old, next } = pair();
      await write(documents, old, { b: { chunks: ["1"] } });
      await write(documents, old, { a: { chunks: ["1"] }, c: { chunks: ["1"] } });
      await write(documents, next, { d: { chunks: ["1"] } });
      const stale = async (indexId: string, limit = 9) =>
        (await documents.findStale(old.collection, indexId, limit)).map(({ id }) => id);
      expect(await stale(next.indexId)).toEqual(["b", "a", "c"]);
      expect(await stale(next.indexId, 2)).toEqual(["b", "a"]);
      expect(await stale(old.indexId)).toEqual(["d"]);
      expect(await stale(`${old.collection}@0000000000000000`)).toEqual(["b", "a", "c", "d"]);
      const [first] = await documents.findStale(old.collection, next.indexId, 1);
      const { tenant, collection } = old;
      const stored = await documents.read(old, "b", 1);
      expect(first).toEqual({
        tenant,
        collection,
        id: "b",
        version: stored?.version,
        body: stored?.body,
      });
    });

    it("finds a document in both while the new one is built", async () => {
      const { old, next } = pair();
      const document = { chunks: ["red fish", "blue fish"] };
      await write(documents, old, { a: document });
      await write(documents, next, { a: document });
      for (const index of [old, next]) {
        expect(await find(documents, index, { words: "fish" })).toEqual(["a#0", "a#1"]);
        expect((await documents.readHeads(index, ["a"])).get("a")).toMatchObject({
          indexId: next.indexId,
          chunks: document.chunks.map((text) => hashOf({ text, vector: null })),
        });
      }
      expect(await documents.findStale(old.collection, next.indexId, 9)).toEqual([]);
    });

    it("never finds, in any index, a text that was replaced or deleted", async () => {
      const { old, next } = pair();
      const documentsBefore = { a: { chunks: ["before"] }, b: { chunks: ["before"] } };
      await write(documents, old, documentsBefore);
      await write(documents, next, documentsBefore);
      await write(documents, next, { a: { chunks: ["after"] } });
      await write(documents, old, { b: null });
      expect(await find(documents, old, { words: "before after" })).toEqual([]);
      expect(await find(documents, next, { words: "before after" })).toEqual(["a#0"]);
      expect((await documents.readHeads(old, ["a"])).get("a")?.chunks).toEqual([]);
    });
  });
});
