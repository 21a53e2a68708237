import type { Term } from "./analyse.ts";

/** What a score needs to know of all documents together. */
export interface CorpusStatistics {
  /** Documents with at least one token. */
  readonly documents: number;
  /** Tokens of all documents. */
  readonly tokens: number;
  /** Documents that have the term. */
  readonly frequencies: ReadonlyMap<string, number>;
}

/** Lengths below this are exact; above, they have four significant bits. */
const EXACT = 24;

/**
 * Pure. The length that scoring uses for a document of so many tokens: exact to 40, then rounded
 * down, as Lucene's SmallFloat does to keep it in one byte.
 */
export function quantizeLength(length: number): number {
  if (length < EXACT) return length;
  const rest = length - EXACT;
  const step = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(rest, 1))) - 3);
  return EXACT + Math.floor(rest / step) * step;
}

/** Pure. Inverse document frequency, ln(1 + (N - n + 0.5) / (n + 0.5)), as float32. */
export const idf = (documents: number, frequency: number): number =>
  Math.fround(Math.log(1 + (documents - frequency + 0.5) / (frequency + 0.5)));

/** Pure. Tokens per document, as float32. There is at least one document. */
export const averageLength = (tokens: number, documents: number): number =>
  Math.fround(tokens / documents);

/**
 * Pure. The BM25 score of one document, by Lucene's formula (no factor k1 + 1): the sum over the
 * query's terms of count × idf × tf / (tf + k1 × (1 - b + b × length / average length)), each as
 * float32, as Lucene has them. Doubles add those without error while none is below 2^-28 of the
 * sum, so that equal documents tie, whatever the order of the terms. 0 without any of the terms.
 */
export function scoreBm25(
  query: readonly Term[],
  document: { readonly counts: ReadonlyMap<string, number>; readonly length: number },
  { documents, tokens, frequencies }: CorpusStatistics,
  { k1, b }: { readonly k1: number; readonly b: number },
): number {
  const relative = quantizeLength(document.length) / averageLength(tokens, documents);
  const norm = k1 * (1 - b + b * relative);
  let score = 0;
  for (const { term, count } of query) {
    const tf = document.counts.get(term) ?? 0;
    const weight = count * idf(documents, frequencies.get(term) ?? 0);
    if (tf > 0) score += Math.fround((weight * tf) / (tf + norm));
  }
  return score;
}
