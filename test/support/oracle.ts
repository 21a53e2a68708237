import type { FeatureValue } from "../../src/features/aggregates/aggregate.ts";
import type { Window } from "../../src/features/window.ts";
import {
  naiveValue,
  toleranceOf,
  type NaiveAggregate,
  type NaiveValue,
  type PlainValue,
  type Seen,
} from "./naive-aggregates.ts";

/** An event as the oracle sees it: plain values, decimals as text. */
export interface OracleEvent {
  readonly time: number;
  readonly order: string;
  readonly fields: Readonly<Record<string, PlainValue | null>>;
}

export interface OracleFeature extends NaiveAggregate {
  readonly field: string | null;
  readonly where: Readonly<Record<string, readonly (string | number | boolean)[]>>;
  readonly by: { readonly field: string; readonly keys: readonly (string | boolean)[] } | null;
  readonly window: Window;
}

const TIERS = [1_000, 5_000, 10_000, 30_000, 60_000, 300_000, 3_600_000, 86_400_000];

/** Whether the window holds an instant at `asOf`, by the definition. */
export function isWithin(window: Window, time: number, asOf: number): boolean {
  if (window.kind === "lifetime") return time < asOf;
  const { lengthMs } = window;
  if (window.kind === "hopping") {
    const end = Math.floor(asOf / window.hopMs) * window.hopMs;
    return end - lengthMs <= time && time < end;
  }
  // floor(T − W, h), with h the largest tier that is at most a twelfth of W
  const hop = TIERS.filter((tier) => tier * 12 <= lengthMs).at(-1) ?? Number.NaN;
  return Math.floor((asOf - lengthMs) / hop) * hop <= time && time < asOf;
}

/** What the feature aggregates: the values of the events in its window that fit, by its keys. */
function seenBy(
  feature: OracleFeature,
  events: readonly OracleEvent[],
  asOf: number,
): ReadonlyMap<string | null, readonly Seen[]> {
  const { field, by } = feature;
  const live = events.filter(
    ({ time, fields }) =>
      isWithin(feature.window, time, asOf) &&
      Object.entries(feature.where).every(([name, values]) =>
        values.includes((fields[name] ?? Number.NaN) as string),
      ) &&
      (field === null || (fields[field] ?? null) !== null),
  );
  const seen = (of: readonly OracleEvent[]): readonly Seen[] =>
    of.map(({ fields, ...at }) => ({
      ...at,
      value: field === null ? true : (fields[field] ?? ""),
    }));
  if (by === null) return new Map([[null, seen(live)]]);
  const keyOf = ({ fields }: OracleEvent): string | null => {
    const value = fields[by.field] ?? null;
    if (value === null) return null;
    return by.keys.includes(value as string) ? String(value) : "other";
  };
  return new Map(
    [...by.keys.map(String), "other"].map((key) => [
      key,
      seen(live.filter((event) => keyOf(event) === key)),
    ]),
  );
}

/** A feature by its definition: filter the list of events, aggregate what is left. */
export function oracleValue(
  feature: OracleFeature,
  events: readonly OracleEvent[],
  asOf: number,
): FeatureValue {
  const split: Record<string, NaiveValue> = {};
  for (const [key, seen] of seenBy(feature, events, asOf)) {
    const value = naiveValue(feature, seen, asOf);
    if (key === null) return value;
    split[key] = value;
  }
  return split;
}

/** Whether an answer is the oracle's: exactly, or as near as the aggregate promises. */
export function isAnswer(
  feature: OracleFeature,
  events: readonly OracleEvent[],
  asOf: number,
  answer: FeatureValue,
): boolean {
  return [...seenBy(feature, events, asOf)].every(([key, seen]) => {
    const expected = naiveValue(feature, seen, asOf);
    const actual = (
      key === null ? answer : (answer as Readonly<Record<string, NaiveValue>>)[key]
    ) as NaiveValue;
    const tolerance = toleranceOf(feature, seen, expected, asOf);
    if (typeof actual === "number" && typeof expected === "number" && tolerance > 0) {
      return Math.abs(actual - expected) <= tolerance;
    }
    return JSON.stringify(actual) === JSON.stringify(expected);
  });
}
