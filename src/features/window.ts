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

/** Tile sizes, finest first; each divides the next. */
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

/** `lifetime` has no lower bound; `sawtooth` has a tail on the hop grid and a sliding head. */
export type Window =
  | { readonly kind: "lifetime" }
  | { readonly kind: "sawtooth"; readonly lengthMs: number; readonly hopMs: number };

export const LIFETIME: Window = { kind: "lifetime" };

/**
 * Pure. A sawtooth window of the given length: at T it holds [floor(T − W, h), T), where the hop h
 * is the largest tile size not above W/12, so that it is never more than 8.33 % too long.
 * Throws a RangeError for a length below 12 s.
 */
export function sawtooth(length: Duration): Window {
  const lengthMs = durationMs(length);
  const hopMs = TILE_SIZES_MS.findLast((size) => size <= lengthMs / 12);
  if (hopMs === undefined) {
    throw new RangeError(`a window of ${length} is too small: the smallest is 12s (tiles of 1 s)`);
  }
  return { kind: "sawtooth", lengthMs, hopMs };
}

/** Pure. The first instant that the window holds at T. */
export function windowStart(window: Window, asOf: number): number {
  if (window.kind === "lifetime") return Number.NEGATIVE_INFINITY;
  return floorTo(asOf - window.lengthMs, window.hopMs);
}

/**
 * Pure. The tile sizes that a cover of the window may use, finest first: the hop, and every coarser
 * size of which at least two fit in the window.
 */
export function tileSizes(window: Window): readonly number[] {
  if (window.kind === "lifetime") return [LIFETIME_TILE_MS];
  const { lengthMs, hopMs } = window;
  return TILE_SIZES_MS.filter((size) => size === hopMs || (size > hopMs && size * 2 <= lengthMs));
}

/** Tiles of one size whose start lies in [from, to). */
export interface TileRange {
  readonly sizeMs: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Pure. The fewest tiles that cover the window at T, as one range per size, in the order of
 * tileSizes. No event lies at or after T, so the open tile at the head is taken whole, in the
 * coarsest size, and only the tail needs finer ones:
 *
 *     lo      1 h   1 h     1 d      1 d     1 d (open)   T
 *     |―――――――――|―――――――|――――――――|――――――――|―――――――――――――――|
 */
export function coverWindow(window: Window, asOf: number): readonly TileRange[] {
  if (window.kind === "lifetime") {
    return [
      { sizeMs: LIFETIME_TILE_MS, from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY },
    ];
  }
  const lo = windowStart(window, asOf);
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

/** Pure. Where the tile of `sizeMs` that holds the instant begins. */
export const tileStart = (sizeMs: number, instant: number): number =>
  sizeMs === LIFETIME_TILE_MS ? 0 : floorTo(instant, sizeMs);
