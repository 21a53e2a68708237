import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readVector } from "../../../src/retrieval/read-vector.ts";
import { unitVector } from "../../../src/retrieval/unit-vector.ts";

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

describe("unitVector", () => {
  it("has length 1 and the same direction, however large or small the values", () => {
    expect(unitVector([3, -4])).toEqual([0.6, -0.8]);
    expect(unitVector([3e307, -4e307])?.[1]).toBeCloseTo(-0.8, 12);
    expect(unitVector([3e-320, 0])).toEqual([1, 0]);
  });

  it("is null for zeros, and the same when taken twice", () => {
    expect(unitVector([0, -0])).toBeNull();
    expect(unitVector([])).toBeNull();
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1, maxLength: 50 }), (values) => {
        const unit = unitVector(values);
        expect(unit === null).toBe(values.every((value) => value === 0));
        expect(unit === null ? null : unitVector(unit)).toEqual(unit);
        const length = Math.hypot(...(unit ?? [1]));
        expect(Math.abs(length - 1)).toBeLessThan(1e-9);
      }),
    );
  });
});

describe("readVector", () => {
  it("takes as many finite numbers as there are dimensions, not all zero", () => {
    expect(readVector([0, 2], 2)).toEqual({ ok: true, value: [0, 1] });
    const errorOf = (input: unknown) => {
      const read = readVector(input, 2);
      return read.ok ? null : read.error.map(({ path, code }) => `${path} ${code}`).join();
    };
    expect(errorOf("[1,2]")).toBe("vector wrong_type");
    expect(errorOf([1, 2, 3])).toBe("vector wrong_dimensions");
    expect(errorOf([1, "2"])).toBe("vector[1] wrong_type");
    expect(errorOf([Number.POSITIVE_INFINITY, 2])).toBe("vector[0] wrong_type");
    expect(errorOf([0, 0])).toBe("vector zero_vector");
  });
});
