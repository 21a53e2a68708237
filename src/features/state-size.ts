import { DAY_MS, durationText, HOUR_MS, MINUTE_MS, SECOND_MS } from "../time.ts";
import { exactBytes } from "./aggregates/exact-codec.ts";
import { DefinitionError } from "./fields.ts";
import type { FeaturePlan, LevelPlan, PartialPlan, ViewPlan } from "./plan.ts";
import { tileSizes, type Window } from "./window.ts";

/** The most bytes that a view's state of one entity may take, packed. */
export const MAX_STATE_BYTES = 65_536;

/** Format, newest and latest ingest time; and how far the horizon lies beyond the newest. */
const HEAD_BYTES = 16;
const HORIZON_BYTES = 7;

const headBytes = ({ isSigned, maxAgeMs }: ViewPlan): number =>
  HEAD_BYTES + (isSigned && maxAgeMs !== null ? HORIZON_BYTES : 0);

/** The number of a level's tiles, the first one's place, and the others' distance from it. */
const LEVEL_BYTES = 2 + 8;
const TILE_BYTES = 2;

/** The most bytes of a text that has so many, behind their number; an event has at most 60,000. */
const textBytes = (bytes: number): number => (bytes < 128 ? 1 : bytes < 16_384 ? 2 : 3) + bytes;

/** The most bytes of one packed value: text as long as may be kept, numbers of 38 digits. */
function valueBytes({ field, keeps }: PartialPlan): number {
  if (keeps.text !== null) return textBytes(keeps.text);
  return field === null || field.kind === "boolean" ? 1 : exactBytes(38);
}

/** The most tiles of a size that are kept for a window. */
const tilesFor = (window: Window, sizeMs: number): number =>
  window.kind === "lifetime" ? 1 : Math.floor((window.lengthMs + window.hopMs - 2) / sizeMs) + 1;

const mostTiles = (windows: readonly Window[], sizeMs: number): number =>
  Math.max(...windows.map((window) => tilesFor(window, sizeMs)));

/** The most bytes of a partial in a tile of a size, beyond the one that an empty partial takes. */
function partialBytes(plan: ViewPlan, at: number, tileMs: number): number {
  const partial = plan.partials[at];
  if (partial === undefined) throw new RangeError(`view ${plan.name} has no partial ${at}`);
  const { aggregate, keeps } = partial;
  const orderBytes = textBytes(keeps.order ?? 0);
  return aggregate.maxBytes({ tileMs, valueBytes: valueBytes(partial), orderBytes }) - 1;
}

const added = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

function levelBytes(plan: ViewPlan, { sizeMs, partials, windows, windowsOf }: LevelPlan): number {
  const filled = partials.map(
    (at, j) => mostTiles(windowsOf[j] ?? [], sizeMs) * partialBytes(plan, at, sizeMs),
  );
  const tiles = mostTiles(windows, sizeMs) * (TILE_BYTES + partials.length);
  return LEVEL_BYTES + tiles + added(filled);
}

/**
 * Pure. The most bytes that the view's packed state of one entity takes: every tile of every window
 * filled by two million events, sketches full, numbers below 10^38 with at most 38 decimal places,
 * text as long as may be kept (kept-text.ts).
 */
export const worstCaseBytes = (plan: ViewPlan): number =>
  headBytes(plan) + added(plan.levels.map((level) => levelBytes(plan, level)));

/** The most bytes of what a feature reads; what it shares with others counts in full. */
const featureBytes = (plan: ViewPlan, { partials, window }: FeaturePlan): number =>
  added(
    tileSizes(window).map((sizeMs) => {
      const each = added(partials.map((at) => partialBytes(plan, at, sizeMs)));
      return tilesFor(window, sizeMs) * each;
    }),
  );

/** Whether a feature keeps texts that might be bounded further. */
const isUnbounded = ({ partials: all }: ViewPlan, { partials }: FeaturePlan): boolean =>
  partials.some((at) => {
    const { field, keeps } = all[at] ?? {};
    return keeps?.text !== null && field?.kind === "string" && field.maxBytes === undefined;
  });

const kib = (bytes: number): string => `${Math.ceil(bytes / 1_024)} KiB`;

/** Hops to propose, finest first. */
const HOPS_MS = [
  ...[1, 5, 10, 30].map((n) => n * SECOND_MS),
  ...[1, 5, 10, 30].map((n) => n * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR_MS),
  ...[1, 2, 5, 10, 30].map((n) => n * DAY_MS),
];

/** A hopping window as long as the feature's, whose tiles fit in so many bytes. */
function coarserWindow(plan: ViewPlan, feature: FeaturePlan, bytes: number): string | null {
  if (feature.window.kind === "lifetime") return null;
  const { lengthMs } = feature.window;
  const hopMs = HOPS_MS.find((hop) => {
    const window: Window = { kind: "hopping", lengthMs, hopMs: hop };
    return lengthMs % hop === 0 && featureBytes(plan, { ...feature, window }) <= bytes;
  });
  if (hopMs === undefined) return null;
  return `hopping("${durationText(lengthMs)}", "${durationText(hopMs)}")`;
}

/**
 * Pure. Throws a DefinitionError for a view whose state of one entity may be more than 64 KiB, which
 * names the feature that costs most, and what would make it smaller.
 */
export function checkStateSize(plan: ViewPlan): void {
  const bytes = worstCaseBytes(plan);
  if (bytes <= MAX_STATE_BYTES) return;
  const costs = plan.features.map((feature) => ({ feature, cost: featureBytes(plan, feature) }));
  const [most] = costs.toSorted((a, b) => b.cost - a.cost);
  if (most === undefined) return;
  const { feature, cost } = most;
  const coarser = coarserWindow(plan, feature, MAX_STATE_BYTES - (bytes - cost));
  const advice = [
    ...(coarser === null ? [] : [`over(${coarser})`]),
    ...(feature.window.kind === "lifetime" ? [] : ["a shorter window"]),
    ...(feature.keys === null ? [] : ["fewer keys"]),
    ...(isUnbounded(plan, feature) ? ["a field with a max(n) in its source's schema"] : []),
    "a smaller bound, precision or range",
  ];
  throw new DefinitionError(
    `view "${plan.name}": its state of one entity may take ${kib(bytes)}, and ` +
      `${kib(MAX_STATE_BYTES)} is the most; "${feature.name}" costs up to ${kib(cost)} of it: ` +
      `give it ${advice.join(", or ")}`,
  );
}
