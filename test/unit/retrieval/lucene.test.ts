import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { analyse, termsOf, type Term } from "../../../src/retrieval/analyse.ts";
import { scoreBm25 } from "../../../src/retrieval/bm25.ts";
import type { Language } from "../../../src/retrieval/define.ts";

// Real collections with the tokens and the scores of Lucene 8.7, kept beside the project.
const DATA = join(import.meta.dirname, "../../../../shared/data");
const absent = !existsSync(DATA);
const needs = absent ? " (skipped: needs ../shared/data)" : "";

interface Text {
  readonly id: string;
  readonly text: string;
}

const lines = (path: string): readonly string[] =>
  readFileSync(join(DATA, path), "utf8").trimEnd().split("\n");
const table = (path: string): readonly (readonly string[])[] =>
  gunzipSync(readFileSync(join(DATA, path)))
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));

function textsOf(set: string, part: "corpus" | "queries", withTitle: boolean): readonly Text[] {
  return lines(`${set}/${part}.jsonl`).map((line) => {
    const { id, title = "", text } = JSON.parse(line) as Text & { title?: string };
    return { id, text: withTitle && part === "corpus" ? `${title} ${text}` : text };
  });
}

function goldenOf(set: string, analyser: string, part: "corpus" | "queries") {
  const rows = table(`${set}/${analyser}.${part === "corpus" ? "docs" : "queries"}.tsv.gz`);
  return new Map(rows.map(([id = "", tokens = ""]) => [id, tokens.split(" ").filter(Boolean)]));
}

/**
 * Our terms, but for three readings that are better for search and that Lucene does not have: we
 * keep raised and lowered digits (km², H₂O) and the C of ℃, and 々 pairs with its neighbours.
 */
const termsAsLucene = (text: string, language: Language): readonly string[] =>
  text
    .replaceAll(/[²³¹⁰-₎℃]/g, " ")
    .split(/(々)/)
    .flatMap((part) => (part === "々" ? [part] : analyse(part, language).map(({ term }) => term)));

/** Lucene's spellings and ours, which NFKC, one small sigma and no soft hyphens make. */
const SPELLINGS = {
  scifact: {
    µg: "μg",
    µl: "μl",
    µm: "μm",
    "15µm": "15μm",
    µmol: "μmol",
    cd3ϵ: "cd3ε",
    ﬁnding: "find",
    difﬁcult: "difficult",
    identiﬁ: "identifi",
    justiﬁableon: "justifiableon",
    neﬁtthosesubject: "nefitthosesubject",
    orleadtosubstantialscientiﬁcprogress: "orleadtosubstantialscientificprogress",
    signiﬁcantef: "significantef",
    speciﬁcsamplesizeneededfor: "specificsamplesizeneededfor",
    speciﬁcstudi: "specificstudi",
    sufﬁcientforthecentrallimittheo: "sufficientforthecentrallimittheo",
    "liveli\u00ad": "live",
    "pos\u00ad": "po",
    "shrink\u00ad": "shrink",
  },
  cranfield: {},
  jsquad: { ⅰ: "i", ⅲ: "iii", ῥυθμός: "ῥυθμόσ" },
};

describe.skipIf(absent)(`analysis beside Lucene's${needs}`, () => {
  it.each([
    ["scifact", "english", "lucene_english_tokens", true],
    ["cranfield", "english", "lucene_english_tokens", false],
    ["jsquad", "cjk", "lucene_cjk_tokens", true],
  ] as const)("gives every token of %s", (set, language, analyser, withTitle) => {
    const spellings: Record<string, string> = {};
    let compared = 0;
    for (const part of ["corpus", "queries"] as const) {
      const golden = goldenOf(set, analyser, part);
      for (const { id, text } of textsOf(set, part, withTitle)) {
        const expected = golden.get(id) ?? [];
        const actual = termsAsLucene(text, language);
        expect(actual.length, `${part} ${id}`).toBe(expected.length);
        for (const [i, term] of actual.entries()) {
          if (term !== expected[i]) spellings[expected[i] ?? ""] = term;
        }
        compared += actual.length;
      }
    }
    expect(compared).toBeGreaterThan(100_000);
    expect(spellings).toEqual(SPELLINGS[set]);
  });
});

interface Indexed {
  readonly id: string;
  readonly counts: ReadonlyMap<string, number>;
  readonly length: number;
}

function indexOf(documents: ReadonlyMap<string, readonly string[]>) {
  const indexed: Indexed[] = [];
  const postings = new Map<string, Indexed[]>();
  for (const [id, tokens] of documents) {
    const { terms, length } = countsOf(tokens);
    const document = { id, length, counts: new Map(terms.map((t) => [t.term, t.count])) };
    if (length > 0) indexed.push(document);
    for (const { term } of terms) {
      const posting = postings.get(term);
      if (posting === undefined) postings.set(term, [document]);
      else posting.push(document);
    }
  }
  const corpus = {
    documents: indexed.length,
    tokens: indexed.reduce((sum, { length }) => sum + length, 0),
    frequencies: new Map(Array.from(postings, ([term, posting]) => [term, posting.length])),
  };
  return { corpus, postings };
}

const countsOf = (tokens: readonly string[]) =>
  termsOf(tokens.map((term) => ({ term, start: 0, end: 0 })));

function rankingOf(path: string): ReadonlyMap<string, readonly (readonly [string, number])[]> {
  const ranking = new Map<string, [string, number][]>();
  for (const [query = "", id = "", rank, score] of table(path)) {
    if (Number(rank) === 1) ranking.set(query, []);
    if (Number(rank) <= 10) ranking.get(query)?.push([id, Number(score)]);
  }
  return ranking;
}

// Of Lucene's tokens, which the tests above show to be ours.
describe.skipIf(absent)(`BM25 beside Lucene's${needs}`, () => {
  it.each([
    ["scifact", "lucene_english_tokens", "lucene8_bm25_k0.9b0.4.top100", 0.9, 0.4, 300],
    ["cranfield", "lucene_english_tokens", "lucene8_bm25_k1.2b0.75.top100", 1.2, 0.75, 225],
    ["jsquad", "lucene_cjk_tokens", "lucene8_bm25_k0.9b0.4_cjk.top20", 0.9, 0.4, 500],
  ] as const)("ranks %s with %s as %s", (set, analyser, file, k1, b, queries) => {
    const { corpus, postings } = indexOf(goldenOf(set, analyser, "corpus"));
    const ranking = rankingOf(`${set}/${file}.tsv.gz`);
    const asked = [...goldenOf(set, analyser, "queries")].slice(0, queries);
    expect(asked).toHaveLength(queries);
    for (const [id, tokens] of asked) {
      const matches = new Map<Indexed, Term[]>();
      for (const term of countsOf(tokens).terms) {
        for (const document of postings.get(term.term) ?? []) {
          const matched = matches.get(document);
          if (matched === undefined) matches.set(document, [term]);
          else matched.push(term);
        }
      }
      const best = ranking.get(id) ?? [];
      const least = (best.at(-1)?.[1] ?? 0) - 0.01;
      const hits = Array.from(matches, ([document, terms]) => ({
        id: document.id,
        score: scoreBm25(terms, document, corpus, { k1, b }),
      }))
        .filter(({ score }) => score > least)
        .toSorted((x, y) => y.score - x.score || (x.id < y.id ? -1 : 1))
        .slice(0, 10);
      expect(hits.map((hit) => hit.id)).toEqual(best.map(([hit]) => hit));
      // Lucene adds float32 numbers: a millionth of a score is its own rounding.
      const isOff = ({ score }: { score: number }, i: number): boolean =>
        Math.abs(score - (best[i]?.[1] ?? 0)) > Math.max(1e-5, score * 1e-6);
      expect(hits.filter(isOff)).toEqual([]);
    }
  });
});
