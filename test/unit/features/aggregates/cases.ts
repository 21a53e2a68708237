import fc from "fast-check";
import type { FieldValue, Observation } from "../../../../src/features/aggregates/aggregate.ts";
import { aggregateOf, type AggregateName } from "../../../../src/features/aggregates/catalogue.ts";
import { exactOf } from "../../../../src/features/exact.ts";
import type { Field } from "../../../../src/features/fields.ts";
import { DAY_MS, HOUR_MS } from "../../../../src/time.ts";
import type { PlainValue, Seen } from "../../../support/naive-aggregates.ts";

/** An aggregate under test, over a field of some kind. */
export interface Case {
  readonly name: AggregateName;
  readonly parameters: Readonly<Record<string, number>>;
  readonly field: Field | null;
  readonly observations: fc.Arbitrary<readonly Observation[]>;
}

const anyDecimal = fc.oneof(
  fc.integer({ min: -(10 ** 6), max: 10 ** 6 }).map((n) => String(n / 1_000)),
  fc.integer({ min: -3, max: 3 }).map(String),
  fc.bigInt({ min: -(10n ** 37n), max: 10n ** 37n }).map(String),
  fc.constantFrom("0", "-0", "1e-300", "-9.99e299", "4503599627370496", "-4503599627370495"),
);
export const anyExact = anyDecimal.map((text) => exactOf(text));

const anyText = fc.oneof(
  fc.string({ unit: "grapheme" }).map((text) => `x${text}`),
  fc.constantFrom("", "ぶどう色", "🍇", "é"),
);

export const anyTime = fc.oneof(
  fc.constantFrom(-1, 0, 1),
  fc.integer({ min: -DAY_MS, max: DAY_MS }),
  fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 }),
);

/** Few times and orders, so that ties are common; an order is one event's. */
const observed = (value: fc.Arbitrary<FieldValue>): fc.Arbitrary<readonly Observation[]> =>
  fc
    .array(fc.tuple(value, anyTime), { maxLength: 12 })
    .map((all) => all.map(([one, time], i) => ({ value: one, time, order: `e${i % 3}é${i}` })));

const numbers = observed(anyExact);
const anything = observed(fc.oneof(anyExact, anyText, fc.boolean()));
const vectors = observed(fc.tuple(anyExact, anyExact));

const field = (kind: Field["kind"]): Field => ({
  name: "it",
  kind,
  nullable: false,
  pii: null,
  email: false,
  ...(kind === "vector" && { dimensions: 2 }),
});

const PERCENTILES = [
  { p: 0, accuracy: 0.01, from: 1e-6, to: 1e9 },
  { p: 0.5, accuracy: 0.05, from: 0.5, to: 100 },
  { p: 0.99, accuracy: 0.01, from: 1e-300, to: 1e-290 },
];

/** Every aggregate, those with parameters under several. */
export const CASES: readonly Case[] = [
  ...(["count", "first", "last"] as const).map((name) => ({
    name,
    parameters: {},
    field: null,
    observations: anything,
  })),
  ...(["sum", "mean", "min", "max", "varPop", "varSamp", "stddevPop", "stddevSamp"] as const).map(
    (name) => ({ name, parameters: {}, field: field("decimal"), observations: numbers }),
  ),
  ...[1, 3, 100].flatMap((n) => [
    { name: "firstN" as const, parameters: { n }, field: null, observations: anything },
    { name: "lastN" as const, parameters: { n }, field: null, observations: anything },
    { name: "topN" as const, parameters: { n }, field: field("decimal"), observations: numbers },
  ]),
  ...[1, 4, 10_000].map((max) => ({
    name: "countDistinct" as const,
    parameters: { max },
    field: null,
    observations: anything,
  })),
  ...[4, 11, 16].map((precision) => ({
    name: "approxCountDistinct" as const,
    parameters: { precision },
    field: null,
    observations: anything,
  })),
  ...PERCENTILES.map((parameters) => ({
    name: "approxPercentile" as const,
    parameters,
    field: field("number"),
    observations: numbers,
  })),
  ...[1_000, HOUR_MS, 30 * DAY_MS].map((half_life_ms) => ({
    name: "expDecaySum" as const,
    parameters: { half_life_ms },
    field: field("number"),
    observations: numbers,
  })),
  { name: "vectorMean", parameters: {}, field: field("vector"), observations: vectors },
];

/** The aggregate of a case. */
export const made = ({ name, parameters, field: over }: Case) =>
  aggregateOf(name, parameters, over);

const plain = (value: FieldValue): PlainValue => {
  if (typeof value !== "object") return value;
  if (Array.isArray(value))
    return (value as readonly FieldValue[]).map((one) => String(plain(one)));
  const { m, s } = value as Exclude<typeof value, readonly unknown[]>;
  return s === 0 ? String(m) : `${m}e-${s}`;
};

/** What the naive definition sees. */
export const seen = (observations: readonly Observation[]): readonly Seen[] =>
  observations.map((one) => ({ ...one, value: plain(one.value) }));
