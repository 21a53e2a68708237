import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addExact,
  compareExact,
  divideExact,
  exactOf,
  exactToNumber,
  exactToText,
  multiplyExact,
  negateExact,
  normaliseExact,
  parseExact,
  rootOfQuotient,
} from "../../../src/features/exact.ts";
import { anyOrder, shuffled } from "../../support/shuffle.ts";

const decimalText = fc
  .tuple(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), fc.integer({ min: 0, max: 19 }))
  .map(([m, s]) => {
    const digits = (m < 0n ? -m : m).toString().padStart(s + 1, "0");
    return `${m < 0n ? "-" : ""}${digits.slice(0, digits.length - s)}${s ? `.${digits.slice(-s)}` : ""}`;
  });

const sumOf = (texts: readonly string[]): string =>
  exactToText(texts.map(exactOf).reduce(addExact, { m: 0, s: 0 }));

describe("exact decimals", () => {
  it("adds what doubles cannot", () => {
    expect(sumOf(["0.1", "0.2"])).toBe("0.3");
    expect(sumOf(Array.from({ length: 10 }, () => "0.1"))).toBe("1");
    expect(sumOf(["9007199254740993", "9007199254740993"])).toBe("18014398509481986");
    expect(sumOf(["99999999999999999999999999999999999999", "1"])).toBe(
      "100000000000000000000000000000000000000",
    );
    expect(sumOf(["1e21", "-1e21", "1e-21"])).toBe("0.000000000000000000001");
  });

  it("writes one canonical text for a value, however it was written", () => {
    for (const text of ["12.5", "12.50", "1.25e1", "0012.5", "125e-1"]) {
      expect(exactToText(exactOf(text))).toBe("12.5");
    }
    for (const text of ["0", "-0", "0.00", "-0e5"]) expect(exactToText(exactOf(text))).toBe("0");
  });

  it("refuses what is no decimal, or too long or too large", () => {
    for (const text of ["", "1,5", "NaN", "Infinity", "0x10", "1e", " 1", "--1", ".5", "5."]) {
      expect([text, parseExact(text).ok]).toEqual([text, false]);
    }
    expect(parseExact("1".repeat(39)).ok).toBe(false);
    expect(parseExact("1e400").ok).toBe(false);
    expect(parseExact("1e-400").ok).toBe(false);
    expect(parseExact(`1${"0".repeat(700)}`).ok).toBe(false);
  });

  it("is associative and commutative under addition, whatever the order", () => {
    fc.assert(
      fc.property(fc.array(decimalText, { maxLength: 12 }), anyOrder, (texts, order) => {
        expect(sumOf(shuffled(texts, order))).toBe(sumOf(texts));
      }),
    );
  });

  it("rounds once to the nearest double", () => {
    fc.assert(
      fc.property(decimalText, (text) => {
        expect(exactToNumber(exactOf(text))).toBe(Number(text) + 0);
      }),
    );
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(exactToNumber(exactOf(String(value)))).toBe(value + 0);
      }),
    );
  });

  it("divides to the nearest double, ties to even", () => {
    fc.assert(
      fc.property(decimalText, fc.integer({ min: 1, max: 1_000_000 }), (text, n) => {
        const [, sign, whole = "", fraction = ""] = /^(-?)(\d+)\.?(\d*)$/.exec(text) ?? [];
        const m = BigInt(`${sign}${whole}${fraction}`) * 10n ** 60n;
        expect(divideExact(exactOf(text), n)).toBe(
          Number(`${m / BigInt(n)}e-${60 + fraction.length}`),
        );
      }),
    );
    // 2^53 + 1 over 2 lies exactly between two doubles of the half scale.
    expect(divideExact(exactOf("18014398509481986"), 2)).toBe(9007199254740992);
    expect(divideExact(exactOf("18014398509481990"), 2)).toBe(9007199254740996);
  });

  it("divides by more than a double holds", () => {
    expect(divideExact(exactOf("1"), 3n)).toBe(1 / 3);
    expect(divideExact(exactOf("-2.5"), 10n ** 30n)).toBe(-2.5e-30);
    expect(divideExact(exactOf("9007199254740993"), 2n ** 52n)).toBe(2);
    expect(divideExact(exactOf("9007199254740995"), 2n ** 52n)).toBe(2 + 2 ** -50);
  });

  it("multiplies, negates and normalises without losing a digit", () => {
    const units = (text: string): bigint => {
      const [whole = "", fraction = ""] = text.split(".");
      return BigInt(whole + fraction.padEnd(19, "0"));
    };
    fc.assert(
      fc.property(decimalText, decimalText, (a, b) => {
        const product = multiplyExact(exactOf(a), exactOf(b));
        expect(BigInt(product.m) * 10n ** BigInt(38 - product.s)).toBe(units(a) * units(b));
        const sum = addExact(exactOf(a), negateExact(exactOf(b)));
        expect(BigInt(sum.m) * 10n ** BigInt(19 - sum.s)).toBe(units(a) - units(b));
        expect(normaliseExact(addExact(sum, exactOf(b)))).toEqual(normaliseExact(exactOf(a)));
      }),
    );
    expect(normaliseExact({ m: 1_200n, s: 3 })).toEqual({ m: 12, s: 1 });
    expect(normaliseExact({ m: 10n ** 40n, s: 30 })).toEqual({ m: 10_000_000_000, s: 0 });
    expect(normaliseExact({ m: 0, s: 7 })).toEqual({ m: 0, s: 0 });
    expect(Object.is(negateExact({ m: 0, s: 0 }).m, 0)).toBe(true);
  });

  it("takes the root of a quotient to the nearest double", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (n) => {
        expect(rootOfQuotient(exactOf(String(n)), 1n)).toBe(Math.sqrt(n));
        expect(rootOfQuotient(exactOf(`${n}e-10`), 4n)).toBeCloseTo(Math.sqrt(n) / 2e5, 12);
      }),
    );
    expect(rootOfQuotient(exactOf("1e-300"), 1n)).toBe(1e-150);
    expect(rootOfQuotient(exactOf("1e300"), 1n)).toBe(1e150);
    expect(rootOfQuotient(exactOf("2"), 10n ** 700n)).toBe(0);
  });

  it("orders by value, not by form", () => {
    fc.assert(
      fc.property(decimalText, decimalText, (a, b) => {
        const scaled = (text: string): bigint => {
          const [whole = "", fraction = ""] = text.split(".");
          return BigInt(whole + fraction.padEnd(19, "0"));
        };
        const expected = scaled(a) < scaled(b) ? -1 : scaled(a) > scaled(b) ? 1 : 0;
        expect(compareExact(exactOf(a), exactOf(b))).toBe(expected);
      }),
    );
  });
});
