import { durationMs, type Duration } from "../time.ts";
import type { FeatureValue } from "./aggregates/aggregate.ts";
import type { AggregateName } from "./aggregates/catalogue.ts";
import { LIFETIME, sawtooth, type Window } from "./window.ts";

/** Values that a field must have, one of a list where a list is given. */
export type Where = Readonly<Record<string, WhereValue | readonly WhereValue[]>>;
export type WhereValue = string | number | boolean;

/**
 * One feature of a view: an aggregate of a field (or of events) under a condition, over a window.
 * Built by `count()`, `sum("amount")` and the like; the methods give a changed copy.
 */
export interface Aggregation<
  A extends AggregateName = AggregateName,
  F extends string = string,
  W extends string = string,
  D extends FeatureValue = FeatureValue,
> {
  readonly aggregate: A;
  /** Null counts events. */
  readonly field: F | null;
  readonly condition: Where | null;
  readonly window: Window;
  readonly fallback: D;
  /** Only events whose fields have these values. */
  where<const C extends Where>(condition: C): Aggregation<A, F, W | (keyof C & string), D>;
  /** A sawtooth window of that length; without one, the whole lifetime. */
  over(length: Duration): Aggregation<A, F, W, D>;
  /** What to answer instead of null. */
  default<const V extends string | number | boolean>(value: V): Aggregation<A, F, W, V>;
}

interface Parts<A, F, D> {
  readonly aggregate: A;
  readonly field: F | null;
  readonly condition: Where | null;
  readonly window: Window;
  readonly fallback: D;
}

function build<A extends AggregateName, F extends string, W extends string, D extends FeatureValue>(
  parts: Parts<A, F, D>,
): Aggregation<A, F, W, D> {
  return {
    ...parts,
    where: (condition) => build({ ...parts, condition: { ...parts.condition, ...condition } }),
    over: (length) => build({ ...parts, window: sawtooth(length) }),
    default: (value) => build({ ...parts, fallback: value }),
  };
}

const start = <A extends AggregateName, F extends string>(
  aggregate: A,
  field: F | null,
): Aggregation<A, F, never, null> =>
  build({ aggregate, field, condition: null, window: LIFETIME, fallback: null });

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

/** Pure. A duration in milliseconds, or null where none is given. */
export const optionalDurationMs = (text: Duration | undefined): number | null =>
  text === undefined ? null : durationMs(text);
