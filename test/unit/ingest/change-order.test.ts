import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Field } from "../../../src/features/fields.ts";
import { changeOrder } from "../../../src/features/row-events.ts";
import { orderText } from "../../../src/ingest/change-order.ts";
import { parseExactJson } from "../../../src/ingest/exact-json.ts";

const column = (kind: Field["kind"]): Field => ({
  name: "at",
  kind,
  nullable: false,
  pii: null,
  email: false,
});

/** The order of JSON text, as a request would hold it. */
function orderOf(json: string, of: Field | null = null): string {
  const value = parseExactJson(json);
  const text = orderText(value.ok ? value.value : undefined, of);
  return text.ok ? text.value : `refused: ${text.error}`;
}

const compare = (a: string | bigint, b: string | bigint): number => (a < b ? -1 : a > b ? 1 : 0);

describe("the order of a change", () => {
  it("sorts as text as the numbers do, lists from the first to the last", () => {
    const whole = fc.oneof(
      fc.bigInt({ min: 0n, max: 30n }),
      fc.bigInt({ min: 0n, max: 10n ** 38n - 1n }),
    );
    const list = fc.array(whole, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(list, list, fc.boolean(), fc.boolean(), (a, b, aIsDelete, bIsDelete) => {
        const i = a.findIndex((part, at) => part !== b[at]);
        const expected =
          i !== -1 && i < b.length
            ? compare(a[i] ?? 0n, b[i] ?? 0n)
            : a.length === b.length
              ? Number(aIsDelete) - Number(bIsDelete)
              : a.length - b.length;
        const [x, y] = [a, b].map((parts) => orderOf(`[${parts.join()}]`));
        const texts = [changeOrder(x ?? "", aIsDelete), changeOrder(y ?? "", bIsDelete)] as const;
        expect(compare(...texts)).toBe(Math.sign(expected));
      }),
    );
  });

  it.each([
    ["0", "010"],
    ["-0", "010"],
    ["9007199254740993", "169007199254740993"],
    ['"9007199254740993"', "169007199254740993"],
    ["1e3", "041000"],
    ["7.0", "017"],
    ['"007"', "017"],
    [`"${"9".repeat(38)}"`, `38${"9".repeat(38)}`],
    ['"16/B374D848"', "1197500059720"],
    ["97500059720", "1197500059720"],
    ['"0/0"', "010"],
    ["[5]", "015"],
    ['["16/b374d848", 3]', "1197500059720.013"],
  ])("of %s is %s", (json, text) => {
    expect(orderOf(json)).toBe(text);
  });

  it("of a date-time is its instant, to the nanosecond, whatever its offset", () => {
    const times = [
      "0000-01-01T00:00:00Z",
      "0001-01-01T00:00:00Z",
      "1969-12-31T23:59:59.999999999Z",
      "1970-01-01T00:00:00Z",
      "2026-06-15T12:00:00.123Z",
      "2026-06-15T12:00:00.1230001Z",
      "2026-06-15T12:00:00.123000101Z",
      "2026-06-15T13:00:00.123001+01:00",
    ];
    const texts = times.map((time) => orderOf(JSON.stringify(time)));
    expect(texts).toEqual(texts.toSorted());
    expect(new Set(texts).size).toBe(texts.length);
    expect(orderOf('"2026-06-15T14:00:00+02:00"')).toBe(orderOf('"2026-06-15T12:00:00.000Z"'));
    expect(orderOf('"2026-06-15T12:00:00Z"', column("time"))).toBe(
      orderOf('"2026-06-15T12:00:00Z"'),
    );
  });

  it.each([
    ["-1"],
    ["1.5"],
    ["1e400"],
    [`"${"9".repeat(39)}"`],
    ['"2026-06-15T12:00:00"'],
    ['"2026-02-30T12:00:00Z"'],
    ['"16/B374D8481"'],
    ['"later"'],
    ['""'],
    ["true"],
    ["{}"],
    ["[]"],
    ["[1,2,3,4,5]"],
    ["[[1]]"],
    ["[null]"],
  ])("is not %s", (json) => {
    expect(orderOf(json)).toMatch(/^refused: expected/);
  });

  it("is what the source's column for it holds, and nothing else", () => {
    expect(orderOf("5", column("number"))).toBe("015");
    expect(orderOf('"5"', column("bigint"))).toBe("015");
    expect(orderOf('"2026-06-15T12:00:00Z"', column("bigint"))).toMatch(/^refused/);
    expect(orderOf('"16/B374D848"', column("number"))).toMatch(/^refused/);
    expect(orderOf("5", column("time"))).toMatch(/^refused/);
    expect(orderOf("[5]", column("number"))).toMatch(/^refused/);
  });
});
