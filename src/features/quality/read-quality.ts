import { DAY_MS, durationMs, HOUR_MS, instantText, type Duration } from "../../time.ts";
import type { ViewPlan } from "../plan.ts";
import { featureDrift, presenceDrift, type Drift } from "./drift.ts";
import { percentiles, type NumberProfile } from "./number-profile.ts";
import type { KeptProfiles, ProfileStore, Span } from "./profile-store.ts";
import { commonestOf, type TextProfile } from "./text-profile.ts";
import { columnsOfProfile, type FeatureProfile, type ViewProfile } from "./view-profile.ts";

export interface QualityContext {
  readonly profiles: Pick<ProfileStore, "readProfiles">;
  readonly now: () => number;
}

/** The windows that are compared: the last so many ms, and so many before these. */
export interface QualityInput {
  readonly tenant: string;
  readonly window?: number | undefined;
  readonly baseline?: number | undefined;
}

/** A feature, or a key of one that is split, in the newest profile; its drift over the windows. */
export interface FeatureQuality {
  /** The feature's position in its view. */
  readonly index: number;
  readonly key: string | null;
  /** Of the entities found; null where none was. */
  readonly nullRate: number | null;
  readonly numbers: NumberSummary | null;
  readonly texts: TextSummary | null;
  readonly drift: Drift | null;
  readonly baselineNullRate: number | null;
}

export type NumberSummary = Omit<NumberProfile, "sketch"> & ReturnType<typeof percentiles>;

/** Shares of the entities that have a value. */
export interface TextSummary {
  readonly commonest: readonly { readonly value: string; readonly share: number }[];
  readonly others: number;
}

export interface ViewQuality {
  readonly view: string;
  /** Null where it is not applied. */
  readonly version: number | null;
  readonly window: Span & { readonly profiles: number };
  readonly baseline: Span & { readonly profiles: number };
  /** Why there is less than there should be; null where there is not. */
  readonly note: string | null;
  /** The newest profile of the window; null where there is none. */
  readonly profile: ViewProfile | null;
  readonly ages: NumberSummary | null;
  /** Of how many entities are found. */
  readonly drift: Drift | null;
  readonly features: readonly FeatureQuality[];
}

const WINDOW_MS = DAY_MS;
const BASELINE_MS = 7 * DAY_MS;
/** Twelve of seven days lie fourteen hours apart, so that they see all times of a day. */
const MOST_PROFILES = 12;
const MOST_SHOWN = 10;

/** Pure. The milliseconds of a window's length in words, `1h` to `60d`; null of any other text. */
export function windowMs(text: string): number | null {
  const ms = /^[1-9]\d{0,5}[smhd]$/.test(text) ? durationMs(text as Duration) : 0;
  return ms >= HOUR_MS && ms <= 60 * DAY_MS ? ms : null;
}

/** The quality of a view: its newest profile, and its drift between two windows of profiles. */
export async function readQuality(
  { profiles, now }: QualityContext,
  plan: ViewPlan,
  { tenant, window: length = WINDOW_MS, baseline: before = BASELINE_MS }: QualityInput,
): Promise<ViewQuality> {
  const to = now();
  const window = { from: to - length, to };
  const baseline = { from: window.from - before, to: window.from };
  const view = { tenant, stateId: plan.stateId };
  const kept = await profiles.readProfiles(view, [window, baseline], MOST_PROFILES);
  const [recent = [], earlier = []] = kept.spans;
  const profile = recent.at(-1) ?? null;
  return {
    view: plan.name,
    version: kept.version,
    window: { ...window, profiles: recent.length },
    baseline: { ...baseline, profiles: earlier.length },
    note: noteOf(kept, recent.length, earlier.length),
    profile,
    ages: profile?.ages ? summaryOf(profile.ages) : null,
    drift: presenceDrift(recent, earlier),
    features: columnsOfProfile(plan).map(({ name, index, key }) => {
      const [own, ownBefore] = [featuresOf(recent, name), featuresOf(earlier, name)];
      const newest = own.at(-1);
      return {
        index,
        key,
        nullRate: nullRate(own.slice(-1)),
        numbers: newest?.numbers ? summaryOf(newest.numbers) : null,
        texts: newest?.texts ? textsOf(newest.texts) : null,
        drift: featureDrift(own, ownBefore),
        baselineNullRate: nullRate(ownBefore),
      };
    }),
  };
}

const featuresOf = (profiles: readonly ViewProfile[], name: string): readonly FeatureProfile[] =>
  profiles.flatMap(({ features }) => features.get(name) ?? []);

/** Pure. Why there is no figure, or no drift. */
function noteOf(
  { version, first, last }: KeptProfiles,
  recent: number,
  earlier: number,
): string | null {
  if (version === null) return "not applied, or still being built: run `npm run apply`";
  if (first === null || last === null) return "no profile yet: one is taken every hour";
  if (recent === 0) return `no profile in the window: the last is of ${instantText(last)}`;
  if (earlier > 0) return null;
  return `no baseline yet: the first profile is of ${instantText(first)}`;
}

function nullRate(profiles: readonly FeatureProfile[]): number | null {
  const nulls = profiles.reduce((sum, profile) => sum + profile.nulls, 0);
  const found = profiles.reduce((sum, profile) => sum + profile.values, nulls);
  return found === 0 ? null : nulls / found;
}

const summaryOf = ({ sketch, ...rest }: NumberProfile): NumberSummary => ({
  ...rest,
  ...percentiles({ sketch, ...rest }),
});

function textsOf({ commonest, others }: TextProfile): TextSummary {
  const all = [...commonest.values()].reduce((sum, count) => sum + count, others);
  const shown = commonestOf(commonest, MOST_SHOWN);
  const named = shown.reduce((sum, [, count]) => sum + count, 0);
  return {
    commonest: shown.map(([value, count]) => ({ value, share: count / all })),
    others: (all - named) / all,
  };
}
