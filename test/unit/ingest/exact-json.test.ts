import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { numberText, parseExactJson } from "../../../src/ingest/exact-json.ts";

const parse = (text: string): unknown => {
  const parsed = parseExactJson(text);
  return parsed.ok ? parsed.value : `refused: ${parsed.error}`;
};

const textOf = (text: string): string | null => numberText(parse(text));

describe("exact JSON", () => {
  it.each([
    "9007199254740993",
    "-9007199254740993",
    "1e400",
    "1E5",
    "1e5",
    "1.0",
    "0.10",
    "-0",
    "-0.0",
    "12345678901234567890.123456789",
    "1e-400",
    "99999999999999999999999999999999999999",
  ])("keeps the text of %s wherever it stands", (text) => {
    expect(textOf(text)).toBe(text);
    expect(numberText((parse(`[1,{"a":${text}}]`) as [1, { a: unknown }])[1].a)).toBe(text);
  });

  it("leaves a number alone whose double gives its text back", () => {
    for (const text of ["0", "1", "-1.5", "0.1", "9007199254740991", "1.7976931348623157e+308"]) {
      expect(parse(text)).toBe(Number(text));
      expect(textOf(text)).toBe(text);
    }
  });

  it("is a number only where JSON had one", () => {
    for (const value of ["5", null, true, [5], { rawJSON: "5" }, undefined]) {
      expect(numberText(value)).toBeNull();
    }
    expect(numberText(parse('{"rawJSON":"5"}'))).toBeNull();
  });

  it("writes back what it read, digit by digit", () => {
    const text = '{"a":[9007199254740993,-0,1E5,1e400],"b":{"c":"9007199254740993"}}';
    expect(JSON.stringify(parse(text))).toBe(text);
  });

  it("is JSON.parse for all that JSON.parse does not damage", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const expected: unknown = JSON.parse(text);
        expect(JSON.parse(JSON.stringify(parse(text)))).toEqual(
          JSON.parse(JSON.stringify(expected)),
        );
      }),
    );
  });

  it("takes the last of repeated names, and __proto__ for a name like any other", () => {
    expect(parse('{"a":1,"a":{"b":9007199254740993},"a":2}')).toEqual({ a: 2 });
    expect(numberText((parse('{"a":1,"a":1.0}') as { a: unknown }).a)).toBe("1.0");
    const record = parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"x":1}}}');
    expect(Object.keys(record as object)).toEqual(["__proto__", "constructor"]);
    expect(Object.getPrototypeOf(record)).toBe(Object.prototype);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it("nests 64 deep and no deeper, whatever brackets stand in its texts", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(Array.isArray(parse(nested(64)))).toBe(true);
    expect(parse(nested(65))).toBe("refused: nested deeper than 64");
    expect(parse('{"a":'.repeat(10_000))).toBe("refused: nested deeper than 64");
    const text = JSON.stringify({ a: `\\"${"[{".repeat(500)}`, b: "\\" });
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  it("says where a text is no JSON, and quotes nothing of it", () => {
    expect(parse('{"a" 1}')).toBe("refused: not JSON at position 5");
    expect(parse('{"a":1')).toBe("refused: not JSON at position 6");
    // The engine quotes this one; a number in the quotation is no place.
    expect(parse(" position 4111111111111111")).toBe("refused: not JSON");
    for (const text of [
      "",
      "nul",
      "NaN",
      "{'a':1}",
      '{"a":ada@example.com}',
      "\uFEFF{}",
      "[1,]",
      "01",
    ]) {
      expect(parse(text)).toMatch(/^refused: not JSON( at position \d{1,2})?$/);
      expect(parse(text)).not.toMatch(/4111|ada/);
    }
  });
});
