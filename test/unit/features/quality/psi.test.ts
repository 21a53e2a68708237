import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { psi, psiNoise, readingOf, type Bin } from "../../../../src/features/quality/psi.ts";

const FLOOR = 1e-4;
const indexOf = (...bins: readonly Bin[]): number | null => psi(bins, FLOOR);
const anyBins = fc.array(fc.tuple(fc.nat(500), fc.nat(500)), { minLength: 1, maxLength: 12 });

describe("the population stability index", () => {
  it("is the sum worked out by hand", () => {
    // Halves that became a quarter and three quarters: 0.25 · ln 3.
    const before = 0.25 * Math.log(2) + 0.25 * Math.log(1.5);
    expect(before).toBeCloseTo(0.274653, 6);
    expect(indexOf([1, 2], [3, 2])).toBeCloseTo(before, 12);
    // A tenth that became a fifth, of ten equal bins, all others shrunk alike.
    const tenths = Array.from({ length: 10 }, (_, i): Bin => [i === 0 ? 180 : 80, 100]);
    expect(indexOf(...tenths)).toBeCloseTo(0.1 * Math.log(2) - 0.1 * Math.log(8 / 9), 12);
  });

  it("takes no share below the floor", () => {
    const side = (1 - FLOOR) * Math.log(1 / FLOOR);
    expect(indexOf([0, 7], [7, 0])).toBeCloseTo(2 * side, 10);
    expect(indexOf([0, 0], [3, 5])).toBe(0);
    expect(psi([[0, 7] as const, [7, 0] as const], 0.5)).toBeCloseTo(Math.log(2), 12);
  });

  it("is 0 for equal shares, whatever the sizes of the samples, and null without a sample", () => {
    fc.assert(
      fc.property(anyBins, fc.integer({ min: 1, max: 9 }), (bins, times) => {
        const some = [...bins, [1, 0] as const];
        expect(indexOf(...some.map(([n]): Bin => [n, n * times]))).toBeCloseTo(0, 12);
      }),
    );
    expect(indexOf()).toBeNull();
    expect(indexOf([1, 0], [2, 0])).toBeNull();
  });

  it("is never negative, alike from both sides, and finite", () => {
    fc.assert(
      fc.property(anyBins, (bins) => {
        const index = indexOf(...bins);
        if (index === null) return;
        expect(index).toBeGreaterThanOrEqual(0);
        expect(index).toBeLessThan(200);
        expect(indexOf(...bins.map(([n, m]): Bin => [m, n]))).toBeCloseTo(index, 12);
      }),
    );
  });
});

describe("what chance does to the index", () => {
  it("is χ²'s 99th percentile over the sizes of the samples", () => {
    // Tables of χ² say 6.635, 21.666 and 23.209 for 1, 9 and 10 degrees of freedom.
    expect(psiNoise(2, 1_000, 1_000)).toBeCloseTo((6.635 * 2) / 1_000, 3);
    expect(psiNoise(10, 1_000, 1_000)).toBeCloseTo((21.666 * 2) / 1_000, 3);
    expect(psiNoise(11, 50, 200)).toBeCloseTo(23.209 / 40, 2);
    expect(psiNoise(1, 5, 5)).toBe(0);
  });

  it("keeps a large index of a small sample from being read as a shift", () => {
    expect(readingOf(0.09, 0)).toBe("stable");
    expect(readingOf(0.1, 0.02)).toBe("moderate");
    expect(readingOf(0.25, 0.02)).toBe("moderate");
    expect(readingOf(0.26, 0.02)).toBe("shifted");
    expect(readingOf(0.26, 0.26)).toBe("unclear");
    expect(readingOf(0.09, 0.5)).toBe("stable");
  });
});
