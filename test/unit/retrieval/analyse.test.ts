import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { analyse, termsOf } from "../../../src/retrieval/analyse.ts";
import type { Language } from "../../../src/retrieval/define.ts";

const LANGUAGES: readonly Language[] = ["auto", "english", "cjk", "simple"];
const terms = (text: string, language: Language): readonly string[] =>
  analyse(text, language).map(({ term }) => term);

/** Text of many scripts, with marks, joiners, emoji, compatibility forms and broken pairs. */
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 6 }),
      fc.constantFrom(
        "the",
        "Dogs'",
        "’s",
        " ",
        ".",
        "_",
        "3.14",
        "日本",
        "々",
        "ｶﾞ",
        "ー",
        "か\u3099",
      ),
      fc.constantFrom(
        "한국",
        "\u1112\u1161\u11ab",
        "ﬁ",
        "㍿",
        "™",
        "½",
        "e\u0301",
        "👨‍👩‍👧",
        "🇯🇵",
        "\ud83d",
      ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

describe("words", () => {
  it.each<readonly [string, readonly string[]]>([
    [
      "O'Neill's wi-fi costs $3.50, not 1,000.",
      ["o'neill's", "wi", "fi", "costs", "3.50", "not", "1,000"],
    ],
    ["snake_case _x_ __ a.b a..b 'quoted'", ["snake_case", "_x_", "a.b", "a", "b", "quoted"]],
    ["don’t Stop", ["don't", "stop"]],
    ["e\u0301t\u00e9 été", ["été", "été"]],
    ["Straße ΟΔΟΣ οδός İzmir", ["straße", "οδοσ", "οδόσ", "izmir"]],
    ["co\u00adoperate zero\u200bwidth mark\u200e", ["cooperate", "zero", "width", "mark"]],
    ["ภาษาไทย हिन्दी", ["ภาษาไทย", "हिन्दी"]],
    ["I ❤️ 👨‍👩‍👧 🇯🇵🇫🇷 👍🏽", ["i", "❤", "👨👩👧", "🇯🇵", "🇫🇷", "👍🏽"]],
    ["", []],
    [" \n\t…—!?", []],
  ])("of %j are %j", (text, expected) => {
    expect(terms(text, "simple")).toEqual(expected);
  });

  it("are folded by NFKC, with offsets into the text as given", () => {
    const text = "Ｆｕｌｌ ﬁnd ㎏ H₂O Freshet™ 2½";
    const tokens = analyse(text, "simple");
    expect(tokens.map(({ term }) => term)).toEqual([
      "full",
      "find",
      "kg",
      "h2o",
      "freshet",
      "™",
      "2",
    ]);
    expect(tokens.map(({ start, end }) => text.slice(start, end))).toEqual([
      "Ｆｕｌｌ",
      "ﬁnd",
      "㎏",
      "H₂O",
      "Freshet",
      "™",
      "2",
    ]);
  });

  it("longer than 255 units become several, which split no pair", () => {
    expect(terms("x".repeat(600), "simple").map(({ length }) => length)).toEqual([255, 255, 90]);
    expect(terms("𝒳𐐨".repeat(200), "simple").every((term) => term.isWellFormed())).toBe(true);
  });
});

describe("English", () => {
  it("drops stop words and the possessive, and stems", () => {
    expect(terms("The dogs' owner’s running into AN OWNER'S houses", "english")).toEqual([
      "dog",
      "owner",
      "run",
      "owner",
      "hous",
    ]);
  });

  it("has no terms for stop words only", () => {
    expect(terms("To be, or not to be: that is the", "english")).toEqual([]);
    expect(termsOf(analyse("the and of", "auto"))).toEqual({ terms: [], length: 0 });
  });

  it("has single ideographs and hiragana, and katakana as words", () => {
    expect(terms("東京のサーバー", "english")).toEqual(["東", "京", "の", "サーバー"]);
  });
});

describe("Chinese, Japanese and Korean", () => {
  it.each<readonly [string, readonly string[]]>([
    ["東京都の天気", ["東京", "京都", "都の", "の天", "天気"]],
    ["返品、雨", ["返品", "雨"]],
    ["佐々木さん", ["佐々", "々木", "木さ", "さん"]],
    ["ｶﾞﾗｽのコップ", ["ガラ", "ラス", "スの", "のコ", "コッ", "ップ"]],
    ["か\u3099っこう", ["がっ", "っこ", "こう"]],
    ["한국어 검색", ["한국", "국어", "검색"]],
    ["\u1112\u1161\u11ab국", ["한국"]],
    ["API를 2024년.다시", ["api", "를", "2024", "년", "다시"]],
    ["𠮷野家", ["𠮷野", "野家"]],
    ["葛\udb40\udd00飾区", ["葛飾", "飾区"]],
  ])("%s is found as %j", (text, expected) => {
    expect(terms(text, "auto")).toEqual(expected);
    expect(terms(text, "cjk")).toEqual(expected);
    expect(terms(text, "simple")).toEqual(expected);
  });

  it("is read beside English, each in its way", () => {
    const text = "ＡＰＩのレート制限：the API limits 5月";
    expect(terms(text, "auto")).toEqual([
      "api",
      "のレ",
      "レー",
      "ート",
      "ト制",
      "制限",
      "api",
      "limit",
      "5",
      "月",
    ]);
    expect(terms(text, "cjk").slice(-4)).toEqual(["api", "limits", "5", "月"]);
    expect(terms(text, "simple").slice(-5)).toEqual(["the", "api", "limits", "5", "月"]);
  });

  it("has offsets of the text as given", () => {
    const text = "①ｶﾞﾗｽ㍿";
    const tokens = analyse(text, "auto");
    expect(tokens.map(({ term, start, end }) => [term, text.slice(start, end)])).toEqual([
      ["1", "①"],
      ["ガラ", "ｶﾞﾗ"],
      ["ラス", "ﾗｽ"],
      ["ス株", "ｽ㍿"],
      ["株式", "㍿"],
      ["式会", "㍿"],
      ["会社", "㍿"],
    ]);
  });
});

describe("any text", () => {
  it("has tokens in order, inside it, whose slice has their term", () => {
    fc.assert(
      fc.property(anyText, fc.constantFrom(...LANGUAGES), (text, language) => {
        let last = 0;
        for (const { term, start, end } of analyse(text, language)) {
          expect(start).toBeGreaterThanOrEqual(last);
          last = start;
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(text.length);
          expect(term.isWellFormed() && term !== "").toBe(true);
          // A mark that composes with nothing is half of a pair, and no word by itself.
          if (/^\p{M}/u.test(term)) continue;
          expect(terms(text.slice(start, end), language)).toContain(term);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("has the terms of its NFKC form, wherever windows of it end", () => {
    fc.assert(
      fc.property(anyText, fc.nat(300), (text, before) => {
        const whole = `${"x".repeat(before)} ${text}`;
        const folded = whole.replaceAll(/[^™℠¼-¾⅐-⅟↉]+/g, (part) => part.normalize("NFKC"));
        expect(terms(whole, "simple")).toEqual(terms(folded, "simple"));
      }),
      { numRuns: 500 },
    );
  });

  it("is no word where it is half a pair", () => {
    expect(terms("a\ud800b \udc00 \ud83d", "auto")).toEqual(["b"]);
    expect(terms("\ud800".repeat(3), "cjk")).toEqual([]);
  });

  it.each([
    ["one word", "a"],
    ["points", "a."],
    ["marks", "\u0301\u0316"],
    ["connectors", "_"],
    ["y", "y"],
    ["joined emoji", "👩\u200d"],
    ["jamo", "\u1100\u1161\u11a8"],
    ["ideographs", "々"],
    ["forms of eighteen letters", "\ufdfa                 "],
    ["apostrophes with marks", "a'\u0301"],
  ])("is read in linear time: %s", (_, part) => {
    const text = part.repeat(Math.ceil(200_000 / part.length));
    const start = performance.now();
    for (const language of ["auto", "english"] as const) analyse(text, language);
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});

describe("terms", () => {
  it("are counted, in the order of their code units", () => {
    expect(termsOf(analyse("b a B ｂ 𝄞 ﾊ 1", "simple"))).toEqual({
      terms: [
        { term: "1", count: 1 },
        { term: "a", count: 1 },
        { term: "b", count: 3 },
        { term: "ハ", count: 1 },
      ],
      length: 6,
    });
  });
});
