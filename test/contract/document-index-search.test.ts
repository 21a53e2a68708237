import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { averageLength, idf, quantizeLength } from "../../src/retrieval/bm25.ts";
import type { DocumentIndex, IndexAnswer } from "../../src/retrieval/document-index.ts";
import { anyChanges, anyFilter, anyWords, DIRECTIONS, QUERIES } from "../support/any-documents.ts";
import { find, newIndex, put, query, wantedOf, write } from "../support/document-calls.ts";
import { unsoundness } from "../support/search-audit.ts";
import {
  openMemoryTruth,
  sqlTruths,
  truths,
  type SqlTruth,
  type Truth,
} from "../support/stores.ts";

const methods = ["relative_score", "rrf", "dbsf"] as const;

describe.each(truths())("searching %s", (_name, open) => {
  let truth: Truth;
  let documents: DocumentIndex;
  beforeAll(async () => {
    truth = await open();
    documents = truth.documentIndex;
  });
  afterAll(() => truth.close());

  it("scores words by BM25 with statistics of all chunks, whatever the filter", async () => {
    const index = newIndex();
    const long = "red ".repeat(3) + "fish ".repeat(57).trim();
    await write(documents, index, {
      a: { chunks: ["red fish"], fields: { n: 1 } },
      b: { chunks: [long, "blue"], fields: { n: 2 } },
    });
    const filter = { op: "eq", field: "n", kind: "number", value: 2 } as const;
    const terms = [{ term: "red", count: 2 }];
    const keyword = { terms, k1: 1.2, b: 0.75 };
    const { hits } = await documents.search(index, query({ keyword, filter }));
    const norm = 1.2 * (0.25 + (0.75 * quantizeLength(60)) / averageLength(63, 3));
    expect(hits).toHaveLength(1);
    expect(hits[0]?.bm25).toBe(Math.fround((2 * idf(3, 2) * 3) / (3 + norm)));
    expect(hits[0]).toMatchObject({ id: "b", chunk: 0, score: hits[0]?.bm25, vector: null });
  });

  it("scores vectors by their cosine", async () => {
    const index = newIndex();
    await write(documents, index, {
      opposite: { chunks: [{ text: "x", vector: [-2, 0, 0, 0] }] },
      same: { chunks: [{ text: "x", vector: [3, 0, 0, 0] }] },
      square: { chunks: [{ text: "x", vector: [0, 0, 1, 0] }] },
      without: { chunks: [{ text: "x", vector: null }] },
    });
    const { hits } = await documents.search(index, query({ vector: [0.5, 0, 0, 0] }));
    expect(hits.map(({ id, score }) => [id, score])).toEqual([
      ["same", 1],
      ["square", 0],
      ["opposite", -1],
    ]);
    expect(hits.every(({ bm25, vector, score }) => bm25 === null && vector === score)).toBe(true);
  });

  it("orders equal scores by id, byte by byte, and by position, also where it cuts", async () => {
    const index = newIndex();
    const chunk = (n: number) => ({ text: `word x${n}`, vector: [1, 0, 0, 0] });
    const ids = ["b", "B", "a", "\u{1f30a}", "\uffff"];
    const same = { chunks: [chunk(0), chunk(1)] };
    await write(documents, index, Object.fromEntries(ids.map((id) => [id, same])));
    const ordered = ["B", "a", "b", "\uffff", "\u{1f30a}"].flatMap((id) => [`${id}#0`, `${id}#1`]);
    for (const leg of [{ words: "word" }, { vector: [1, 0, 0, 0] }]) {
      expect(await find(documents, index, leg)).toEqual(ordered);
      expect(await find(documents, index, { ...leg, k: 3, depth: 3 })).toEqual(ordered.slice(0, 3));
    }
    const both = { words: "word", vector: [1, 0, 0, 0] };
    for (const method of methods) {
      const fusion = { method, alpha: 0.5 };
      expect(await find(documents, index, { ...both, k: 5, fusion })).toEqual(ordered.slice(0, 5));
    }
  });

  it("scores chunks of equal words equally, in whatever order it adds the words up", async () => {
    const index = newIndex();
    const words = Array.from({ length: 12 }, (_, i) => `w${i} `.repeat(1 + (i % 5)));
    const turned = words.map((_, i) => [...words.slice(i), ...words.slice(0, i)].join(""));
    const others = words.map((_, i) => words.slice(i).join(""));
    await write(documents, index, { same: { chunks: turned }, zz: { chunks: others.slice(1) } });
    const wanted = query({ words: words.toReversed().join(""), k: turned.length });
    const { hits } = await documents.search(index, wanted);
    expect(hits.map(({ id, chunk }) => [id, chunk])).toEqual(turned.map((_, i) => ["same", i]));
    expect(new Set(hits.map(({ score }) => score)).size).toBe(1);
  });

  it("answers the title of the document beside the text of the chunk", async () => {
    const index = newIndex();
    const body = '{"title":"A title","n":1}';
    await write(documents, index, { a: { chunks: ["word"], body, fields: { tags: ["x", "y"] } } });
    const [titled, without, strange] = await Promise.all(
      ["title", null, "none"].map((titleField) =>
        documents.search(index, query({ words: "word", titleField })),
      ),
    );
    expect(titled?.hits[0]).toMatchObject({
      title: "A title",
      text: "word",
      fields: { tags: ["x", "y"] },
    });
    expect(without?.hits[0]?.title).toBeNull();
    expect(strange?.hits[0]?.title).toBeNull();
  });

  it("says whether the index is registered and complete", async () => {
    const index = newIndex();
    const next = newIndex({ tenant: index.tenant, collection: index.collection });
    const isComplete = async (one: typeof index) =>
      (await documents.search(one, query({ words: "word" }))).complete;
    expect(await isComplete(index)).toBe(false);
    await truth.indexRegistry.register([wantedOf(index)], 1);
    expect(await isComplete(index)).toBe(true);
    await write(documents, index, { a: { chunks: ["word"] } });
    await truth.indexRegistry.register([wantedOf(next)], 1);
    expect(await isComplete(index)).toBe(false);
    expect(await isComplete(next)).toBe(false);
    await write(documents, next, { a: { chunks: ["word"] } });
    await truth.indexRegistry.completeIfBuilt(next.indexId);
    expect(await isComplete(next)).toBe(true);
  });
});

/** The plain computation: scoreBm25, cosines, matchesFilter and fuse over all that was put. */
const plain = openMemoryTruth().documentIndex;

describe.each(sqlTruths())("searching by SQL %s", (_name, open) => {
  let truth: SqlTruth;
  let documents: DocumentIndex;
  beforeAll(async () => {
    truth = await open();
    documents = truth.documentIndex;
  });
  afterAll(() => truth.close());

  const keyOf = ({ id, chunk }: { readonly id: string; readonly chunk: number }) =>
    `${id}#${chunk}`;

  /**
   * Scores as they should be, BM25 to the last bit, and so is the order. A vector is rounded where
   * it is kept: fused hits may change places where their scores are that close.
   */
  function expectSame(
    answer: IndexAnswer,
    expected: IndexAnswer,
    { all, fused }: { readonly all: IndexAnswer; readonly fused: boolean },
  ): void {
    const orderOf = ({ hits }: IndexAnswer) => (fused ? hits.length : hits.map(keyOf));
    expect(orderOf(answer)).toEqual(orderOf(expected));
    expect(new Set(answer.hits.map(keyOf)).size).toBe(answer.hits.length);
    const wanted = new Map(all.hits.map((hit) => [keyOf(hit), hit]));
    for (const [i, hit] of answer.hits.entries()) {
      const same = wanted.get(keyOf(hit));
      expect(same).toBeDefined();
      if (same === undefined) continue;
      const { score, bm25, vector, ...rest } = hit;
      const { score: _score, bm25: _bm25, vector: _vector, ...plainRest } = same;
      expect(rest).toEqual(plainRest);
      expect(bm25).toBe(same.bm25);
      expect(vector ?? -9).toBeCloseTo(same.vector ?? -9, 5);
      expect(score).toBeCloseTo(same.score, 3);
      expect(score).toBeCloseTo(expected.hits[i]?.score ?? Number.NaN, 3);
    }
  }

  it("finds what the plain computation finds, after any puts and deletes", async () => {
    const search = fc.record({
      words: anyWords,
      mode: fc.constantFrom("keyword", "vector", "hybrid"),
      vector: fc.constantFrom(...QUERIES),
      fusion: fc.record({
        method: fc.constantFrom(...methods),
        alpha: fc.constantFrom(0, 0.3, 0.5, 1),
      }),
      filter: fc.option(anyFilter, { freq: 3 }),
      k: fc.constantFrom(1, 3, 50),
      k1: fc.constantFrom(0, 0.9, 1.2),
      b: fc.constantFrom(0, 0.4, 1),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyChanges, { minLength: 1, maxLength: 5 }),
        fc.array(search, { minLength: 4, maxLength: 8 }),
        async (commits, searches) => {
          const index = newIndex();
          for (const changes of commits) {
            const [written, expected] = [
              await write(documents, index, changes),
              await write(plain, index, changes),
            ];
            expect(written.map((version) => version === null)).toEqual(
              expected.map((version) => version === null),
            );
          }
          expect(await unsoundness(truth, index.tenant)).toEqual([]);
          for (const { words, mode, vector, k1, b, k, ...rest } of searches) {
            const { keyword } = query({ words });
            const wanted = query({
              ...rest,
              keyword: mode === "vector" || keyword === null ? null : { ...keyword, k1, b },
              vector: mode === "keyword" ? null : vector,
              titleField: "title",
            });
            const fused = wanted.keyword !== null && wanted.vector !== null;
            const deep = await plain.search(index, { ...wanted, k: 1_000 });
            for (const depth of [k, 50]) {
              const cut = { ...wanted, k, depth };
              const all = depth === 50 ? deep : await plain.search(index, { ...cut, k: 1_000 });
              const answer = await documents.search(index, cut);
              expectSame(answer, await plain.search(index, cut), { all, fused });
            }
          }
        },
      ),
      { numRuns: 25 },
    );
  }, 120_000);

  it("finds nearly all through HNSW, with and without a filter", async () => {
    const index = newIndex();
    await truth.indexRegistry.register([wantedOf(index)], 1);
    for (let from = 0; from < 6_000; from += 500) {
      const writes = Array.from({ length: 500 }, (_, i) => {
        const n = from + i;
        const [x = 0, y = 0] = DIRECTIONS[n % DIRECTIONS.length] ?? [];
        const vector = [x, y, n % 97, n % 89];
        return put(`d${n}`, { chunks: [{ text: "", vector }], fields: { twelfth: n % 12 } });
      });
      await documents.commit(index, writes, 1);
      await plain.commit(index, writes, 1);
    }
    await truth.query("ANALYZE search_chunks");
    const twelfth = (op: "ne" | "eq") =>
      ({ op, field: "twelfth", kind: "number", value: 7 }) as const;
    const vectors = [
      [1_000, 20, 30, 40],
      [-300, 900, 90, 1],
    ];
    // Few matching chunks are compared one by one.
    for (const [filter, least] of [
      [null, 18],
      [twelfth("ne"), 18],
      [twelfth("eq"), 20],
    ] as const) {
      for (const vector of vectors) {
        const wanted = query({ vector, filter, k: 20 });
        const [found, exact] = [
          await documents.search(index, wanted),
          await plain.search(index, wanted),
        ];
        const ids = new Set(exact.hits.map(({ id }) => id));
        expect(found.hits.filter(({ id }) => ids.has(id)).length).toBeGreaterThanOrEqual(least);
      }
    }
  }, 120_000);
});
