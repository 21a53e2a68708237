import { describe, expect, it } from "vitest";
import { analyse } from "../../../src/retrieval/analyse.ts";
import type { Language } from "../../../src/retrieval/define.ts";
import { highlight } from "../../../src/retrieval/highlight.ts";

const marked = (text: string, query: string, language: Language = "auto"): readonly string[] =>
  highlight(text, new Set(analyse(query, language).map(({ term }) => term)), language).map(
    ({ start, end }) => text.slice(start, end),
  );

describe("highlights", () => {
  it("are the words of the text that have the query's stems", () => {
    const text = "Returns: a returned parcel’s label, returning soon.";
    expect(marked(text, "return parcels")).toEqual([
      "Returns",
      "returned",
      "parcel’s",
      "returning",
    ]);
  });

  it("join the pairs of a Japanese word, and mark no more than matched", () => {
    expect(marked("返品の送料と返品期限", "返品送料")).toEqual(["返品", "送料", "返品"]);
    expect(marked("東京都庁へ", "東京都")).toEqual(["東京都"]);
  });

  it("point into the text as given", () => {
    const text = "当店のｶﾞﾗｽ製品とＡＰＩ";
    expect(marked(text, "ガラス API")).toEqual(["ｶﾞﾗｽ", "ＡＰＩ"]);
    expect(highlight(text, new Set(["api"]), "auto")).toEqual([{ start: 10, end: 13 }]);
  });

  it("keep words apart that a space parts", () => {
    expect(marked("tea tea, tea", "tea", "simple")).toEqual(["tea", "tea", "tea"]);
  });

  it("are none where nothing matches", () => {
    expect(marked("the tea", "the", "english")).toEqual([]);
    expect(marked("", "tea")).toEqual([]);
  });
});
