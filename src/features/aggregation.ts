import { durationMs, type Duration } from "../time.ts";
import type { AggregateValue } from "./aggregates/aggregate.ts";
import type { AggregateName } from "./aggregates/catalogue.ts";
import type { Parameters } from "./aggregates/parameters.ts";
import { LIFETIME, sawtooth, type Window } from "./window.ts";

/** Values that a field must have, one of a list where a list is given. */
export type Where = Readonly<Record<string, WhereValue | readonly WhereValue[]>>;
export type WhereValue = string | number | boolean;

/** What `by()` splits a feature into: a value for each key of a field, and one for all others. */
export interface Split {
  readonly field: string;
  readonly keys: readonly WhereValue[];
}

/** The key of what is in none of the others. */
export const OTHER = "other";

/**
 * One feature of a view: an aggregate of a field (or of events) under a condition, over a window.
 * Built by `count()`, `sum("amount")` and the like; the methods give a changed copy.
 */
export interface Aggregation<
  A extends AggregateName = AggregateName,
  F extends string = string,
  W extends string = string,
  D extends AggregateValue = AggregateValue,
  K extends string = string,
> {
  readonly aggregate: A;
  /** Null counts events. */
  readonly field: F | null;
  readonly parameters: Parameters;
  /** Each must hold. */
  readonly conditions: readonly Where[];
  readonly split: Split | null;
  readonly window: Window;
  readonly fallback: D;
  /** What is wrong with it: told when the view is compiled, which can name the feature. */
  readonly problem?: string;
  /** Only events whose fields have these values; called twice, both must hold. */
  where<const C extends Where>(condition: C): Aggregation<A, F, W | (keyof C & string), D, K>;
  /**
   * An object with a value for the events of each key, and one named `other` for those with any
   * other value of the field; without a value, an event is in none.
   */
  by<const C extends string, const V extends WhereValue>(
    field: C,
    options: { readonly keys: readonly V[] },
  ): Aggregation<A, F, W | C, D, `${V}` | typeof OTHER>;
  /** A sawtooth window of that length, or another window; without one, the whole lifetime. */
  over(window: Duration | Window): Aggregation<A, F, W, D, K>;
  /** What to answer instead of null; with `by()`, for each of its keys. */
  default<const V extends string | number | boolean | readonly (string | number | boolean)[]>(
    value: V,
  ): Aggregation<A, F, W, V, K>;
}

interface Parts<A, F, D> {
  readonly aggregate: A;
  readonly field: F | null;
  readonly parameters: Parameters;
  readonly conditions: readonly Where[];
  readonly split: Split | null;
  readonly window: Window;
  readonly fallback: D;
  readonly problem?: string;
}

function build<
  A extends AggregateName,
  F extends string,
  W extends string,
  D extends AggregateValue,
  K extends string,
>(parts: Parts<A, F, D>): Aggregation<A, F, W, D, K> {
  return {
    ...parts,
    where: (condition) => build({ ...parts, conditions: [...parts.conditions, condition] }),
    by: (field, { keys }) => build({ ...parts, split: { field, keys } }),
    over: (window) =>
      build({ ...parts, window: typeof window === "string" ? sawtooth(window) : window }),
    default: (value) => build({ ...parts, fallback: value }),
  };
}

const start = <A extends AggregateName, F extends string>(
  aggregate: A,
  field: F | null,
  parameters: Parameters = {},
  problem?: string,
): Aggregation<A, F, never, null, never> =>
  build({
    aggregate,
    field,
    parameters,
    conditions: [],
    split: null,
    window: LIFETIME,
    fallback: null,
    ...(problem !== undefined && { problem }),
  });

/** The number of events; 0 where there are none. */
export const count = () => start<"count", never>("count", null);

/** The exact sum of a numeric field. */
export const sum = <const F extends string>(field: F) => start("sum", field);

/** The mean of a numeric field, a double rounded once from the exact quotient. */
export const mean = <const F extends string>(field: F) => start("mean", field);

/** The smallest value of a numeric field. */
export const min = <const F extends string>(field: F) => start("min", field);

/** The largest value of a numeric field. */
export const max = <const F extends string>(field: F) => start("max", field);

/** The value of the earliest event that has one. */
export const first = <const F extends string>(field: F) => start("first", field);

/** The value of the latest event that has one. */
export const last = <const F extends string>(field: F) => start("last", field);

/** The values of the n earliest events that have one (n ≤ 100), earliest first. */
export const firstN = <const F extends string>(field: F, n: number) =>
  start("firstN", field, { n });

/** The values of the n latest events that have one (n ≤ 100), latest first. */
export const lastN = <const F extends string>(field: F, n: number) => start("lastN", field, { n });

/** The n largest values of a numeric field (n ≤ 100), largest first, as often as they came. */
export const topN = <const F extends string>(field: F, n: number) => start("topN", field, { n });

/** The variance of a numeric field, the double nearest to it; 0 for a single value. */
export const varPop = <const F extends string>(field: F) => start("varPop", field);

/** The variance, with n − 1 below, of what the values are a sample of; null for a single value. */
export const varSamp = <const F extends string>(field: F) => start("varSamp", field);

/** The double nearest to the square root of the exact varPop. */
export const stddevPop = <const F extends string>(field: F) => start("stddevPop", field);

/** The double nearest to the square root of the exact varSamp; null for a single value. */
export const stddevSamp = <const F extends string>(field: F) => start("stddevSamp", field);

/**
 * The number of different values of a field, exact up to `max` (1,000, at most 10,000): beyond it the
 * answer is `max`, and names the feature in `capped`.
 */
export const countDistinct = <const F extends string>(
  field: F,
  { max: bound = 1_000 }: { readonly max?: number } = {},
) => start("countDistinct", field, { max: bound });

/**
 * About how many different values a field has: a HyperLogLog of 2^precision registers, 4 to 16. At
 * 11, the standard error is 2.3 %.
 */
export const approxCountDistinct = <const F extends string>(
  field: F,
  { precision = 11 }: { readonly precision?: number } = {},
) => start("approxCountDistinct", field, { precision });

/**
 * About the p-quantile of a numeric field (0.5 is the median): within a relative `accuracy` (0.01) of
 * the value of rank 1 + floor(p · (n − 1)), for magnitudes from `from` (1e-6) to `to` (1e9); what lies
 * outside counts as about these.
 */
export const approxPercentile = <const F extends string>(
  field: F,
  p: number,
  {
    accuracy = 0.01,
    from = 1e-6,
    to = 1e9,
  }: { readonly accuracy?: number; readonly from?: number; readonly to?: number } = {},
) => start("approxPercentile", field, { p, accuracy, from, to });

/** The sum of a numeric field in which a value counts half after each half-life since its event. */
export function expDecaySum<const F extends string>(field: F, halfLife: Duration) {
  try {
    return start("expDecaySum", field, { half_life_ms: durationMs(halfLife) });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return start("expDecaySum", field, {}, error.message);
  }
}

/** The mean vector of a `vector()` field, each component rounded once from its exact mean. */
export const vectorMean = <const F extends string>(field: F) => start("vectorMean", field);

/** Pure. A duration in milliseconds, or null where none is given. */
export const optionalDurationMs = (text: Duration | undefined): number | null =>
  text === undefined ? null : durationMs(text);
