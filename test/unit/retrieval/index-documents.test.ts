import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileCollection } from "../../../src/retrieval/collection-plan.ts";
import { clientVectors, collection, lexicalHashing } from "../../../src/retrieval/define.ts";
import type { DocumentIndex } from "../../../src/retrieval/document-index.ts";
import { createHashingEmbedder } from "../../../src/retrieval/hashing-embedder.ts";
import {
  changeDocuments,
  indexRefOf,
  type IndexContext,
} from "../../../src/retrieval/index-documents.ts";
import { maxChunks, type DocumentChange } from "../../../src/retrieval/prepare-change.ts";
import { readDocument } from "../../../src/retrieval/read-document.ts";
import { createMemoryDocuments } from "../../support/fakes/memory-document-index.ts";
import { withFaults } from "../../support/fakes/with-faults.ts";
import { Interleaving } from "../../support/interleaving.ts";

const DIMENSIONS = 32;
const plan = compileCollection(
  collection("help", {
    embedder: lexicalHashing({ dimensions: DIMENSIONS }),
    text: ["title", "body"],
    chunk: { tokens: 16 },
  }),
);
const where = { tenant: "acme", collection: plan };

/** A document of so many chunks, each with a word of its own. */
function put(id: string, words: readonly string[], title = "T"): DocumentChange {
  const body = words.map((word) => `${word} `.repeat(48 / (word.length + 1))).join("\n\n");
  const read = readDocument(plan, { title, body });
  if (!read.ok) throw new Error(read.error[0]?.detail);
  return { kind: "put", id, document: read.value };
}

interface Opened extends IndexContext {
  readonly calls: string[];
  readonly embedded: (readonly string[])[];
  /** The words of the chunks that searches find, by document. */
  found(): Promise<Record<string, string[]>>;
}

function open(around: Parameters<typeof withFaults>[1] = {}): Opened {
  const { documentIndex } = createMemoryDocuments();
  const space = createHashingEmbedder(DIMENSIONS);
  const [calls, embedded]: [string[], (readonly string[])[]] = [[], []];
  const documents = withFaults(documentIndex, {
    ...around,
    async before(method, args) {
      calls.push(method);
      await around.before?.(method, args);
    },
  });
  const embedder: NonNullable<typeof space.embedder> = {
    async embed(texts, purpose) {
      embedded.push(texts);
      return (await space.embedder?.embed(texts, purpose)) ?? [];
    },
  };
  const index = indexRefOf("acme", plan, space);
  return {
    documents,
    now: () => 0,
    vectorSpaceOf: () => ({ ...space, embedder }),
    calls,
    embedded,
    async found() {
      const { hits } = await documentIndex.search(index, {
        keyword: null,
        vector: Array.from({ length: DIMENSIONS }, () => 1),
        fusion: { method: "rrf", alpha: 1 },
        filter: null,
        k: 1_000,
        depth: 1_000,
        now: 0,
        titleField: "title",
      });
      const words: Record<string, string[]> = {};
      for (const { id, chunk, text } of hits) (words[id] ??= [])[chunk] = text.split(" ")[0] ?? "";
      return words;
    },
  };
}

describe("changes of many documents", () => {
  it("share their commits and calls of the embedder, 100 chunks at a time", async () => {
    const ctx = open();
    const words = Array.from({ length: 30 }, (_, i) => `w${i}`);
    const changes = Array.from({ length: 10 }, (_, i) => put(`d${i}`, words));
    const outcomes = await changeDocuments(ctx, where, changes);
    expect(outcomes.map(({ id }) => id)).toEqual(changes.map(({ id }) => id));
    const calls = Array.from({ length: 4 }, () => ["readHeads", "commit"]).flat();
    expect(ctx.calls).toEqual(calls);
    expect(ctx.embedded.map((texts) => texts.length)).toEqual([90, 90, 90, 30]);
    const [first] = outcomes;
    expect(first).toMatchObject({ kind: "put", chunks: 30, indexed: 30 });
    expect(Object.keys(await ctx.found())).toHaveLength(10);
  });

  it("write a document with more chunks than that in one commit", async () => {
    const ctx = open();
    const words = Array.from({ length: 250 }, (_, i) => `w${i}`);
    await changeDocuments(ctx, where, [put("small", ["a"]), put("large", words)]);
    expect(ctx.calls.filter((call) => call === "commit")).toHaveLength(2);
    expect((await ctx.found())["large"]).toEqual(words);
  });

  it("leave what came before a failure, so that the same changes go on from there", async () => {
    let commits = 0;
    const ctx = open({
      before(method) {
        if (method === "commit" && (commits += 1) === 2) throw new Error("down");
      },
    });
    const words = Array.from({ length: 150 }, (_, i) => `w${i}`);
    const changes = [put("d1", words), put("d2", words)];
    await expect(changeDocuments(ctx, where, changes)).rejects.toThrow("down");
    expect(Object.keys(await ctx.found())).toEqual(["d1"]);
    ctx.embedded.length = 0;
    await changeDocuments(ctx, where, changes);
    expect(Object.keys(await ctx.found())).toEqual(["d1", "d2"]);
    expect(ctx.embedded.map((texts) => texts.length)).toEqual([150]);
  });
});

describe("a document with too many chunks", () => {
  const words = Array.from({ length: maxChunks(DIMENSIONS) + 1 }, (_, i) => `w${i}`);

  it("is rejected, and keeps no other out", async () => {
    const ctx = open();
    const outcomes = await changeDocuments(ctx, where, [put("long", words), put("d", ["a"])]);
    expect(outcomes).toEqual([
      {
        kind: "rejected",
        id: "long",
        error: {
          path: "body",
          code: "too_many_chunks",
          detail:
            "the text makes 501 chunks, and a document has at most 500: " +
            "make several documents of it",
        },
      },
      expect.objectContaining({ kind: "put", id: "d" }),
    ]);
    expect(await ctx.found()).toEqual({ d: ["a"] });
  });

  it("is indexed in part where it is stored already", async () => {
    const ctx = open();
    const change = { ...put("long", words), stored: '{"body":"whole"}' };
    const [outcome] = await changeDocuments(ctx, where, [change]);
    expect(outcome).toMatchObject({ kind: "put", chunks: 500 });
    const index = indexRefOf("acme", plan, ctx.vectorSpaceOf(plan));
    expect(await ctx.documents.read(index, "long", 0)).toMatchObject({ body: change.stored });
  });

  it("has fewer of them where their vectors are long", () => {
    expect([384, 768, 1_024, 4_000].map(maxChunks)).toEqual([500, 500, 500, 375]);
  });
});

describe("changes of one document by several at once", () => {
  const texts = [["a"], ["a", "b"], ["b", "c", "a"], ["b", "b"]];

  it("end with one of them whole, in any order of their steps", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(5), { minLength: 1, maxLength: 30 }),
        fc.array(fc.nat(texts.length), { minLength: 2, maxLength: 4 }),
        async (turns, writers) => {
          const ctx = open();
          const script = new Interleaving(turns, []);
          const changes = writers.map((at): DocumentChange => {
            const words = texts[at];
            return words === undefined ? { kind: "delete", id: "d" } : put("d", words);
          });
          const versions: number[] = [];
          await script.run(
            changes.map((change, i) => async () => {
              const documents = script.port<DocumentIndex>(i, ctx.documents, () => undefined);
              const [outcome] = await changeDocuments({ ...ctx, documents }, where, [change]);
              if (outcome?.kind === "put") versions.push(outcome.version);
            }),
          );
          const { d: found } = await ctx.found();
          expect(writers.map((at) => texts[at])).toContainEqual(found);
          const index = indexRefOf("acme", plan, ctx.vectorSpaceOf(plan));
          const stored = await ctx.documents.read(index, "d", 0);
          expect([undefined, ...versions]).toContain(stored?.version);
          expect(stored?.chunks).toBe(found?.length);
        },
      ),
      { numRuns: 200 },
    );
  });

  /** Another document is put before each of the first commits. */
  function contended(losses: number) {
    const ctx = open();
    let rounds = 0;
    const documents: DocumentIndex = {
      ...ctx.documents,
      async commit(index, writes, now) {
        rounds += 1;
        const other = put("d", [`other${rounds}`]);
        if (rounds <= losses) await changeDocuments(ctx, where, [other]);
        return ctx.documents.commit(index, writes, now);
      },
    };
    return { ctx, racing: { ...ctx, documents }, rounds: () => rounds };
  }

  it("embed a text once, however many rounds are lost, and write others once", async () => {
    const { ctx, racing, rounds } = contended(4);
    const changes = [put("d", ["a", "b"]), put("e", ["c"])];
    const [outcome] = await changeDocuments(racing, where, changes);
    expect(rounds()).toBe(5);
    expect(outcome).toMatchObject({ kind: "put", chunks: 2, indexed: 2 });
    expect(await ctx.found()).toEqual({ d: ["a", "b"], e: ["c"] });
    const mine = ctx.embedded.flat().filter((text) => !text.includes("other"));
    expect(mine).toHaveLength(3);
  });

  it("are refused as a conflict after five lost rounds, and others are written", async () => {
    const { ctx, racing } = contended(9);
    const changes = [put("d", ["a"]), put("e", ["b"])];
    await expect(changeDocuments(racing, where, changes)).rejects.toMatchObject({
      code: "conflict",
      message: 'others keep changing "d": try again',
      retryAfterSeconds: 1,
    });
    expect(await ctx.found()).toEqual({ d: ["other5"], e: ["b"] });
  });

  it("leave a newer version alone where they are meant for an older one", async () => {
    const ctx = open();
    const [old] = await changeDocuments(ctx, where, [put("d", ["a"])]);
    const onlyVersion = old?.kind === "put" ? old.version : 0;
    await changeDocuments(ctx, where, [put("d", ["b"])]);
    for (const change of [put("d", ["c"]), { kind: "delete", id: "d" } as const]) {
      const outcomes = await changeDocuments(ctx, where, [{ ...change, onlyVersion }]);
      expect(outcomes).toEqual([{ kind: "left", id: "d" }]);
    }
    expect(await ctx.found()).toEqual({ d: ["b"] });
    await changeDocuments(ctx, where, [{ kind: "delete", id: "d" }]);
    const outcomes = await changeDocuments(ctx, where, [{ ...put("d", ["c"]), onlyVersion }]);
    expect(outcomes).toEqual([{ kind: "left", id: "d" }]);
  });
});

describe("vectors of clients", () => {
  it("take the embedder's place, and one that changes is a change", async () => {
    const vectors = compileCollection(
      collection("vectors", { embedder: clientVectors({ dimensions: 2 }), text: ["body"] }),
    );
    const ctx = open();
    const space = { identity: "client/2", dimensions: 2, embedder: null };
    const place = { tenant: "acme", collection: vectors };
    const change = (vector: readonly number[]): DocumentChange => {
      const read = readDocument(vectors, { body: "text", vector });
      if (!read.ok) throw new Error("unreachable");
      return { kind: "put", id: "d", document: read.value };
    };
    const given = { ...ctx, vectorSpaceOf: () => space };
    const [first] = await changeDocuments(given, place, [change([3, 4])]);
    const [same] = await changeDocuments(given, place, [change([6, 8])]);
    expect(same).toEqual({ ...first, indexed: 0 });
    const [other] = await changeDocuments(given, place, [change([4, 3])]);
    expect(other).toMatchObject({ kind: "put", chunks: 1, indexed: 1 });
    expect(ctx.embedded).toEqual([]);
  });
});
