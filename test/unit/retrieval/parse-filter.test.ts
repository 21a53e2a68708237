import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FilterField } from "../../../src/retrieval/collection-plan.ts";
import { MAX_CONDITIONS, parseFilter } from "../../../src/retrieval/parse-filter.ts";

const FIELDS: readonly FilterField[] = [
  { name: "product", kind: "string" },
  { name: "price", kind: "number" },
  { name: "sold", kind: "boolean" },
  { name: "published_at", kind: "time" },
  { name: "tags", kind: "string[]" },
];

function parsed(input: unknown) {
  const filter = parseFilter(input, FIELDS);
  return filter.ok ? filter.value : filter.error.map(({ path, code }) => `${path} ${code}`);
}

function detailOf(input: unknown): string {
  const filter = parseFilter(input, FIELDS);
  return filter.ok ? "" : filter.error.map(({ detail }) => detail).join("\n");
}

const nested = (depth: number): unknown =>
  depth === 1 ? { price: 1 } : { not: nested(depth - 1) };

describe("parseFilter", () => {
  it("reads a bare value as eq and joins members with and", () => {
    const product = { op: "eq", field: "product", kind: "string", value: "x" };
    expect(parsed({ product: "x" })).toEqual(product);
    expect(parsed({ product: "x", price: { gte: 5, lt: 9 }, sold: false })).toEqual({
      op: "and",
      of: [
        product,
        { op: "gte", field: "price", kind: "number", value: 5 },
        { op: "lt", field: "price", kind: "number", value: 9 },
        { op: "eq", field: "sold", kind: "boolean", value: false },
      ],
    });
  });

  it("reads every operator", () => {
    const price = { field: "price", kind: "number" };
    for (const op of ["eq", "ne", "gt", "gte", "lt", "lte"]) {
      expect(parsed({ price: { [op]: -0 } })).toEqual({ op, ...price, value: 0 });
    }
    for (const op of ["in", "nin"]) {
      expect(parsed({ price: { [op]: [1, 2] } })).toEqual({ op, ...price, values: [1, 2] });
    }
    expect(parsed({ tags: { exists: false } })).toEqual({
      op: "exists",
      field: "tags",
      value: false,
    });
    for (const [field, kind] of [
      ["tags", "string[]"],
      ["product", "string"],
    ] as const) {
      const filter = { op: "contains", field, kind, value: "sale" };
      expect(parsed({ [field]: { contains: "sale" } })).toEqual(filter);
    }
  });

  it("reads times as instants", () => {
    const at = { op: "lt", field: "published_at", kind: "time", value: 1_767_225_600_000 };
    for (const time of ["2026-01-01T00:00:00Z", "2026-01-01T09:00:00+09:00", 1_767_225_600_000]) {
      expect(parsed({ published_at: { lt: time } })).toEqual(at);
    }
    expect(parsed({ published_at: "2026-01-01" })).toEqual(["filter.published_at invalid_time"]);
    expect(parsed({ published_at: { in: [1.5] } })).toEqual([
      "filter.published_at.in[0] invalid_time",
    ]);
  });

  it("reads and, or and not, and what is empty as logic has it", () => {
    const [a, b] = [
      { op: "eq", field: "price", kind: "number", value: 1 },
      { op: "eq", field: "sold", kind: "boolean", value: true },
    ];
    expect(parsed({ or: [{ price: 1 }, { sold: true }] })).toEqual({ op: "or", of: [a, b] });
    expect(parsed({ and: [{ price: 1 }], not: { sold: true } })).toEqual({
      op: "and",
      of: [
        { op: "and", of: [a] },
        { op: "not", of: b },
      ],
    });
    expect(parsed({ not: {} })).toEqual({ op: "not", of: { op: "and", of: [] } });
    expect(parsed({ or: [] })).toEqual({ op: "or", of: [] });
    expect(parsed({ and: [] })).toEqual({ op: "and", of: [] });
    expect(parsed({ price: { in: [] } })).toMatchObject({ op: "in", values: [] });
    for (const nothing of [{}, null, undefined]) expect(parsed(nothing)).toBeNull();
  });

  it("names the place of an error", () => {
    expect(parsed("x")).toEqual(["filter wrong_type"]);
    expect(parsed({ or: [{ price: 1 }, { product: 2 }] })).toEqual([
      "filter.or[1].product wrong_type",
    ]);
    expect(parsed({ not: { and: [{ price: { gte: "1" } }], or: 1 } })).toEqual([
      "filter.not.and[0].price.gte wrong_type",
      "filter.not.or wrong_type",
    ]);
    expect(parsed({ colour: 1, price: { above: 1 } })).toEqual([
      "filter.colour unknown_field",
      "filter.price.above unknown_operator",
    ]);
    expect(parsed({ price: { in: [1, Number.POSITIVE_INFINITY, "2"] } })).toEqual([
      "filter.price.in[1] wrong_type",
      "filter.price.in[2] wrong_type",
    ]);
    expect(parsed({ sold: { exists: "yes" }, price: { nin: 1 }, tags: {} })).toEqual([
      "filter.sold.exists wrong_type",
      "filter.price.nin wrong_type",
      "filter.tags no_operator",
    ]);
  });

  it("says what would be right", () => {
    expect(detailOf({ colour: 1 })).toBe(
      "the filter fields are product, price, sold, published_at, tags, and, or, not",
    );
    expect(detailOf({ tags: "sale" })).toBe(
      "a field of kind string[] is filtered by contains, exists",
    );
    expect(detailOf({ product: null })).toMatch(/\{"exists": false\}/);
    expect(detailOf({ product: ["a", "b"] })).toMatch(/\{"in": \[…\]\}/);
    expect(detailOf({ sold: { gt: true } })).toMatch(/eq, ne, in, nin, exists$/);
    expect(parsed({ price: { contains: "1" } })).toEqual(["filter.price.contains wrong_operator"]);
  });

  it("refuses text that a database cannot keep", () => {
    for (const product of ["a\0", "\ud800"]) {
      expect(parsed({ product })).toEqual(["filter.product invalid_text"]);
      expect(parsed({ tags: { contains: product } })).toEqual([
        "filter.tags.contains invalid_text",
      ]);
    }
  });

  it("knows no field that is not declared, whatever every object has", () => {
    for (const name of ["constructor", "toString", "__proto__"]) {
      const input: unknown = JSON.parse(`{"${name}":{"exists":true},"price":{"${name}":1}}`);
      expect(parsed(input)).toEqual([
        `filter.${name} unknown_field`,
        `filter.price.${name} unknown_operator`,
      ]);
    }
  });

  it("has bounds", () => {
    expect(parsed(nested(8))).toMatchObject({ op: "not" });
    expect(parsed(nested(9))).toEqual([`filter${".not".repeat(8)} too_deep`]);
    const conditions = (n: number) => ({ or: Array.from({ length: n }, () => ({ price: 1 })) });
    expect(parsed(conditions(MAX_CONDITIONS))).toMatchObject({ op: "or" });
    expect(parsed(conditions(MAX_CONDITIONS + 1))).toEqual([
      "filter.or[100].price too_many_conditions",
    ]);
    expect(parsed({ or: Array.from({ length: 1e5 }, () => ({})) })).toEqual([
      "filter.or[100] too_many_conditions",
    ]);
    const values = (n: number) => ({ price: { in: Array.from({ length: n }, (_, i) => i) } });
    expect(parsed(values(1_000))).toMatchObject({ op: "in" });
    expect(parsed(values(1_001))).toEqual(["filter.price.in too_many_values"]);
    const wrong = parsed({ or: Array.from({ length: 1e5 }, () => 1) });
    expect(wrong).toHaveLength(20);
    const long = parseFilter({ ["x".repeat(1e5)]: 1 }, FIELDS);
    expect(JSON.stringify(long).length).toBeLessThan(500);
  });

  it("answers whatever JSON it is given", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (input) => {
        const filter = parseFilter(input, FIELDS);
        expect(filter.ok ? [] : filter.error).not.toContainEqual(
          expect.objectContaining({ detail: "" }),
        );
      }),
    );
  });
});
