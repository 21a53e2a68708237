import { mergeSketches, type Sketch } from "./number-profile.ts";
import { psi, psiNoise, readingOf, type Bin, type Reading } from "./psi.ts";
import { commonestOf, mergeTexts, type TextProfile } from "./text-profile.ts";
import type { FeatureProfile, ViewProfile } from "./view-profile.ts";

/** How far what was seen lately is from what was seen before. */
export interface Drift {
  /** The population stability index. */
  readonly psi: number;
  /** What chance alone exceeds once in a hundred times, of samples so small. */
  readonly noise: number;
  readonly reading: Reading;
}

const DECILES = 10;
const MOST_TEXTS = 10;

/** Pure. The buckets of the sketch's deciles, each once, ascending. */
function decileBuckets(sketch: Sketch): readonly number[] {
  const sorted = [...sketch].toSorted(([a], [b]) => a - b);
  const last = sorted.reduce((sum, [, count]) => sum + count, 0) - 1;
  const buckets: number[] = [];
  let [seen, next] = [0, 1];
  for (const [bucket, count] of sorted) {
    seen += count;
    const before = next;
    while (next < DECILES && Math.floor((next * last) / DECILES) < seen) next += 1;
    if (next > before) buckets.push(bucket);
  }
  return buckets;
}

/**
 * Pure. Two sketches in bins that end at the baseline's deciles, and one beyond; fewer where many
 * values are alike.
 */
export function numberBins(recent: Sketch, baseline: Sketch): readonly Bin[] {
  const ends = decileBuckets(baseline);
  const bins = [...ends, Number.POSITIVE_INFINITY].map((): [number, number] => [0, 0]);
  for (const [side, sketch] of [recent, baseline].entries()) {
    for (const [bucket, count] of sketch) {
      const at = ends.findIndex((end) => bucket <= end);
      const bin = bins[at < 0 ? ends.length : at] as [number, number];
      bin[side as 0 | 1] += count;
    }
  }
  return bins;
}

/** Pure. A bin for each of the ten commonest texts of either, and one for all others. */
export function textBins(recent: TextProfile, baseline: TextProfile): readonly Bin[] {
  const own = new Set(
    [recent, baseline].flatMap(({ commonest }) =>
      commonestOf(commonest, MOST_TEXTS).map(([text]) => text),
    ),
  );
  const othersOf = ({ commonest, others }: TextProfile): number =>
    [...commonest].reduce((sum, [text, count]) => sum + (own.has(text) ? 0 : count), others);
  return [
    ...[...own].map((text): Bin => [
      recent.commonest.get(text) ?? 0,
      baseline.commonest.get(text) ?? 0,
    ]),
    [othersOf(recent), othersOf(baseline)],
  ];
}

/**
 * Pure. The drift of bins whose samples were `times` of about the same entities each. A share counts
 * as half an entity at least: an empty bin of a small sample says little.
 */
function driftOfBins(bins: readonly Bin[], times: readonly [number, number]): Drift | null {
  const [n, m] = times.map((one, side) =>
    bins.reduce((sum, bin) => sum + (bin[side] ?? 0) / one, 0),
  ) as [number, number];
  const index = psi(bins, 1 / (2 * Math.min(n, m)));
  if (index === null) return null;
  const filled = bins.filter(([recent, baseline]) => recent + baseline > 0).length;
  const noise = psiNoise(filled, n, m);
  return { psi: index, noise, reading: readingOf(index, noise) };
}

/**
 * Pure. The drift of a feature between two windows of its profiles, of the entities that were found
 * in its view; having no value is a bin of its own. Null where a window has none. Profiles of a
 * window are of about the same entities, so that its sample is no larger for there being many.
 */
export function featureDrift(
  recent: readonly FeatureProfile[],
  baseline: readonly FeatureProfile[],
): Drift | null {
  const [now, before] = [totalOf(recent), totalOf(baseline)];
  return driftOfBins(
    [
      ...numberBins(now.sketch, before.sketch),
      ...textBins(now.texts, before.texts),
      [now.nulls, before.nulls],
    ],
    [recent.length, baseline.length],
  );
}

const totalOf = (profiles: readonly FeatureProfile[]) => ({
  sketch: mergeSketches(profiles.flatMap(({ numbers }) => numbers?.sketch ?? [])),
  texts: mergeTexts(profiles.flatMap(({ texts }) => texts ?? [])),
  nulls: profiles.reduce((sum, { nulls }) => sum + nulls, 0),
});

/** Pure. The drift of how many of a view's entities are found, and how many only too old. */
export function presenceDrift(
  recent: readonly ViewProfile[],
  baseline: readonly ViewProfile[],
): Drift | null {
  const bin = (countOf: (profile: ViewProfile) => number): Bin => [
    recent.reduce((sum, profile) => sum + countOf(profile), 0),
    baseline.reduce((sum, profile) => sum + countOf(profile), 0),
  ];
  return driftOfBins(
    [
      bin((one) => one.entities - one.notFound - one.outsideMaxAge),
      bin((one) => one.notFound),
      bin((one) => one.outsideMaxAge),
    ],
    [recent.length, baseline.length],
  );
}
