import type { Drift } from "../features/quality/drift.ts";
import type { ViewPlan } from "../features/plan.ts";
import type {
  FeatureQuality,
  NumberSummary,
  ViewQuality,
} from "../features/quality/read-quality.ts";
import type { Registry } from "../features/registry.ts";
import { printView } from "./catalog-entries.ts";

/** What is said of one view, on the wire. */
export type QualityEntry = ReturnType<typeof printQuality>;

/** Figures come from sketches and samples: six digits are more than they know. */
const rounded = (value: number): number => Number(value.toPrecision(6));
const roundedOrNull = (value: number | null) => (value === null ? null : rounded(value));

const printDrift = ({ psi, noise, reading }: Drift) => ({
  psi: rounded(psi),
  noise: rounded(noise),
  reading,
});

/** A percentile is within 1 %: of whole numbers, it is one. */
function printNumbers({ min, p5, p50, p95, max, mean }: NumberSummary, whole: boolean) {
  const near = whole ? Math.round : rounded;
  return { min, p5: near(p5), p50: near(p50), p95: near(p95), max, mean: rounded(mean) };
}

type Described = ReturnType<typeof printView>["features"][number];

const printFeature = (quality: FeatureQuality, { name, type, list, aggregate }: Described) => ({
  name,
  ...(quality.key !== null && { key: quality.key }),
  type,
  ...(list && { list }),
  null_rate: roundedOrNull(quality.nullRate),
  numbers:
    quality.numbers &&
    printNumbers(quality.numbers, list ? aggregate !== "vectorMean" : type === "integer"),
  commonest:
    quality.texts?.commonest.map(({ value, share }) => ({ value, share: rounded(share) })) ?? null,
  others: quality.texts && rounded(quality.texts.others),
  baseline_null_rate: roundedOrNull(quality.baselineNullRate),
  drift: quality.drift && printDrift(quality.drift),
});

/** Pure. What is known of a view's quality. */
export function printQuality(registry: Registry, plan: ViewPlan, quality: ViewQuality) {
  const { view, version, window, baseline, note, profile, ages, drift, features } = quality;
  const described = printView(registry, plan).features;
  return {
    view,
    version,
    window,
    baseline,
    note,
    profile: profile && {
      taken_at: profile.takenAt,
      entities: profile.entities,
      not_found: profile.notFound,
      outside_max_age: profile.outsideMaxAge,
      event_age_ms: ageAt(profile.takenAt, profile.newestEvent),
      ingest_age_ms: ageAt(profile.takenAt, profile.newestIngest),
      entity_age_ms: ages && { p50: rounded(ages.p50), p95: rounded(ages.p95) },
    },
    drift: drift && printDrift(drift),
    features: features.flatMap((one) => {
      const feature = described[one.index];
      return feature === undefined ? [] : [printFeature(one, feature)];
    }),
  };
}

const ageAt = (now: number, time: number | null): number | null =>
  time === null ? null : Math.max(0, now - time);
