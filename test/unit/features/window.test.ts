import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  coverWindow,
  LIFETIME,
  sawtooth,
  tileSizes,
  windowStart,
  type Window,
} from "../../../src/features/window.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, type Duration } from "../../../src/time.ts";

const hopOf = (window: Window): number => (window.kind === "sawtooth" ? window.hopMs : 0);

const lengths = fc.constantFrom<Duration>(
  "12s",
  "1m",
  "7m",
  "1h",
  "6h",
  "1d",
  "7d",
  "11d",
  "30d",
  "90d",
);

describe("sawtooth windows", () => {
  it("take the largest hop that is at most a twelfth of their length", () => {
    expect(hopOf(sawtooth("12s"))).toBe(SECOND_MS);
    expect(hopOf(sawtooth("59s"))).toBe(SECOND_MS);
    expect(hopOf(sawtooth("1m"))).toBe(5 * SECOND_MS);
    expect(hopOf(sawtooth("1h"))).toBe(5 * MINUTE_MS);
    expect(hopOf(sawtooth("11h"))).toBe(5 * MINUTE_MS);
    expect(hopOf(sawtooth("12h"))).toBe(HOUR_MS);
    expect(hopOf(sawtooth("7d"))).toBe(HOUR_MS);
    expect(hopOf(sawtooth("12d"))).toBe(DAY_MS);
  });

  it("refuse a length that no tile fits, and say which is the smallest", () => {
    expect(() => sawtooth("11s")).toThrow(/too small.*12s/);
    expect(() => sawtooth("0d")).toThrow(/no duration/);
    expect(() => sawtooth("1.5h")).toThrow(/whole number/);
  });

  it("include their floored tail to the millisecond", () => {
    const window = sawtooth("1h");
    const t = Date.UTC(2026, 0, 1, 12, 34, 56, 789);
    expect(windowStart(window, t)).toBe(Date.UTC(2026, 0, 1, 11, 30));
    expect(windowStart(window, Date.UTC(2026, 0, 1, 12, 35) - 1)).toBe(
      Date.UTC(2026, 0, 1, 11, 30),
    );
    expect(windowStart(window, Date.UTC(2026, 0, 1, 12, 35))).toBe(Date.UTC(2026, 0, 1, 11, 35));
  });

  it("floor before 1970 too", () => {
    expect(windowStart(sawtooth("1h"), -1)).toBe(-65 * MINUTE_MS);
  });
});

describe("tile covers", () => {
  it("hold every instant of the window once, and none outside", () => {
    fc.assert(
      fc.property(
        lengths,
        fc.integer({ min: -(10 ** 12), max: 2 * 10 ** 12 }),
        fc.double({ min: -0.2, max: 1, noNaN: true }),
        (length, asOf, where) => {
          const window = sawtooth(length);
          if (window.kind !== "sawtooth") return;
          const lo = windowStart(window, asOf);
          const instant = Math.min(asOf - 1, Math.floor(lo + where * (asOf - lo)));
          const holding = coverWindow(window, asOf).filter(({ sizeMs, from, to }) => {
            const start = Math.floor(instant / sizeMs) * sizeMs;
            return start >= from && start < to;
          });
          expect(holding.length).toBe(instant >= lo ? 1 : 0);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("need at most 42 tiles for seven days at one hour", () => {
    const window = sawtooth("7d");
    for (let hour = 0; hour < 48; hour += 1) {
      const asOf = Date.UTC(2026, 0, 1) + hour * HOUR_MS + 1;
      const tiles = coverWindow(window, asOf).reduce((sum, { sizeMs, from, to }) => {
        const end = Math.min(to, asOf);
        return sum + Math.max(0, Math.ceil((end - from) / sizeMs));
      }, 0);
      expect(tiles).toBeLessThanOrEqual(42);
    }
  });

  it("use one tile for a lifetime", () => {
    expect(tileSizes(LIFETIME)).toHaveLength(1);
    expect(coverWindow(LIFETIME, 0)).toHaveLength(1);
  });
});
