import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fuse, type Fusion } from "../../../src/retrieval/fuse.ts";

interface Candidate {
  readonly id: string;
  readonly bm25: number | null;
  readonly vector: number | null;
}

const both: readonly Candidate[] = [
  { id: "a", bm25: 8, vector: null },
  { id: "b", bm25: 6, vector: 0.9 },
  { id: "c", bm25: 4, vector: 0.5 },
  { id: "d", bm25: null, vector: 0.7 },
];

const scored = (candidates: readonly Candidate[], fusion: Fusion): readonly string[] =>
  fuse(candidates, fusion).map(({ id, score }) => `${id} ${Number(score.toFixed(6))}`);

const METHODS = ["relative_score", "rrf", "dbsf"] as const;

describe("fuse", () => {
  it("averages the places between lowest and highest score of each ranking", () => {
    const fused = scored(both, { method: "relative_score", alpha: 0.5 });
    expect(fused).toEqual(["b 0.75", "a 0.5", "d 0.25", "c 0"]);
    const weighted = scored(both, { method: "relative_score", alpha: 0.9 });
    expect(weighted).toEqual(["b 0.95", "d 0.45", "a 0.1", "c 0"]);
  });

  it("sums reciprocal ranks as published where both rankings weigh the same", () => {
    const sums = [1 / 62 + 1 / 61, 1 / 63 + 1 / 63, 1 / 61, 1 / 62];
    expect(scored(both, { method: "rrf", alpha: 0.5 })).toEqual(
      ["b", "c", "a", "d"].map((id, i) => `${id} ${Number(sums[i]?.toFixed(6))}`),
    );
  });

  it("places scores between three standard deviations below and above the mean", () => {
    // Of 8, 6, 4 the mean is 6 and σ is 2; of 0.9, 0.7, 0.5 they are 0.7 and 0.2.
    const fused = scored(both, { method: "dbsf", alpha: 0.6 });
    expect(fused).toEqual(["b 0.6", "c 0.333333", "d 0.3", "a 0.266667"]);
    const outlier = Array.from({ length: 20 }, (_, i) => ({
      id: `${i}`,
      bm25: i === 0 ? 100 : 1,
      vector: 1 / (i + 1),
    }));
    expect(fuse(outlier, { method: "dbsf", alpha: 0 })[0]?.score).toBe(1);
  });

  it("gives equal scores of a ranking one value", () => {
    const equal = both.map((one) => ({ ...one, bm25: 0.1, vector: 0.3 }));
    const scoreOf = (method: Fusion["method"]) => fuse(equal, { method, alpha: 0.5 })[3]?.score;
    expect(scoreOf("relative_score")).toBe(1);
    expect(scoreOf("dbsf")).toBe(0.5);
    expect(scoreOf("rrf")).toBe(2 / 64);
  });

  it("keeps the scores of the only ranking that has candidates", () => {
    const keyword = both.map((one) => ({ ...one, vector: null }));
    const vector = both.map((one) => ({ ...one, bm25: null }));
    for (const method of METHODS) {
      expect(scored(keyword, { method, alpha: 0.9 })).toEqual(["a 8", "b 6", "c 4", "d 0"]);
      expect(scored(vector, { method, alpha: 0 })).toEqual(["b 0.9", "d 0.7", "c 0.5", "a 0"]);
    }
    expect(fuse([], { method: "dbsf", alpha: 0.5 })).toEqual([]);
  });

  it("keeps every candidate with its own members, best first, ties in the given order", () => {
    const score = fc.option(
      fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true, min: -1e9, max: 1e9 })),
    );
    const candidates = fc.array(fc.record({ bm25: score, vector: score }));
    const alphas = fc.double({ noNaN: true, min: 0, max: 1 });
    fc.assert(
      fc.property(candidates, fc.constantFrom(...METHODS), alphas, (scores, method, alpha) => {
        const given = scores.map((one, position) => ({ ...one, position }));
        const fused = fuse(given, { method, alpha });
        expect(fused.toSorted((a, b) => a.position - b.position)).toMatchObject(given);
        for (const [i, { score: s, position }] of fused.entries()) {
          const next = fused[i + 1] ?? { score: Number.NEGATIVE_INFINITY, position };
          expect(s > next.score || (s === next.score && position < next.position)).toBe(true);
        }
      }),
    );
  });
});

// Lucene's BM25 and vectors from a singular value decomposition, kept beside the project.
const DATA = join(import.meta.dirname, "../../../../shared/data");
const absent = !existsSync(DATA);
const needs = absent ? " (skipped: needs ../shared/data)" : "";
const DEPTH = 100;

const read = (name: string): Buffer => readFileSync(join(DATA, name));
const idsOf = (name: string): readonly string[] =>
  read(name)
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { id: string }).id);
const rowsOf = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));

function vectorsOf(name: string): readonly Float32Array[] {
  const bytes = read(name);
  const start = 10 + bytes.readUInt16LE(8);
  const values = new Float32Array(
    bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length),
  );
  return Array.from({ length: values.length / 256 }, (_, i) =>
    values.subarray(i * 256, i * 256 + 256),
  );
}

function grouped<T>(
  rows: readonly (readonly string[])[],
  value: (row: readonly string[]) => readonly [string, T],
) {
  const groups = new Map<string, Map<string, T>>();
  for (const row of rows) {
    const [query = ""] = row;
    const group = groups.get(query) ?? new Map<string, T>();
    group.set(...value(row));
    groups.set(query, group);
  }
  return groups;
}

/** The candidates of each query of a collection, and what is relevant to it. */
function candidatesOf(set: string) {
  const bm25 = grouped(
    rowsOf(gunzipSync(read(`${set}/lucene8_bm25_k0.9b0.4.top100.tsv.gz`)).toString()),
    ([, id = "", , score]) => [id, Number(score)] as const,
  );
  const relevant = grouped(
    rowsOf(read(`${set}/qrels.tsv`).toString()),
    ([, id = "", gain]) => [id, Number(gain)] as const,
  );
  const documents = idsOf(`${set}/corpus.jsonl`);
  const vectors = vectorsOf(`${set}/lsa256.docs.f32.npy`);
  const queries = vectorsOf(`${set}/lsa256.queries.f32.npy`);
  return idsOf(`${set}/queries.jsonl`).map((query, q) => {
    const similarities = vectors.map((vector, i) => {
      let sum = 0;
      for (let d = 0; d < vector.length; d += 1) sum += (vector[d] ?? 0) * (queries[q]?.[d] ?? 0);
      return [documents[i] ?? "", sum] as const;
    });
    const nearest = new Map(similarities.toSorted((a, b) => b[1] - a[1]).slice(0, DEPTH));
    const words = bm25.get(query) ?? new Map<string, number>();
    const candidates = [...new Set([...words.keys(), ...nearest.keys()])].toSorted().map((id) => ({
      id,
      bm25: words.get(id) ?? null,
      vector: nearest.get(id) ?? null,
    }));
    return { candidates, gains: relevant.get(query) ?? new Map<string, number>() };
  });
}

const discounted = (gains: readonly number[]): number =>
  gains.slice(0, 10).reduce((sum, gain, rank) => sum + gain / Math.log2(rank + 2), 0);

/** Mean nDCG@10. */
function quality(queries: ReturnType<typeof candidatesOf>, fusion: Fusion): number {
  const each = queries.map(({ candidates, gains }) => {
    const ideal = discounted([...gains.values()].toSorted((a, b) => b - a));
    return discounted(fuse(candidates, fusion).map(({ id }) => gains.get(id) ?? 0)) / ideal;
  });
  return each.reduce((sum, one) => sum + one, 0) / each.length;
}

describe.skipIf(absent)(`fuse on SciFact${needs}`, () => {
  it("ranks as measured elsewhere: by relative scores better than by reciprocal ranks", () => {
    const queries = candidatesOf("scifact");
    const measured = METHODS.map((method) => quality(queries, { method, alpha: 0.5 }).toFixed(3));
    expect(measured).toEqual(["0.679", "0.614", "0.632"]);
  }, 60_000);
});
