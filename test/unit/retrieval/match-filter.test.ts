import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FilterField } from "../../../src/retrieval/collection-plan.ts";
import type { FieldValue } from "../../../src/retrieval/filter.ts";
import { matchesFilter } from "../../../src/retrieval/match-filter.ts";
import { parseFilter } from "../../../src/retrieval/parse-filter.ts";
import { compareBytes } from "../../support/fakes/memory-truth.ts";

const FIELDS: readonly FilterField[] = [
  { name: "product", kind: "string" },
  { name: "price", kind: "number" },
  { name: "sold", kind: "boolean" },
  { name: "at", kind: "time" },
  { name: "tags", kind: "string[]" },
];

function matches(input: unknown, fields: Readonly<Record<string, FieldValue>>): boolean {
  const filter = parseFilter(input, FIELDS);
  if (!filter.ok || filter.value === null) throw new Error(JSON.stringify(filter));
  return matchesFilter(filter.value, fields);
}

const DOCUMENT = { product: "red cup", price: 5, sold: false, at: 1_000, tags: ["sale", "new"] };

describe("matchesFilter", () => {
  it("compares values of every kind", () => {
    const fitting = [
      { product: "red cup" },
      { product: { ne: "cup" } },
      { product: { gt: "red cu", lt: "red cuq" } },
      { product: { in: ["a", "red cup"] } },
      { product: { contains: "d c" } },
      { product: { contains: "" } },
      { price: { gte: 5, lte: 5 } },
      { price: { nin: [4, 6] } },
      { sold: false },
      { sold: { in: [false] } },
      { at: { lt: "1970-01-01T00:00:02Z" } },
      { at: "1970-01-01T00:00:01Z" },
      { tags: { contains: "new" } },
      { tags: { exists: true } },
    ];
    for (const input of fitting) {
      expect([input, matches(input, DOCUMENT)]).toEqual([input, true]);
      expect(matches({ not: input }, DOCUMENT)).toBe(false);
    }
    const others = [
      { product: "Red cup" },
      { product: { contains: "cups" } },
      { price: { gt: 5 } },
      { price: { lt: 5 } },
      { price: { in: [] } },
      { sold: true },
      { tags: { contains: "sal" } },
      { tags: { exists: false } },
    ];
    for (const input of others) {
      expect([input, matches(input, DOCUMENT)]).toEqual([input, false]);
    }
  });

  it("takes a field that is not there as equal to nothing", () => {
    const fitting = [
      { price: { exists: false } },
      { price: { ne: 5 } },
      { price: { nin: [5] } },
      { not: { price: { gte: 5 } } },
      { not: { price: { lt: 5 } } },
      { not: { tags: { contains: "new" } } },
    ];
    for (const input of fitting) expect([input, matches(input, {})]).toEqual([input, true]);
    const others = [
      { price: 0 },
      { price: { gte: 5 } },
      { price: { lt: 5 } },
      { price: { in: [5] } },
      { price: { exists: true } },
      { product: { contains: "" } },
      { product: { gte: "" } },
    ];
    for (const input of others) expect([input, matches(input, {})]).toEqual([input, false]);
    expect(matchesFilter({ op: "exists", field: "constructor", value: true }, {})).toBe(false);
  });

  it("joins conditions as logic does", () => {
    const [yes, no] = [{ price: 5 }, { price: 6 }];
    const joined = [
      [{ and: [yes, yes] }, true],
      [{ and: [yes, no] }, false],
      [{ or: [no, yes] }, true],
      [{ or: [no, no] }, false],
      [{ ...yes, not: no }, true],
      [{ ...yes, or: [no, no] }, false],
      [{ and: [] }, true],
      [{ or: [] }, false],
      [{ not: {} }, false],
    ] as const;
    for (const [input, expected] of joined) {
      expect([input, matches(input, DOCUMENT)]).toEqual([input, expected]);
    }
  });

  it("orders text by its UTF-8 bytes, not by its UTF-16 units", () => {
    expect(matches({ product: { gt: "\uffee" } }, { product: "🙂" })).toBe(true);
    const text = fc.string({
      unit: fc.constantFrom("a", "b", "é", "字", "\ue000", "\uffee", "🙂", "𠮷"),
      maxLength: 4,
    });
    fc.assert(
      fc.property(text, text, (product, other) => {
        const order = compareBytes(product, other);
        expect(matches({ product: { lt: other } }, { product })).toBe(order < 0);
        expect(matches({ product: { lte: other } }, { product })).toBe(order <= 0);
        expect(matches({ product: { gt: other } }, { product })).toBe(order > 0);
        expect(matches({ product: { gte: other } }, { product })).toBe(order >= 0);
        expect(matches({ product: other }, { product })).toBe(order === 0);
      }),
    );
  });
});
