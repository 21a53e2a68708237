import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitText } from "../../../src/retrieval/chunk.ts";

/** The estimate as it is promised, counted naively. */
function tokensOf(text: string): number {
  const wide = Array.from(text.matchAll(/[\u3000-\u9fff\uac00-\ud7ff\uff00-\uffef𠀀-𪛟]/gu)).length;
  return Math.ceil(wide + (Array.from(text).length - wide) / 4);
}

const word = fc.constantFrom(
  "queue",
  "of",
  "fresh",
  "Postgres",
  "a",
  "naïve",
  "e\u0301te\u0301",
  "🙂",
);
const prose = fc
  .array(fc.array(word, { minLength: 1, maxLength: 14 }), { minLength: 1, maxLength: 12 })
  .map((sentences) => sentences.map((words) => `${words.join(" ")}.`).join(" "));
const japanese = fc
  .array(
    fc.constantFrom("返品は三十日以内です。", "送料は、無料！", "𠮷野家「はい。」", "カ\u3099ラス"),
  )
  .map((parts) => parts.join(""));
const lines = (line: string) =>
  fc.integer({ min: 1, max: 12 }).map((n) => Array.from({ length: n }, () => line).join("\n"));
const part = fc.oneof(
  fc.constantFrom("\n# Shop\n", "\n## Returns and refunds\n", "\n### 返品\n"),
  prose,
  prose,
  japanese,
  lines("- an item of a list\n  that goes on"),
  lines("| a | b |"),
  lines("const x = 1;\n").map((code) => `\`\`\`ts\n${code}\n\`\`\``),
  fc.constantFrom("```", "x".repeat(90), "a\u0300\u0301\u0302"),
);
const markdown = fc
  .array(fc.tuple(part, fc.constantFrom("\n\n", "\n\n", "\n", " ")), { maxLength: 25 })
  .map((parts) => parts.flat().join(""));
const sizes = fc.constantFrom(16, 32, 64, 256);

/** Sentences of about six tokens. */
const para = (n: number, name: string) =>
  Array.from({ length: n }, (_, i) => `The ${name} has ${i} of these.`).join(" ");

describe("splitText", () => {
  it("leaves a document that is not to be split as it is", () => {
    expect(splitText(" one\n\ntwo ", "none")).toEqual([" one\n\ntwo "]);
    expect(splitText("", "none")).toEqual([""]);
    expect(splitText("", { tokens: 16 })).toEqual([""]);
    expect(splitText(" \n ", { tokens: 16 })).toEqual([""]);
    expect(splitText("\n short \n", { tokens: 16 })).toEqual(["short"]);
  });

  it("gives slices in order, of the size asked for, that hold all but white space", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          markdown,
          fc.string({ unit: "binary", maxLength: 400 }).map((t) => t.toWellFormed()),
        ),
        sizes,
        (text, tokens) => {
          let at = 0;
          for (const chunk of splitText(text, { tokens })) {
            const found = text.indexOf(chunk, at);
            expect(text.slice(at, found).trim()).toBe("");
            expect(chunk).toBe(chunk.trim());
            expect(chunk === "" && text.trim() !== "").toBe(false);
            expect(tokensOf(chunk)).toBeLessThanOrEqual(tokens);
            expect(chunk.isWellFormed()).toBe(true);
            expect(text.slice(found - 1, found + 1)).not.toMatch(/^\S\p{M}/u);
            at = found + chunk.length;
          }
          expect(text.slice(at).trim()).toBe("");
        },
      ),
      { numRuns: 150 },
    );
  });

  it("leaves no small chunk", () => {
    fc.assert(
      fc.property(markdown, sizes, (text, tokens) => {
        const chunks = splitText(text, { tokens });
        if (chunks.length === 1) return;
        for (const chunk of chunks) expect(tokensOf(chunk)).toBeGreaterThanOrEqual(tokens / 8);
      }),
      { numRuns: 300 },
    );
  });

  it("keeps the chunks that begin well before what is appended", () => {
    fc.assert(
      fc.property(markdown, prose, sizes, (text, more, tokens) => {
        const written = text.trimEnd();
        let at = 0;
        const kept = splitText(written, { tokens }).filter((chunk) => {
          at = written.indexOf(chunk, at) + chunk.length;
          return tokensOf(written.slice(at - chunk.length)) > 2.25 * tokens + 1;
        });
        const after = splitText(`${written}\n\n${more}`, { tokens });
        expect(after.slice(0, kept.length)).toEqual(kept);
      }),
      { numRuns: 300 },
    );
  });

  it("keeps all chunks but the last two when a paragraph is appended", () => {
    const text = Array.from({ length: 30 }, (_, i) => `## Part ${i}\n\n${para(i, "part")}`).join(
      "\n\n",
    );
    const before = splitText(text, { tokens: 64 });
    const after = splitText(`${text}\n\n${para(9, "end")}`, { tokens: 64 });
    expect(before.length).toBeGreaterThan(30);
    expect(after.slice(0, before.length - 2)).toEqual(before.slice(0, -2));
  });

  it("never ends a chunk with a heading", () => {
    fc.assert(
      fc.property(markdown, sizes, (text, tokens) => {
        const fenceless = text.replaceAll("```", "");
        for (const chunk of splitText(fenceless, { tokens }).slice(0, -1)) {
          expect(chunk).not.toMatch(/(^|\n)(# Shop|## Returns and refunds|### 返品)$/);
        }
      }),
      { numRuns: 300 },
    );
  });

  const starts = (text: string, tokens: number) =>
    splitText(text, { tokens }).map((chunk) => chunk.split("\n", 1)[0]);

  it("cuts before the greatest heading in reach, and else at a blank line", () => {
    const text = [
      "# Shop",
      para(5, "shop"),
      "## Orders",
      para(3, "order"),
      "### Late",
      para(3, "van"),
    ];
    expect(starts(text.join("\n\n"), 64)).toEqual(["# Shop", "## Orders"]);
    expect(
      starts(
        ["Help", "=====", para(8, "shop"), "", "Orders", "---", para(9, "order")].join("\n"),
        80,
      ),
    ).toEqual(["Help", "Orders"]);
    const plain = [para(4, "cup"), para(4, "jug"), para(4, "pan")];
    expect(splitText(plain.join("\n\n"), { tokens: 60 })).toEqual([
      plain.slice(0, 2).join("\n\n"),
      plain[2],
    ]);
  });

  it("cuts a long paragraph after a sentence, in Japanese too", () => {
    for (const chunk of splitText(para(60, "cup"), { tokens: 40 })) expect(chunk).toMatch(/\.$/);
    const sentence = "この商品は「三十日以内なら返品できます。」と書いてあります。";
    for (const chunk of splitText(sentence.repeat(20), { tokens: 70 })) {
      expect(chunk).toMatch(/^この.*ます。$/);
    }
  });

  it("keeps code, tables and lists whole where they fit, and cuts them at lines where not", () => {
    const code = `\`\`\`ts\n${"const a = 1;\n\n// # no heading\n".repeat(6)}\`\`\``;
    const table = `| name | price |\n| --- | --- |\n${"| a cup | 12 |\n".repeat(10)}`.trim();
    const list = "- an item\n\n  with more to say\n1. and one with a number\n".repeat(4).trim();
    for (const block of [code, table, list]) {
      const text = `${para(6, "cup")}\n\n${block}\n\n${para(6, "jug")}`;
      expect(splitText(text, { tokens: 64 }).some((chunk) => chunk.includes(block))).toBe(true);
      for (const chunk of splitText(`${block}\n`.repeat(4), { tokens: 40 })) {
        expect(block.split("\n")).toContain(chunk.split("\n").at(-1));
      }
    }
  });

  it("cuts what has no boundary, a megabyte of it, in linear time", () => {
    const length = 2 ** 20;
    for (const unit of ["x", "字", "a ", "a\n", "\u0301", "# \n", "```\n"]) {
      const text = unit.repeat(length / unit.length);
      const started = performance.now();
      const chunks = splitText(text, { tokens: 256 });
      expect(performance.now() - started).toBeLessThan(20_000);
      const written = (s: string) => s.replaceAll(/\s/g, "").length;
      expect(chunks.reduce((sum, chunk) => sum + written(chunk), 0)).toBe(written(text));
    }
  });
});
