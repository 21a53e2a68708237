import { besideLucene, type BesideLucene } from "./beside-lucene.ts";
import { readSet, readVectors } from "./data-sets.ts";
import { FUSIONS, fuseAll, sameFirstTen } from "./fusions.ts";
import { putAll, type SearchBench } from "./open-search.ts";
import { openPlain } from "./plain.ts";
import { qualityOf, type Quality } from "./quality.ts";
import { idsOf, rankAll, rankPlainly, type Ranking } from "./rank-all.ts";
import { MODES, timeModes, type Size, type TimedMode } from "./time-modes.ts";

export interface NamedQuality extends Quality {
  readonly name: string;
}

/** A set of abstracts with queries, judgements and vectors. */
export interface AbstractSet {
  readonly directory: string;
  readonly name: string;
  /** Whether texts go without their titles; otherwise they begin with them. */
  readonly titled: boolean;
}

export const SCIFACT: AbstractSet = { directory: "scifact", name: "SciFact", titled: true };
export const CRANFIELD: AbstractSet = { directory: "cranfield", name: "Cranfield", titled: false };

export interface Abstracts {
  readonly name: string;
  readonly documents: number;
  readonly timed: readonly TimedMode[];
  readonly qualities: readonly NamedQuality[];
  readonly lucene: BesideLucene;
  readonly luceneQuality: Quality;
  /** Queries whose first ten hits over HTTP are what `fuse` makes of the two rankings. */
  readonly fusedAlike: number;
  readonly queries: number;
}

const COLLECTION = "abstracts";

/** Searches of abstracts by words, by vectors from LSA, and by both; null where the set is absent. */
export async function measureAbstracts(
  bench: SearchBench,
  { directory, name, titled }: AbstractSet,
  size: Size,
): Promise<Abstracts | null> {
  const set = readSet(directory, "lucene8_bm25_k0.9b0.4.top100.tsv.gz");
  if (set === null) return null;
  const vectors = readVectors(directory, "lsa256.docs.f32.npy");
  const ofQueries = readVectors(directory, "lsa256.queries.f32.npy");
  const queries = set.queries.map((query, i) => ({ ...query, vector: ofQueries[i] ?? [] }));
  // Two of Cranfield's have no text.
  const documents = set.documents
    .map(({ id, title = "", text }, i) => ({
      id,
      title: titled ? title : "",
      text,
      vector: vectors[i] ?? [],
    }))
    .filter(({ text }) => text.trim() !== "");
  await putAll(bench, COLLECTION, documents);
  const plain = await openPlain(
    bench.sql,
    COLLECTION,
    "english",
    documents,
    documents.map(({ vector }) => vector),
  );

  const questions = queries.map(({ text, vector }) => ({ query: text, vector }));
  const timed = await timeModes(bench, COLLECTION, questions, plain, size);

  const keyword = await rankAll(bench, COLLECTION, queries, "keyword");
  const vector = await rankAll(bench, COLLECTION, queries, "vector");
  const hybrid = await rankAll(bench, COLLECTION, queries, "hybrid");
  const qualities: NamedQuality[] = [];
  const judge = (way: string, ranking: Ranking): void =>
    void qualities.push({ name: way, ...qualityOf(idsOf(ranking), set.relevant) });
  judge("keyword", keyword);
  judge("vector", vector);
  judge("hybrid, as served", hybrid);
  for (const fusion of FUSIONS) {
    judge(`hybrid, ${fusion.method} ${fusion.alpha}`, fuseAll(keyword, vector, fusion));
  }
  for (const mode of MODES) {
    for (const words of mode === "vector" ? (["or"] as const) : (["and", "or"] as const)) {
      const way = mode === "vector" ? "plain vector" : `plain ${mode}, ${words}`;
      judge(way, await rankPlainly(bench, plain, queries, mode, words));
    }
  }
  const served = fuseAll(keyword, vector, { method: "relative_score", alpha: 0.5 });
  const ofLucene = new Map(
    [...set.lucene].map(([query, found]) => [query, found.map(({ id }) => id)]),
  );
  return {
    name,
    documents: documents.length,
    timed,
    qualities,
    lucene: besideLucene(keyword, set.lucene),
    luceneQuality: qualityOf(ofLucene, set.relevant),
    fusedAlike: sameFirstTen(hybrid, served),
    queries: queries.length,
  };
}
