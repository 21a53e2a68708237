import { describe, expect, it } from "vitest";
import { excerpt } from "../../../local/demo/excerpt.ts";
import { columnsOf } from "../../../local/demo/words.ts";

const mark = (word: string): string => `[${word}]`;

/** The excerpt around every occurrence of some words. */
function around(text: string, words: readonly string[], columns: number): string {
  const spans = words
    .flatMap((word) => [...text.matchAll(new RegExp(word, "g"))])
    .map(({ 0: word, index }) => ({ start: index, end: index + word.length }))
    .toSorted((a, b) => a.start - b.start);
  return excerpt(text, spans, columns, mark);
}

const TEXT =
  "A refund takes days. Most banks wait for the end of the month, and then the money of the " +
  "refund is on your statement.";

describe("an excerpt", () => {
  it("is where most of the marked words are", () => {
    expect(around(TEXT, ["refund", "money"], 40)).toBe(
      "…then the [money] of the [refund] is on your…",
    );
  });

  it("is the beginning of a text without any", () => {
    expect(around(TEXT, [], 20)).toBe("A refund takes days.…");
    expect(around("Short.", [], 20)).toBe("Short.");
    expect(around("", [], 20)).toBe("");
  });

  it("cuts no word in two unless it is long", () => {
    expect(around(TEXT, ["banks"], 22)).toBe("…[banks] wait for the end…");
    expect(around("x".repeat(50), [], 20)).toBe(`${"x".repeat(20)}…`);
  });

  it("counts two columns for a Japanese character", () => {
    const shown = around("返金は、お支払いに使われたカードに対して行います。", ["カード"], 20);
    expect(shown).toBe("…れた[カード]に対して行…");
    expect(columnsOf(shown)).toBeLessThanOrEqual(24);
  });

  it("has no white space to spare", () => {
    expect(around("First line.\n\n   - **the refund**,   then", ["refund"], 16)).toBe(
      "…[refund]**, then",
    );
  });

  it("is one line without anything that a terminal obeys", () => {
    expect(excerpt("one\r\n\ttwo\u001b[31m\u0007 three", [], 40, mark)).toBe("one two [31m three");
  });
});
