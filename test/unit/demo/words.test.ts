import { describe, expect, it } from "vitest";
import { columnsOf, duration, grouped, percentile, table } from "../../../local/demo/words.ts";

describe("figures for people", () => {
  it("have separators and units", () => {
    expect([0, 999, 6_000].map(grouped)).toEqual(["0", "999", "6,000"]);
    expect([0.84, 9.94, 9.96, 48.3, 999.4, 999.6, 2_140].map(duration)).toEqual([
      "0.8 ms",
      "9.9 ms",
      "10 ms",
      "48 ms",
      "999 ms",
      "1.0 s",
      "2.1 s",
    ]);
  });

  it("are percentiles that occurred", () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([0, 0.5, 0.95, 0.99, 1].map((p) => percentile(hundred, p))).toEqual([
      1, 50, 95, 99, 100,
    ]);
    expect(percentile([7], 0.99)).toBe(7);
    expect(percentile([], 0.5)).toBeNaN();
  });

  it("stand in aligned columns", () => {
    expect(table([["feature", "before"], ["n", "1", "late"], []])).toEqual([
      "  feature   before",
      "  n         1        late",
      "",
    ]);
  });

  it("are as wide as a terminal shows them", () => {
    expect(["", "abc", "返金", "カード・ー。", "「é」"].map(columnsOf)).toEqual([0, 3, 4, 12, 5]);
    expect(
      table([
        ["返金", "a"],
        ["refund", "b"],
      ]),
    ).toEqual(["  返金     a", "  refund   b"]);
  });
});
