import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { bigint, decimal, fieldsOf, pii, vector } from "../../../src/features/fields.ts";

const fieldOf = (schema: z.ZodType) => {
  const [field] = fieldsOf("s", z.object({ it: schema }));
  return field;
};

describe("the fields of a source", () => {
  it.each<readonly [string, z.ZodType, string]>([
    ["text", z.string(), "string"],
    ["trimmed text", z.string().trim().max(5), "string"],
    ["one of several texts", z.enum(["a", "b"]), "string"],
    ["one text", z.literal("a"), "string"],
    ["an address", z.email(), "string"],
    ["a date without a time", z.iso.date(), "string"],
    ["a date-time", z.iso.datetime({ offset: true }), "time"],
    ["a number", z.number().min(3), "number"],
    ["a whole number", z.int(), "number"],
    ["a decimal", decimal(), "decimal"],
    ["a decimal with a condition", decimal().refine((text) => text !== "0"), "decimal"],
    ["a long whole number", bigint().describe("an id"), "bigint"],
    ["a flag", z.boolean(), "boolean"],
    ["a vector", vector(3), "vector"],
  ])("know %s for what it is", (_what, schema, kind) => {
    expect(fieldOf(schema)).toMatchObject({
      name: "it",
      kind,
      nullable: false,
      pii: null,
      email: schema instanceof z.ZodEmail,
    });
    expect(fieldOf(schema.nullable())).toMatchObject({ kind, nullable: true });
    expect(fieldOf(schema.optional())).toMatchObject({ kind, nullable: true });
    expect(fieldOf(schema.nullish())).toMatchObject({ kind, nullable: true });
  });

  it.each<readonly [z.ZodType, number | undefined]>([
    [z.string(), undefined],
    [z.string().min(2), undefined],
    [z.string().trim().max(5), 15],
    [z.string().max(9).max(7).nullable(), 21],
    [z.string().length(3), 9],
    [z.enum(["a", "bcd"]), 3],
    [z.literal(["ab", "č"]), 2],
    [z.uuid(), 36],
    [z.iso.date().max(20), 10],
    [z.email(), undefined],
    [z.email().max(50), 150],
    [z.number().max(5), undefined],
    [decimal(), undefined],
  ])("know how many bytes a text may have %#", (schema, bytes) => {
    expect(fieldOf(schema)?.maxBytes).toBe(bytes);
  });

  it("know how many numbers a vector has, and take no others", () => {
    expect(fieldOf(vector(3).nullish())).toMatchObject({ kind: "vector", dimensions: 3 });
    expect(vector(2).safeParse([1, 2.5]).success).toBe(true);
    for (const wrong of [[1], [1, 2, 3], [1, "2"], [1, Number.NaN], "12"]) {
      expect(vector(2).safeParse(wrong).success).toBe(false);
    }
    for (const dimensions of [0, 1.5, 4_097]) {
      expect(() => vector(dimensions)).toThrow(/1 to 4096 numbers/);
    }
    expect(() => fieldOf(pii(vector(2), "drop"))).toThrow(/pii\(\) is for text/);
  });

  it("keep the personal tag wherever it is put, and through what is added to it", () => {
    for (const schema of [
      pii(z.string(), "token"),
      pii(z.string(), "token").min(3).trim(),
      pii(z.string(), "token").refine((text) => text !== ""),
      pii(z.string(), "token").describe("a name"),
      pii(z.string(), "token").nullish(),
      pii(z.string().nullable(), "token"),
    ]) {
      expect(fieldOf(schema)?.pii).toBe("token");
    }
    expect(fieldOf(pii(z.email(), "drop").optional())).toMatchObject({ pii: "drop", email: true });
  });

  it.each<readonly [string, z.ZodType]>([
    ["nested", z.object({ a: z.string() })],
    ["a list", z.array(z.string())],
    ["of several kinds", z.union([z.string(), z.number()])],
    ["transformed", z.string().transform(Number)],
    ["given a default", z.string().default("a")],
    ["a bigint of JavaScript", z.bigint()],
    ["anything", z.unknown()],
    ["a literal number", z.literal(5)],
  ])("are refused where one is %s", (_what, schema) => {
    expect(() => fieldOf(schema)).toThrow(/source "s", field "it": a source holds flat records/);
  });

  it("are refused under names that an object has already", () => {
    for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
      const shape = Object.fromEntries([[name, z.string().nullable()]]);
      expect(() => fieldsOf("s", z.object(shape))).toThrow(/no name that every object has/);
    }
  });
});

describe("decimal() and bigint()", () => {
  it("take what is exact and nothing else", () => {
    for (const text of ["0", "-12.50", "1e5", "1E-5", "9".repeat(38), "-0"]) {
      expect(decimal().safeParse(text).success).toBe(true);
    }
    for (const text of ["1,5", "NaN", "Infinity", "1e400", "", " 1", "+1", "9".repeat(39), "0x1"]) {
      expect(decimal().safeParse(text).success).toBe(false);
    }
    for (const text of ["0", "-9007199254740993", "9".repeat(38)]) {
      expect(bigint().safeParse(text).success).toBe(true);
    }
    for (const text of ["1.0", "1e5", "9".repeat(39), "", "--1"]) {
      expect(bigint().safeParse(text).success).toBe(false);
    }
  });

  it("take every whole number that bigint() takes as a decimal too", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }), (value) => {
        expect(bigint().safeParse(String(value)).success).toBe(true);
        expect(decimal().safeParse(String(value)).success).toBe(true);
      }),
    );
  });
});
