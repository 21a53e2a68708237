import type { KeptField } from "../plan.ts";
import type { Aggregate } from "./aggregate.ts";
import { approxCountDistinct } from "./approx-count-distinct.ts";
import { approxPercentile } from "./approx-percentile.ts";
import { count } from "./count.ts";
import { countDistinct } from "./count-distinct.ts";
import { first, last } from "./edge.ts";
import { firstN, lastN } from "./edge-list.ts";
import { expDecaySum } from "./exp-decay-sum.ts";
import { max, min } from "./extreme.ts";
import type { Parameters } from "./parameters.ts";
import { mean, sum } from "./sum.ts";
import { topN } from "./top-n.ts";
import { stddevPop, stddevSamp, varPop, varSamp } from "./variance.ts";
import { vectorMean } from "./vector-mean.ts";

/** What fields an aggregate takes: numbers, vectors, or anything that is one value. */
export type Takes = "number" | "vector" | "scalar";

interface Entry {
  readonly takes: Takes;
  /** The partial state that it keeps: aggregates that share one have one name for it. */
  readonly partial: string;
  /** The parameters that decide the partial state; others only decide how it is read. */
  readonly shapedBy?: readonly string[];
  /** Whether the partial state keeps values as they are, or with them their events' order keys. */
  readonly keeps?: "value" | "event";
  make(parameters: Parameters, field: KeptField | null): Aggregate<unknown>;
}

const CATALOGUE = {
  count: { takes: "scalar", partial: "count", make: () => count },
  sum: { takes: "number", partial: "total", make: () => sum },
  mean: { takes: "number", partial: "total", make: () => mean },
  min: { takes: "number", partial: "min", make: () => min },
  max: { takes: "number", partial: "max", make: () => max },
  first: { takes: "scalar", partial: "first", keeps: "event", make: () => first },
  last: { takes: "scalar", partial: "last", keeps: "event", make: () => last },
  firstN: { takes: "scalar", partial: "firstN", shapedBy: ["n"], keeps: "event", make: firstN },
  lastN: { takes: "scalar", partial: "lastN", shapedBy: ["n"], keeps: "event", make: lastN },
  topN: { takes: "number", partial: "topN", shapedBy: ["n"], make: topN },
  varPop: { takes: "number", partial: "moments", make: () => varPop },
  varSamp: { takes: "number", partial: "moments", make: () => varSamp },
  stddevPop: { takes: "number", partial: "moments", make: () => stddevPop },
  stddevSamp: { takes: "number", partial: "moments", make: () => stddevSamp },
  countDistinct: {
    takes: "scalar",
    partial: "countDistinct",
    shapedBy: ["max"],
    keeps: "value",
    make: countDistinct,
  },
  approxCountDistinct: {
    takes: "scalar",
    partial: "approxCountDistinct",
    shapedBy: ["precision"],
    make: approxCountDistinct,
  },
  approxPercentile: {
    takes: "number",
    partial: "approxPercentile",
    shapedBy: ["accuracy", "from", "to"],
    make: approxPercentile,
  },
  expDecaySum: {
    takes: "number",
    partial: "expDecaySum",
    shapedBy: ["half_life_ms"],
    make: expDecaySum,
  },
  vectorMean: { takes: "vector", partial: "vectorMean", make: vectorMean },
} as const satisfies Readonly<Record<string, Entry>>;

export type AggregateName = keyof typeof CATALOGUE;

export const AGGREGATE_NAMES = Object.keys(CATALOGUE) as AggregateName[];

const entryOf = (name: AggregateName): Entry => CATALOGUE[name];

/**
 * Pure. The aggregate of that name over a field (null: over events). Throws a RangeError for a
 * parameter that is out of bounds.
 */
export const aggregateOf = (
  name: AggregateName,
  parameters: Parameters = {},
  field: KeptField | null = null,
): Aggregate<unknown> => entryOf(name).make(parameters, field);

/** Pure. What fields it takes. */
export const takenBy = (name: AggregateName): Takes => entryOf(name).takes;

/** Pure. What its partial state keeps of each event as it is: nothing, its value, or its order too. */
export const keptBy = (name: AggregateName): "value" | "event" | null =>
  entryOf(name).keeps ?? null;

/** Pure. Names the partial state that the aggregate reads (mean reads the one of sum). */
export function partialOf(name: AggregateName, parameters: Parameters = {}): string {
  const { partial, shapedBy = [] } = entryOf(name);
  return [partial, ...shapedBy.map((one) => parameters[one])].join(" ");
}
