import { withBigrams } from "./bigrams.ts";
import type { Language } from "./define.ts";
import { normalise, originalSpan } from "./normalise.ts";
import { stem } from "./stem.ts";
import { findWords } from "./words.ts";

/** A term and how often it occurs. */
export interface Term {
  readonly term: string;
  readonly count: number;
}

/** A term and where it stands: `text.slice(start, end)`, in UTF-16 units of the text as given. */
export interface Token {
  readonly term: string;
  readonly start: number;
  readonly end: number;
}

interface Chain {
  readonly bigrams: boolean;
  readonly stopWords: ReadonlySet<string>;
  /** Of English: the possessive 's is dropped and words are stemmed. */
  readonly stems: boolean;
}

const wordSet = (words: string): ReadonlySet<string> => new Set(words.split(" "));
const SHARED =
  "a and are as at be but by for if in into is it no not of on or such that the their then there " +
  "these they this to was will with";
const ENGLISH = wordSet(`${SHARED} an`);
const CHAINS: Readonly<Record<Language, Chain>> = {
  english: { bigrams: false, stopWords: ENGLISH, stems: true },
  auto: { bigrams: true, stopWords: ENGLISH, stems: true },
  cjk: { bigrams: true, stopWords: wordSet(`${SHARED} s t www`), stems: false },
  simple: { bigrams: true, stopWords: new Set(), stems: false },
};

/**
 * Pure. The terms of a text in their order, as Lucene's analysers give them after NFKC:
 * `english` as EnglishAnalyzer (stop words, possessive, Porter's stemmer), `cjk` as CJKAnalyzer
 * (pairs of CJK characters, stop words), `auto` as `english` with pairs of CJK characters, `simple`
 * as `cjk` without stop words. Documents and queries are analysed alike. Linear in time, and total:
 * lone surrogates are no words.
 */
export function analyse(text: string, language: Language): readonly Token[] {
  const { bigrams, stopWords, stems } = CHAINS[language];
  const normalised = normalise(text);
  const words = findWords(normalised.text);
  const tokens: Token[] = [];
  for (const { start, end } of bigrams ? withBigrams(normalised.text, words) : words) {
    const spelt = plain(normalised.text.slice(start, end));
    const word = stems && spelt.endsWith("'s") ? spelt.slice(0, -2) : spelt;
    if (word === "" || stopWords.has(word)) continue;
    const [from, to] = originalSpan(normalised, start, end);
    tokens.push({ term: stems ? stem(word) : word, start: from, end: to });
  }
  return tokens;
}

/** Pure. Distinct terms in the order of their code units, and the number of tokens. */
export function termsOf(tokens: readonly Token[]): {
  readonly terms: readonly Term[];
  readonly length: number;
} {
  const counts = new Map<string, number>();
  for (const { term } of tokens) counts.set(term, (counts.get(term) ?? 0) + 1);
  const terms = [...counts.keys()]
    .toSorted()
    .map((term) => ({ term, count: counts.get(term) ?? 0 }));
  return { terms, length: tokens.length };
}

/** One spelling: lower case with one small sigma and no dot above i, ' for ’, no ignored characters. */
function plain(word: string): string {
  const lower = word.toLowerCase();
  if (!/[^ -~]/.test(lower)) return lower;
  return lower
    .replaceAll(/\p{Default_Ignorable_Code_Point}/gu, "")
    .replaceAll("i\u0307", "i")
    .replaceAll("ς", "σ")
    .replaceAll("’", "'");
}
