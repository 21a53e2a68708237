import { besideLucene, type BesideLucene } from "./beside-lucene.ts";
import { readSet } from "./data-sets.ts";
import { putAll, type SearchBench } from "./open-search.ts";
import { openPlain } from "./plain.ts";
import { qualityOf, type Quality } from "./quality.ts";
import { idsOf, rankAll, rankPlainly } from "./rank-all.ts";

export interface Jsquad {
  readonly documents: number;
  readonly queries: number;
  readonly keyword: Quality;
  readonly plain: { readonly and: Quality; readonly or: Quality };
  readonly lucene: BesideLucene;
}

/** Searches of 2,304 Japanese paragraphs by words; null where the set is absent. */
export async function measureJsquad(bench: SearchBench, questions: number): Promise<Jsquad | null> {
  const set = readSet("jsquad", "lucene8_bm25_k0.9b0.4_cjk.top20.tsv.gz");
  if (set === null) return null;
  await putAll(bench, "jsquad", set.documents);
  const plain = await openPlain(bench.sql, "jsquad", "simple", set.documents, null);
  const queries = set.queries.slice(0, questions).map(({ id, text }) => ({ id, text }));
  const ranking = await rankAll(bench, "jsquad", queries, "keyword");
  const quality = async (words: "and" | "or"): Promise<Quality> =>
    qualityOf(idsOf(await rankPlainly(bench, plain, queries, "keyword", words)), set.relevant);
  return {
    documents: set.documents.length,
    queries: queries.length,
    keyword: qualityOf(idsOf(ranking), set.relevant),
    plain: { and: await quality("and"), or: await quality("or") },
    lucene: besideLucene(ranking, set.lucene),
  };
}
