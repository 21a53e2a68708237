import type { Aggregate } from "./aggregate.ts";
import { count } from "./count.ts";
import { first, last } from "./edge.ts";
import { max, min } from "./extreme.ts";
import { mean, sum } from "./sum.ts";

export type AggregateName = "count" | "sum" | "mean" | "min" | "max" | "first" | "last";

/** Each aggregate under its name, with the partial state it keeps: names that share one merge. */
const CATALOGUE: Readonly<
  Record<AggregateName, { aggregate: Aggregate<unknown>; partial: string }>
> = {
  count: { aggregate: count, partial: "count" },
  sum: { aggregate: sum, partial: "total" },
  mean: { aggregate: mean, partial: "total" },
  min: { aggregate: min, partial: "min" },
  max: { aggregate: max, partial: "max" },
  first: { aggregate: first, partial: "first" },
  last: { aggregate: last, partial: "last" },
};

/** Pure. The aggregate of that name. */
export const aggregateOf = (name: AggregateName): Aggregate<unknown> => CATALOGUE[name].aggregate;

/** Pure. The name of the partial state that the aggregate reads (mean reads the one of sum). */
export const partialOf = (name: AggregateName): string => CATALOGUE[name].partial;
