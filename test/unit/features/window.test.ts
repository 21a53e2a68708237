import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keptFrom } from "../../../src/features/state.ts";
import {
  coverWindow,
  hopping,
  LIFETIME,
  sawtooth,
  tileSizes,
  tumbling,
  widestWindows,
  windowEnd,
  windowStart,
  type Window,
} from "../../../src/features/window.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, type Duration } from "../../../src/time.ts";

const hopOf = (window: Window): number => (window.kind === "sawtooth" ? window.hopMs : 0);

const problemOf = (window: Window) => (window.kind === "lifetime" ? undefined : window.problem);

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
    expect(problemOf(sawtooth("11s"))).toMatch(/too small.*12s/);
    expect(problemOf(sawtooth("0d"))).toMatch(/no duration/);
    expect(problemOf(sawtooth("1.5h"))).toMatch(/whole number/);
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

const hoppingPairs: readonly (readonly [Duration, Duration])[] = [
  ["1s", "1s"],
  ["1m", "5s"],
  ["10m", "15s"],
  ["63m", "7m"],
  ["630m", "7m"],
  ["1h", "20m"],
  ["1d", "2h"],
  ["1d", "1d"],
  ["7d", "1h"],
  ["7d", "7d"],
  ["30d", "3d"],
  ["90d", "1d"],
];

const anyWindow: fc.Arbitrary<Window> = fc.oneof(
  lengths.map(sawtooth),
  fc.constantFrom(...hoppingPairs).map(([length, hop]) => hopping(length, hop)),
);

const anyInstant = fc.integer({ min: -(10 ** 12), max: 2 * 10 ** 12 });

describe("hopping and tumbling windows", () => {
  it("begin and end on a hop, to the millisecond", () => {
    const window = hopping("1h", "5m");
    const noon = Date.UTC(2026, 0, 1, 12);
    for (const asOf of [noon, noon + 1, noon + 5 * MINUTE_MS - 1]) {
      expect(windowStart(window, asOf)).toBe(noon - HOUR_MS);
      expect(windowEnd(window, asOf)).toBe(noon);
    }
    expect(windowEnd(window, noon - 1)).toBe(noon - 5 * MINUTE_MS);
    expect(windowStart(hopping("1h", "5m"), -1)).toBe(-65 * MINUTE_MS);
  });

  it("tumble where the hop is the length: the last complete day", () => {
    const day = Date.UTC(2026, 0, 2);
    expect(tumbling("1d")).toEqual(hopping("1d", "1d"));
    expect(windowStart(tumbling("1d"), day + 5 * HOUR_MS)).toBe(day - DAY_MS);
    expect(windowEnd(tumbling("1d"), day + 5 * HOUR_MS)).toBe(day);
  });

  it("refuse a hop that does not divide the length, or goes into it too often", () => {
    expect(problemOf(hopping("1h", "7m"))).toMatch(/hop of 7m does not divide a window of 1h/);
    expect(problemOf(hopping("1h", "2h"))).toMatch(/does not divide/);
    expect(problemOf(hopping("1d", "1m"))).toMatch(/more than 1000 times: take 87s or more/);
    expect(hopping("1000s", "1s").kind).toBe("hopping");
  });

  it("keep tiles of the hop, and of common sizes that it divides and that are much coarser", () => {
    expect(tileSizes(hopping("1h", "5s"))).toEqual([5_000, 30_000, 5 * MINUTE_MS]);
    expect(tileSizes(hopping("10m", "15s"))).toEqual([15_000, MINUTE_MS, 5 * MINUTE_MS]);
    expect(tileSizes(hopping("630m", "7m"))).toEqual([7 * MINUTE_MS]);
    expect(tileSizes(hopping("7d", "20m"))).toEqual([20 * MINUTE_MS, DAY_MS]);
    expect(tileSizes(tumbling("10d"))).toEqual([10 * DAY_MS]);
  });
});

describe("the widest of several windows", () => {
  it("hold whatever any of them holds, and none of them is held by another", () => {
    fc.assert(
      fc.property(
        fc.array(anyWindow, { minLength: 1, maxLength: 4 }),
        anyInstant,
        fc.integer({ min: 1, max: 100 * DAY_MS }),
        (windows, asOf, ago) => {
          const held = (by: readonly Window[], instant: number): boolean =>
            by.some((one) => windowStart(one, asOf) <= instant && instant < windowEnd(one, asOf));
          const widest = widestWindows(windows);
          const edges = windows.flatMap((one) => [
            windowStart(one, asOf),
            windowEnd(one, asOf) - 1,
          ]);
          for (const instant of [asOf - ago, ...edges]) {
            expect(held(widest, instant)).toBe(held(windows, instant));
          }
          expect(widest).toHaveLength(widestWindows(widest).length);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("are the longest alone among sawtooths, and the lifetime alone beside it", () => {
    expect(widestWindows(["1h", "7d", "1d", "7d"].map((one) => sawtooth(one as Duration)))).toEqual(
      [sawtooth("7d")],
    );
    expect(widestWindows([sawtooth("7d"), LIFETIME, tumbling("1d")])).toEqual([LIFETIME]);
    expect(widestWindows([sawtooth("1h"), tumbling("1d")])).toHaveLength(2);
    expect(widestWindows([sawtooth("2d"), tumbling("1d")])).toEqual([sawtooth("2d")]);
    expect(widestWindows([tumbling("1h"), hopping("2h", "5m")])).toEqual([hopping("2h", "5m")]);
    expect(widestWindows([tumbling("1h"), hopping("1h", "5m")])).toHaveLength(2);
  });
});

const tilesOf = (window: Window, asOf: number): number =>
  coverWindow(window, asOf).reduce((sum, { sizeMs, from, to }) => {
    const end = Math.min(to, asOf);
    return sum + Math.max(0, Math.ceil((end - from) / sizeMs));
  }, 0);

/** The fewest aligned tiles of the window's sizes between its ends, by trying everything. */
function fewest(window: Window, asOf: number): number {
  const hop = tileSizes(window)[0] ?? 1;
  const [lo, end] = [windowStart(window, asOf), windowEnd(window, asOf)];
  // A sawtooth's last tile may reach beyond T, where there is nothing.
  const hi = window.kind === "sawtooth" ? end + (tileSizes(window).at(-1) ?? 0) : end;
  const best = new Map([[lo, 0]]);
  let least = Number.POSITIVE_INFINITY;
  for (let at = lo; at < hi; at += hop) {
    const so = best.get(at);
    if (so === undefined) continue;
    for (const size of tileSizes(window)) {
      const to = at + size;
      if (at % size !== 0 || (window.kind === "hopping" && to > end)) continue;
      if (to >= end) least = Math.min(least, so + 1);
      best.set(to, Math.min(best.get(to) ?? Number.POSITIVE_INFINITY, so + 1));
    }
  }
  return least;
}

describe("tile covers", () => {
  it("hold every instant of the window once, and none outside", () => {
    fc.assert(
      fc.property(
        anyWindow,
        anyInstant,
        fc.double({ min: -0.2, max: 1, noNaN: true }),
        (window, asOf, where) => {
          const [lo, end] = [windowStart(window, asOf), windowEnd(window, asOf)];
          const instant = Math.min(asOf - 1, Math.floor(lo + where * (asOf - lo)));
          const holding = coverWindow(window, asOf).filter(({ sizeMs, from, to }) => {
            const start = Math.floor(instant / sizeMs) * sizeMs;
            return start >= from && start < to;
          });
          expect(holding.length).toBe(instant >= lo && instant < end ? 1 : 0);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it("are the fewest tiles that there can be", () => {
    fc.assert(
      fc.property(anyWindow, anyInstant, (window, asOf) => {
        expect(tilesOf(window, asOf)).toBe(fewest(window, asOf));
      }),
      { numRuns: 1_000 },
    );
  });

  it("need at most 42 tiles for seven days at one hour", () => {
    const most = (window: Window): number =>
      Math.max(
        ...Array.from({ length: 48 }, (_, hour) =>
          tilesOf(window, Date.UTC(2026, 0, 1) + hour * HOUR_MS + 1),
        ),
      );
    expect(most(sawtooth("7d"))).toBeLessThanOrEqual(42);
    expect(most(hopping("7d", "1h"))).toBe(30);
  });

  it("use one tile for a lifetime", () => {
    expect(tileSizes(LIFETIME)).toHaveLength(1);
    expect(coverWindow(LIFETIME, 0)).toHaveLength(1);
  });
});

describe("what is kept", () => {
  it("is what a later read can cover, and nothing that none can", () => {
    fc.assert(
      fc.property(anyWindow, anyInstant, fc.nat({ max: 40 * DAY_MS }), (window, newest, later) => {
        for (const sizeMs of tileSizes(window)) {
          const kept = keptFrom(sizeMs, [window], newest);
          const ranges = coverWindow(window, newest + 1 + later).filter(
            (range) => range.sizeMs === sizeMs && range.from < range.to,
          );
          for (const { from } of ranges) expect(from).toBeGreaterThanOrEqual(kept);
          // The first tile that is kept lies in the window of the very next read.
          expect(kept).toBeGreaterThanOrEqual(windowStart(window, newest + 1));
          expect(kept - sizeMs).toBeLessThan(windowStart(window, newest + 1));
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
