import { describe, expect, it } from "vitest";
import type { Hit, HelpDocument } from "../../../local/demo/help-api.ts";
import { emphasised } from "../../../local/demo/screen.ts";
import { helpCentreHeadline, searchLines } from "../../../local/demo/search-report.ts";

const document = (topic: string, language: string): HelpDocument => ({
  id: "",
  title: "",
  body: "",
  topic,
  language,
  updated_at: "",
});

const hit = (title: string, language: string, text: string, word: string, bm25: number): Hit => ({
  scores: { bm25, vector: null },
  text,
  highlights: [{ start: text.indexOf(word), end: text.indexOf(word) + word.length }],
  fields: { title, language },
});

describe("the report of the help centre", () => {
  it("counts what is in it", () => {
    const documents = [
      document("refunds", "en"),
      document("orders", "en"),
      document("refunds", "ja"),
      document("freshet", "en"),
    ];
    expect(helpCentreHeadline(documents)).toBe(
      "A help centre: 2 articles in English, 1 in Japanese, and 1 documents of this project",
    );
  });

  it("shows the hits of each query in columns, with the words that were found", () => {
    const english = hit(
      "How long does a refund take?",
      "en",
      "The refund is sent.",
      "refund",
      7.41,
    );
    const japanese = hit("返金について", "ja", "返金はカードに", "返金", 12.3);
    const lines = searchLines(
      { chunks: 1_234, ms: 840 },
      "@cf/some/model",
      [
        { request: { query: "my money" }, answer: { hits: [english] } },
        { request: { query: "お金", filter: { language: "ja" } }, answer: { hits: [japanese] } },
        { request: { query: "nothing" }, answer: { hits: [] } },
      ],
      (word) => emphasised({ print: () => undefined }, word),
    );
    expect(lines[0]).toMatch(/in its 1,234 chunks, .* after 840 ms$/);
    expect(lines[1]).toMatch(/hashes of words .* no meanings\. Deployed, @cf\/some\/model makes/);
    expect(lines.slice(2)).toEqual([
      "  “my money”",
      "    1  How long does a refund take?   en   bm25 7.4    cos –   The «refund» is sent.",
      '  “お金” where {"language":"ja"}',
      `    1  返金について${" ".repeat(16)}   ja   bm25 12.3   cos –   «返金»はカードに`,
      "  “nothing”",
    ]);
  });
});

describe("a word that stands out", () => {
  it("is bold on a terminal and in guillemets elsewhere", () => {
    const print = (): void => undefined;
    expect(emphasised({ print }, "word")).toBe("«word»");
    expect(emphasised({ print, draw: print }, "word")).toBe("\u001B[1mword\u001B[22m");
  });
});
