import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { entity } from "../../../src/features/define.ts";
import { canonicalKey, keyParts } from "../../../src/features/entity-key.ts";
import { compileDefinitions } from "../../../src/features/registry.ts";

const keyOf = (...parts: readonly string[]): string => {
  const key = canonicalKey(parts);
  return key.ok ? key.value : `refused: ${key.error}`;
};

const anyPart = fc
  .oneof(
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }),
    fc.array(fc.constantFrom("%", ",", "2", "C", "5", "%2C", "%25", "a", "é", "e\u0301"), {
      minLength: 1,
      maxLength: 6,
    }),
  )
  .map((part) => (typeof part === "string" ? part : part.join("")))
  .filter((part) => part !== "" && !part.includes("\0") && part.isWellFormed());
const anyParts = fc.array(anyPart, { minLength: 1, maxLength: 3 });
const composed = (parts: readonly string[]): readonly string[] =>
  parts.map((part) => part.normalize("NFC"));

describe("a canonical key", () => {
  it("is different wherever the parts are, and the same where only their form differs", () => {
    fc.assert(
      fc.property(anyParts, anyParts, (a, b) => {
        const same = JSON.stringify(composed(a)) === JSON.stringify(composed(b));
        expect(keyOf(...a) === keyOf(...b)).toBe(same);
        expect(keyOf(...a.map((part) => part.normalize("NFD")))).toBe(keyOf(...a));
      }),
      { numRuns: 2_000 },
    );
  });

  it("gives its parts back", () => {
    fc.assert(
      fc.property(anyParts, (parts) => {
        expect(keyParts(keyOf(...parts))).toEqual(composed(parts));
      }),
    );
  });

  it("never lets a part run into the next", () => {
    expect(keyOf("a:b", "c")).not.toBe(keyOf("a", "b:c"));
    expect(keyOf("a,b", "c")).toBe("a%2Cb,c");
    expect(keyOf("a", "b,c")).toBe("a,b%2Cc");
    expect(keyOf("a%2Cb", "c")).toBe("a%252Cb,c");
  });

  it("leaves case and look-alikes as they are: only NFC is folded", () => {
    for (const [a, b] of [
      ["Istanbul", "istanbul"],
      ["İ", "i"],
      ["a\u200Bb", "ab"],
      ["ﬁ", "fi"],
      ["'; DROP TABLE x; --", "'; drop table x; --"],
    ] as const) {
      expect(keyOf(a)).not.toBe(keyOf(b));
    }
    expect(keyOf("cafe\u0301")).toBe(keyOf("caf\u00e9"));
    expect(keyOf("{a}*?[b]\r\n")).toBe("{a}*?[b]\r\n");
  });

  it("has at most 512 bytes of UTF-8, escapes and all", () => {
    expect(keyOf("a".repeat(512))).toHaveLength(512);
    expect(keyOf("a".repeat(513))).toMatch(/^refused: .*over 512 bytes/);
    expect(keyOf("漢".repeat(170))).toHaveLength(170);
    expect(keyOf("漢".repeat(171))).toMatch(/over 512 bytes/);
    expect(keyOf(",".repeat(170))).toHaveLength(510);
    expect(keyOf(",".repeat(171))).toMatch(/over 512 bytes/);
    expect(keyOf("a".repeat(256), "b".repeat(255))).toHaveLength(512);
    // Decomposed it is longer; what counts is the key that is kept.
    expect(keyOf("e\u0301".repeat(256))).toHaveLength(256);
  });

  it("refuses what no store can tell apart or keep", () => {
    expect(keyOf("")).toMatch(/empty/);
    expect(keyOf("a", "")).toMatch(/empty/);
    expect(keyOf("a\0")).toMatch(/NUL/);
    expect(keyOf("\ud800")).toMatch(/not valid Unicode/);
    expect(keyOf("a\udfff")).toMatch(/not valid Unicode/);
  });
});

describe("an entity", () => {
  it("has at least one key column, and none of them twice", () => {
    expect(() => compileDefinitions([entity("e", { key: [] })])).toThrow(
      /entity "e": its key is one or more different columns/,
    );
    expect(() => compileDefinitions([entity("e", { key: ["a", "a"] })])).toThrow(/different/);
    const registry = compileDefinitions([entity("e", { key: ["a", "b"] })]);
    expect(registry.entities.get("e")?.key).toEqual(["a", "b"]);
  });
});
