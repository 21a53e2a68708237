import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { DocumentIndex } from "../../src/retrieval/document-index.ts";
import type { IndexRegistry } from "../../src/retrieval/index-registry.ts";
import { find, newIndex, query, wantedOf, write } from "../support/document-calls.ts";
import { unsoundness } from "../support/search-audit.ts";
import { sqlTruths, truths, type SqlTruth, type Truth } from "../support/stores.ts";

describe.each(truths())("the index registry %s", (_name, open) => {
  let truth: Truth | undefined;
  let registry: IndexRegistry;
  let documents: DocumentIndex;
  beforeEach(async () => {
    truth ??= await open();
    registry = truth.indexRegistry;
    documents = truth.documentIndex;
  });
  afterAll(() => truth?.close());

  const pair = () => {
    const old = newIndex();
    const next = newIndex({ tenant: old.tenant, collection: old.collection });
    return { old, next };
  };

  it("registers indexes once, complete where there is nothing to put into them", async () => {
    const [one, two] = [newIndex(), newIndex()];
    await write(documents, newIndex({ collection: two.collection }), { a: { chunks: ["word"] } });
    const wanted = [wantedOf(two), wantedOf(one)];
    const expected = [
      { indexId: one.indexId, collection: one.collection, complete: true, waiting: 0 },
      { indexId: two.indexId, collection: two.collection, complete: false, waiting: 1 },
    ].toSorted((a, b) => (a.indexId < b.indexId ? -1 : 1));
    expect(await registry.register(wanted, 1)).toEqual(expected);
    expect(await registry.register(wanted, 2)).toEqual(expected);
    expect(await registry.list()).toEqual(expected);
    expect(await registry.register([], 3)).toEqual([]);
    expect(await registry.list()).toEqual([]);
  });

  it("counts documents of all tenants that wait, and is complete when none does", async () => {
    const { old, next } = pair();
    const other = newIndex({ collection: old.collection, indexId: old.indexId });
    const moved = { ...other, indexId: next.indexId };
    await registry.register([wantedOf(old)], 1);
    await write(documents, old, { a: { chunks: ["1"] } });
    await write(documents, other, { b: { chunks: [] } });
    const state = async () =>
      (await registry.list()).map(({ complete, waiting }) => [complete, waiting]);
    expect(await state()).toEqual([[true, 0]]);
    await registry.register([wantedOf(next)], 2);
    expect(await state()).toEqual([[false, 2]]);
    expect(await registry.completeIfBuilt(next.indexId)).toBe(false);
    await write(documents, next, { a: { chunks: ["1"] } });
    await write(documents, moved, { b: { chunks: [] } });
    expect(await state()).toEqual([[false, 0]]);
    expect(await registry.completeIfBuilt(next.indexId)).toBe(true);
    expect(await state()).toEqual([[true, 0]]);
  });

  it("stays complete when an older deployment writes, and lists what waits", async () => {
    const { old, next } = pair();
    await registry.register([wantedOf(next)], 1);
    await write(documents, old, { a: { chunks: ["late"] } });
    const [state] = await registry.list();
    expect(state).toMatchObject({ complete: true, waiting: 1 });
    expect(await documents.findStale(old.collection, next.indexId, 9)).toHaveLength(1);
    expect((await documents.search(next, query({ words: "late" }))).complete).toBe(true);
  });

  it("knows nothing of an index that is not registered, or is retired", async () => {
    const { old, next } = pair();
    await registry.register([wantedOf(old)], 1);
    await registry.register([wantedOf(next)], 2);
    expect(await registry.completeIfBuilt(old.indexId)).toBe(false);
    expect(await registry.completeIfBuilt(`${old.collection}@0000000000000000`)).toBe(false);
  });

  it("purges what was retired, page by page, when another one has taken its place", async () => {
    const { old, next } = pair();
    const all = { a: { chunks: ["1", "2", "3"] }, b: { chunks: ["1", "2"] } };
    await registry.register([wantedOf(old)], 1);
    await write(documents, old, all);
    await registry.register([wantedOf(next)], 2);
    expect(await registry.purgeRetired(99)).toBe(0);
    await write(documents, next, all);
    expect(await registry.purgeRetired(99)).toBe(0);
    expect(await find(documents, old, { words: "1 2" })).toHaveLength(4);
    await registry.completeIfBuilt(next.indexId);
    expect(await registry.purgeRetired(2)).toBe(2);
    expect(await registry.purgeRetired(2)).toBe(2);
    expect(await registry.purgeRetired(2)).toBe(1);
    expect(await registry.purgeRetired(2)).toBe(0);
    expect(await find(documents, old, { words: "1 2 3" })).toEqual([]);
    expect(await find(documents, next, { words: "1 2" })).toHaveLength(4);
  });

  it("leaves alone what an older deployment writes, until it is moved", async () => {
    const { old, next } = pair();
    await registry.register([wantedOf(next)], 1);
    await write(documents, old, { a: { chunks: ["late"] } });
    expect(await registry.purgeRetired(99)).toBe(0);
    expect(await find(documents, old, { words: "late" })).toEqual(["a#0"]);
    await write(documents, next, { a: { chunks: ["late"] } });
    expect(await registry.purgeRetired(99)).toBe(1);
    expect(await find(documents, old, { words: "late" })).toEqual([]);
  });

  it("lets a retired one return with what is still true, and nothing else", async () => {
    const { old, next } = pair();
    const all = {
      kept: { chunks: ["word"] },
      gone: { chunks: ["word"] },
      new: { chunks: ["word"] },
    };
    await registry.register([wantedOf(old)], 1);
    await write(documents, old, all);
    await registry.register([wantedOf(next)], 2);
    await write(documents, next, { gone: null, new: { chunks: ["other word"] } });
    const [state] = await registry.register([wantedOf(old)], 3);
    expect(state).toMatchObject({ indexId: old.indexId, complete: false, waiting: 1 });
    expect(await find(documents, old, { words: "word" })).toEqual(["kept#0"]);
    const stale = await documents.findStale(old.collection, old.indexId, 9);
    expect(stale.map(({ id }) => id)).toEqual(["new"]);
    await write(documents, old, { new: { chunks: ["other word"] } });
    expect(await registry.completeIfBuilt(old.indexId)).toBe(true);
    expect(await find(documents, old, { words: "other" })).toEqual(["new#0"]);
  });

  it("builds one anew that returns half purged", async () => {
    const { old, next } = pair();
    const all = { a: { chunks: ["1", "2", "3"] } };
    await registry.register([wantedOf(old)], 1);
    await write(documents, old, all);
    await registry.register([wantedOf(next)], 2);
    await write(documents, next, all);
    await registry.completeIfBuilt(next.indexId);
    expect(await registry.purgeRetired(2)).toBe(2);
    const [state] = await registry.register([wantedOf(old)], 3);
    expect(state).toMatchObject({ complete: false, waiting: 1 });
    await write(documents, old, all);
    expect(await find(documents, old, { words: "1 2 3" })).toHaveLength(3);
    expect(await registry.completeIfBuilt(old.indexId)).toBe(true);
  });
});

describe.each(sqlTruths())("vector indexes %s", (_name, open) => {
  let truth: SqlTruth | undefined;
  beforeEach(async () => void (truth ??= await open()));
  afterAll(() => truth?.close());

  const names = async (): Promise<readonly string[]> => {
    const rows = await truth?.query(
      "SELECT indexname AS n FROM pg_indexes WHERE indexname LIKE 'vectors_%'",
    );
    return (rows ?? []).map((row) => String(row["n"]));
  };

  it("are made with the index, and dropped when it is purged", async () => {
    if (truth === undefined) return;
    const { indexRegistry: registry, documentIndex: documents } = truth;
    const old = newIndex();
    const next = newIndex({ tenant: old.tenant, collection: old.collection });
    const nameOf = ({ indexId }: typeof old) => `vectors_${indexId.replace("@", "_")}`;
    await registry.register([wantedOf(old)], 1);
    expect(await names()).toEqual([nameOf(old)]);
    await write(documents, old, { a: { chunks: [{ text: "1", vector: [1, 2, 3, 4] }] } });
    await registry.register([wantedOf(next)], 2);
    expect((await names()).toSorted()).toEqual([nameOf(old), nameOf(next)].toSorted());
    await write(documents, next, { a: null });
    await registry.completeIfBuilt(next.indexId);
    await registry.purgeRetired(9);
    expect(await names()).toEqual([nameOf(next)]);
    expect(await unsoundness(truth, old.tenant)).toEqual([]);
    for (const table of ["search_chunks", "search_postings", "search_terms", "search_spaces"]) {
      expect(await truth.query(`SELECT FROM ${table}`)).toEqual([]);
    }
    expect(await truth.query("SELECT FROM search_indexes")).toHaveLength(1);
  });

  it("have names and ids that no statement stumbles over", async () => {
    if (truth === undefined) return;
    const { indexRegistry: registry } = truth;
    const long = newIndex({ collection: `c${"x".repeat(62)}` });
    await registry.register([wantedOf(long)], 1);
    expect((await names()).every((name) => name.length <= 63)).toBe(true);
    for (const indexId of ["x", "x@1", "x'; DROP TABLE documents@0123456789abcdef"]) {
      const wanted = [{ ...wantedOf(long), indexId }];
      await expect(registry.register(wanted, 1)).rejects.toThrow("strange id");
    }
    const wide = [{ ...wantedOf(long), dimensions: 4_001 }];
    await expect(registry.register(wide, 1)).rejects.toThrow("strange dimensions");
    expect(await registry.list()).toHaveLength(1);
  });
});
