import type { FeaturePlan, ViewPlan } from "../plan.ts";
import type { NumberProfile } from "./number-profile.ts";
import type { TextProfile } from "./text-profile.ts";

/** A feature over the entities of a sample that are found in its view. */
export interface FeatureProfile {
  /** How many entities have no value. */
  readonly nulls: number;
  /** How many have one. */
  readonly values: number;
  readonly numbers: NumberProfile | null;
  readonly texts: TextProfile | null;
}

/** A view over a sample of its entities at an instant. Times are epoch ms. */
export interface ViewProfile {
  readonly takenAt: number;
  /** How large the sample is: all entities, where that is less than its bound. */
  readonly entities: number;
  /** How many of them have no event within the view's windows, and how many only one too old. */
  readonly notFound: number;
  readonly outsideMaxAge: number;
  /** Of any of them, the time of the newest event and when the latest was taken in. */
  readonly newestEvent: number | null;
  readonly newestIngest: number | null;
  /** How long ago each one's newest event was, ms. */
  readonly ages: NumberProfile | null;
  /** By the name of the column. */
  readonly features: ReadonlyMap<string, FeatureProfile>;
}

/** What is profiled by itself: a feature, or a key of one that is split. */
export interface ProfiledColumn {
  /** `payments_1h`, or `payments_1d[DE]`. */
  readonly name: string;
  readonly feature: FeaturePlan;
  readonly index: number;
  readonly key: string | null;
}

/** Pure. The columns of a view's profile, in the order of its features. */
export const columnsOfProfile = ({ features }: ViewPlan): readonly ProfiledColumn[] =>
  features.flatMap((feature, index): readonly ProfiledColumn[] => {
    const { name, keys } = feature;
    if (keys === null) return [{ name, feature, index, key: null }];
    return keys.map((key) => ({ name: `${name}[${key}]`, feature, index, key }));
  });
