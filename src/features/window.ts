import {
  ceilTo,
  DAY_MS,
  durationMs,
  floorTo,
  HOUR_MS,
  MINUTE_MS,
  SECOND_MS,
  type Duration,
} from "../time.ts";

/** The common tile sizes, finest first; each divides the next. */
export const TILE_SIZES_MS = [
  SECOND_MS,
  5 * SECOND_MS,
  10 * SECOND_MS,
  30 * SECOND_MS,
  MINUTE_MS,
  5 * MINUTE_MS,
  HOUR_MS,
  DAY_MS,
] as const;

/** The one tile of a lifetime; larger than any time. */
export const LIFETIME_TILE_MS = 2 ** 52;

/**
 * `lifetime` has no lower bound; `sawtooth` has a tail on the hop grid and a sliding head; `hopping`
 * has both on the grid.
 */
export type Window =
  | { readonly kind: "lifetime" }
  | {
      readonly kind: "sawtooth" | "hopping";
      readonly lengthMs: number;
      readonly hopMs: number;
      /** Why there is no such window: told when the view is compiled, which can name the feature. */
      readonly problem?: string;
    };

export const LIFETIME: Window = { kind: "lifetime" };

/** How many hops a window may have: each is a tile that is kept. */
const MAX_HOPS = 1_000;

/** Where `hopOf` throws a RangeError, the window has its message as `problem`. */
function windowOf(
  kind: "sawtooth" | "hopping",
  length: Duration,
  hopOf: (lengthMs: number) => number,
): Window {
  try {
    const lengthMs = durationMs(length);
    return { kind, lengthMs, hopMs: hopOf(lengthMs) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { kind, lengthMs: Number.NaN, hopMs: Number.NaN, problem: error.message };
  }
}

/**
 * Pure. A sawtooth window of the given length: at T it holds [floor(T − W, h), T), where the hop h
 * is the largest tile size not above W/12, so that it is never more than 8.33 % too long.
 * A length below 12 s is a `problem`.
 */
export const sawtooth = (length: Duration): Window =>
  windowOf("sawtooth", length, (lengthMs) => {
    const hopMs = TILE_SIZES_MS.findLast((size) => size <= lengthMs / 12);
    if (hopMs !== undefined) return hopMs;
    throw new RangeError(`a window of ${length} is too small: the smallest is 12s (tiles of 1 s)`);
  });

/**
 * Pure. A window that moves by whole hops: at T it holds [floor(T, h) − W, floor(T, h)), so that
 * what happened since the last hop is not in it yet. Hops begin at the epoch, in UTC. A hop that
 * does not divide the length, or goes into it more than 1,000 times, is a `problem`.
 */
export const hopping = (length: Duration, hop: Duration): Window =>
  windowOf("hopping", length, (lengthMs) => {
    const hopMs = durationMs(hop);
    if (lengthMs % hopMs !== 0) {
      throw new RangeError(
        `a hop of ${hop} does not divide a window of ${length}: choose one that does`,
      );
    }
    if (lengthMs / hopMs <= MAX_HOPS) return hopMs;
    const least = Math.ceil(lengthMs / MAX_HOPS / SECOND_MS);
    throw new RangeError(
      `a hop of ${hop} goes into ${length} more than ${MAX_HOPS} times: take ${least}s or more`,
    );
  });

/** Pure. The last complete stretch of that length: a hopping window whose hop is its length. */
export const tumbling = (length: Duration): Window => hopping(length, length);

/** Pure. The first instant that the window holds at T. */
export function windowStart(window: Window, asOf: number): number {
  if (window.kind === "lifetime") return Number.NEGATIVE_INFINITY;
  const { kind, lengthMs, hopMs } = window;
  return kind === "hopping" ? floorTo(asOf, hopMs) - lengthMs : floorTo(asOf - lengthMs, hopMs);
}

/** Pure. The first instant after T's window: T itself, but for hopping windows. */
export const windowEnd = (window: Window, asOf: number): number =>
  window.kind === "hopping" ? floorTo(asOf, window.hopMs) : asOf;

/** How much coarser the next tiles of a hopping window are, at least: each size is kept as well. */
const COARSER = 4;

/**
 * Pure. The tile sizes that a cover of the window may use, finest first, each dividing the next: the
 * hop, and every coarser size of TILE_SIZES_MS of which at least two fit in the window (for hopping
 * windows: that the hop divides, and that is worth a level of its own).
 */
export function tileSizes(window: Window): readonly number[] {
  if (window.kind === "lifetime") return [LIFETIME_TILE_MS];
  const { kind, lengthMs, hopMs } = window;
  const sizes = [hopMs];
  for (const size of TILE_SIZES_MS) {
    if (size <= hopMs || size * 2 > lengthMs) continue;
    const isWorthIt = size % hopMs === 0 && size >= COARSER * (sizes.at(-1) ?? 0);
    if (kind === "sawtooth" || isWorthIt) sizes.push(size);
  }
  return sizes;
}

/** Pure. Whether the window `outer` holds, at every T, all that `inner` holds. */
function holds(outer: Window, inner: Window): boolean {
  if (outer.kind === "lifetime") return true;
  if (inner.kind === "lifetime") return false;
  const extra = outer.lengthMs - inner.lengthMs;
  // A hopping window begins up to a hop earlier than its length; a sawtooth never ends earlier.
  if (outer.kind === "sawtooth") return extra >= (inner.kind === "hopping" ? inner.hopMs : 0);
  // A coarser grid within a finer one: it ends earlier, and begins earlier by up to the difference.
  const isCoarser = inner.kind === "hopping" && inner.hopMs % outer.hopMs === 0;
  return isCoarser && extra >= inner.hopMs - outer.hopMs;
}

/** Pure. Whether two windows are one. */
export const isSameWindow = (a: Window, b: Window): boolean =>
  a.kind === "lifetime" || b.kind === "lifetime"
    ? a.kind === b.kind
    : a.kind === b.kind && a.lengthMs === b.lengthMs && a.hopMs === b.hopMs;

/** Pure. The windows that no other of them holds: together they hold what all do. */
export function widestWindows(windows: readonly Window[]): readonly Window[] {
  const distinct = windows.filter(
    (one, i) => windows.findIndex((other) => isSameWindow(one, other)) === i,
  );
  return distinct.filter(
    (inner) => !distinct.some((outer) => outer !== inner && holds(outer, inner)),
  );
}

/** Tiles of one size whose start lies in [from, to). */
export interface TileRange {
  readonly sizeMs: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Pure. The fewest tiles that cover the window at T, as ranges of one size each, finest first. No
 * event lies at or after T, so that a sawtooth takes the open tile at its head whole, in the coarsest
 * size, and only its tail needs finer ones; a hopping window ends on a hop, and needs them there too:
 *
 *     lo      1 h   1 h     1 d      1 d     1 d (open)   T
 *     |―――――――――|―――――――|――――――――|――――――――|―――――――――――――――|
 *
 *     lo      1 h   1 h     1 d      1 d     1 h   1 h   hi     T
 *     |―――――――――|―――――――|――――――――|――――――――|―――――|―――――|·····|
 */
export function coverWindow(window: Window, asOf: number): readonly TileRange[] {
  if (window.kind === "lifetime") {
    return [
      { sizeMs: LIFETIME_TILE_MS, from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY },
    ];
  }
  const lo = windowStart(window, asOf);
  if (window.kind === "hopping")
    return coverBetween(lo, windowEnd(window, asOf), tileSizes(window));
  const sizes = tileSizes(window);
  return sizes.map((sizeMs, i) => {
    const coarser = sizes[i + 1];
    return {
      sizeMs,
      from: ceilTo(lo, sizeMs),
      to: coarser === undefined ? Number.POSITIVE_INFINITY : ceilTo(lo, coarser),
    };
  });
}

/** Covers [lo, hi), whose ends lie on the finest grid: each tile as coarse as lies within. */
function coverBetween(lo: number, hi: number, sizes: readonly number[]): readonly TileRange[] {
  const [sizeMs = 1, ...coarser] = sizes;
  const [next] = coarser;
  const from = next === undefined ? hi : ceilTo(lo, next);
  const to = next === undefined ? hi : floorTo(hi, next);
  if (from >= to) return [{ sizeMs, from: lo, to: hi }];
  const ends = [
    { sizeMs, from: lo, to: from },
    { sizeMs, from: to, to: hi },
  ];
  return [...ends.filter((end) => end.from < end.to), ...coverBetween(from, to, coarser)];
}

/** Pure. Where the tile of `sizeMs` that holds the instant begins. */
export const tileStart = (sizeMs: number, instant: number): number =>
  sizeMs === LIFETIME_TILE_MS ? 0 : floorTo(instant, sizeMs);
