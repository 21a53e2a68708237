import { describe, expect, it } from "vitest";
import { numberOf } from "../../../src/predictions/number-of.ts";

describe("a feature as a number", () => {
  it("is what decimal text and flags say", () => {
    const values = ["129.90", "-3", "1e21", "0.5E-3", true, false, -0.25];
    expect(values.map(numberOf)).toEqual([129.9, -3, 1e21, 0.0005, 1, 0, -0.25]);
  });

  it("is none where it is nothing, other text, or beyond doubles", () => {
    const values = [null, "", " ", "red", "0x10", "1.", ".5", "12 ", "NaN", "Infinity", "1e999"];
    expect([...values, Number.NaN, -Infinity].map(numberOf)).toEqual(Array(13).fill(Number.NaN));
  });
});
