import fc from "fast-check";
import { z } from "zod";
import {
  approxCountDistinct,
  approxPercentile,
  count,
  countDistinct,
  expDecaySum,
  first,
  firstN,
  last,
  lastN,
  max,
  mean,
  min,
  stddevPop,
  stddevSamp,
  sum,
  topN,
  varPop,
  varSamp,
  vectorMean,
  type Aggregation,
} from "../../src/features/aggregation.ts";
import { compileView } from "../../src/features/compile-view.ts";
import { entity, featureView } from "../../src/features/define.ts";
import { apiKey, eventSource } from "../../src/features/define-source.ts";
import type { LogEvent } from "../../src/features/event-log.ts";
import { exactOf, exactToText } from "../../src/features/exact.ts";
import { decimal, vector } from "../../src/features/fields.ts";
import { recordToText } from "../../src/features/source-record.ts";
import type { ViewPlan } from "../../src/features/plan.ts";
import { hopping, sawtooth, tumbling, type Window } from "../../src/features/window.ts";
import type { Duration } from "../../src/time.ts";
import type { PlainValue } from "./naive-aggregates.ts";
import type { OracleEvent, OracleFeature } from "./oracle.ts";

const readingSource = <const N extends string>(name: N) =>
  eventSource(name, {
    schema: z.object({
      id: z.string(),
      device: z.string(),
      at: z.number(),
      price: decimal().nullable(),
      level: z.number().nullable(),
      colour: z.string().nullable(),
      on: z.boolean().nullable(),
      spot: vector(2).nullish(),
    }),
    id: "id",
    eventTime: "at",
    accept: [apiKey()],
  });

/** The source of random tests: exact and floating numbers, text, flags, and nulls. */
export const readings = readingSource("readings");

/** Another source of the same shape. */
export const corrections = readingSource("corrections");

export const device = entity("device", { key: "device" });

const NUMERIC = ["price", "level"] as const;
const SCALAR = [...NUMERIC, "colour", "on"] as const;
const numericField = fc.constantFrom(...NUMERIC);
const scalarField = fc.constantFrom(...SCALAR);
const fewOf = fc.integer({ min: 1, max: 4 });
const halfLife = fc.constantFrom<Duration>("1m", "1h", "1d", "30d");

const numericFeature = fc
  .tuple(fc.constantFrom(sum, mean, min, max, varPop, varSamp, stddevPop, stddevSamp), numericField)
  .map(([aggregate, field]) => aggregate(field) as Aggregation);
const edgeFeature = fc
  .tuple(fc.constantFrom(first, last), scalarField)
  .map(([edge, field]) => edge(field) as Aggregation);
const listFeature = fc.oneof(
  fc
    .tuple(fc.constantFrom(firstN, lastN), scalarField, fewOf)
    .map(([list, field, n]) => list(field, n) as Aggregation),
  fc.tuple(numericField, fewOf).map(([field, n]) => topN(field, n) as Aggregation),
);
const sketchFeature = fc.oneof(
  fc
    .tuple(scalarField, fewOf)
    .map(([field, bound]) => countDistinct(field, { max: bound }) as Aggregation),
  fc
    .tuple(scalarField, fc.constantFrom(4, 7, 11))
    .map(([field, precision]) => approxCountDistinct(field, { precision }) as Aggregation),
  fc
    .tuple(numericField, fc.constantFrom(0, 0.5, 0.95, 1), fc.constantFrom(0.01, 0.05))
    .map(([field, p, accuracy]) => approxPercentile(field, p, { accuracy }) as Aggregation),
  fc
    .tuple(fc.constant("level" as const), halfLife)
    .map(([field, half]) => expDecaySum(field, half) as Aggregation),
  fc.constant(vectorMean("spot") as Aggregation),
);

const anyFeature: fc.Arbitrary<Aggregation> = fc.oneof(
  fc.constant(count() as Aggregation),
  numericFeature,
  edgeFeature,
  listFeature,
  sketchFeature,
);

/** Under a condition, or split by a field, or both. */
const conditioned = (feature: fc.Arbitrary<Aggregation>): fc.Arbitrary<Aggregation> =>
  fc
    .tuple(
      feature,
      fc.option(fc.constantFrom("red", "blue")),
      fc.option(fc.boolean()),
      fc.option(fc.constantFrom<readonly string[]>(["red"], ["blue", "red"]), { freq: 3 }),
    )
    .map(([base, colour, on, keys]) => {
      const byColour = colour === null ? base : base.where({ colour });
      const byFlag = on === null ? byColour : byColour.where({ on });
      return keys === null ? byFlag : byFlag.by("colour", { keys });
    });

const LENGTHS: readonly Duration[] = ["12s", "5m", "1h", "6h", "1d", "7d", "30d"];

/** Windows whose hop is a common tile size, divides one, or is like none. */
const HOPPING: readonly Window[] = [
  hopping("1m", "5s"),
  hopping("10m", "15s"),
  hopping("63m", "7m"),
  hopping("1h", "20m"),
  hopping("1d", "2h"),
  hopping("7d", "1h"),
  hopping("30d", "3d"),
  tumbling("5m"),
  tumbling("1h"),
  tumbling("1d"),
  tumbling("10d"),
];

export const WINDOWS: readonly Window[] = [...LENGTHS.map(sawtooth), ...HOPPING];

/** Up to five random features by name. */
export const anyFeatures: fc.Arbitrary<Record<string, never>> = fc
  .array(fc.tuple(conditioned(anyFeature), fc.option(fc.constantFrom(...WINDOWS))), {
    minLength: 1,
    maxLength: 5,
    size: "max",
  })
  .map((features) => {
    const named = features.map(([feature, window], i) => [
      `f${i}`,
      window === null ? feature : feature.over(window),
    ]);
    return Object.fromEntries(named) as Record<string, never>;
  });

/** A random view of up to five features. */
export const anyView: fc.Arbitrary<ViewPlan> = anyFeatures.map((features) =>
  compileView(featureView("random", { entity: device, source: readings, features })),
);

const component = fc.constantFrom("0.1", "-3", "1e-7", "12345.678");

/** A random event of one device, at `spreadMs` around `base`. */
export const anyEvent = (
  base: number,
  spreadMs: number,
): fc.Arbitrary<Omit<OracleEvent, "order">> =>
  fc.record({
    time: fc.integer({ min: base - spreadMs, max: base }),
    fields: fc.record({
      price: fc.option(
        fc.oneof(
          fc.integer({ min: -100_000, max: 100_000 }).map((cents) => String(cents / 100)),
          fc.constantFrom("99999999999999999999999999999999999.25", "-0.000000000000000001"),
        ),
      ),
      level: fc.option(
        fc.oneof(fc.integer({ min: -50, max: 50 }), fc.constantFrom(0.1, 1e15, -2.5e-7)),
      ),
      colour: fc.option(fc.constantFrom("red", "blue", "ぶどう色")),
      on: fc.option(fc.boolean()),
      spot: fc.option(fc.tuple(component, component)),
    }),
  });

const numeric = (value: PlainValue | null): string | null =>
  value === null ? null : exactToText(exactOf(String(value)));

/** The event as the log would keep it. */
export function toLogEvent(
  event: OracleEvent,
  device_: string,
  tenant = "t",
  source: string = readings.name,
): LogEvent {
  const { price = null, level = null, colour = null, on = null, spot = null } = event.fields;
  const body = recordToText({
    id: event.order,
    device: device_,
    at: String(event.time),
    price: numeric(price),
    level: numeric(level),
    colour: colour as string | null,
    on: on as boolean | null,
    spot: spot === null ? null : (spot as readonly string[]).map((one) => numeric(one) ?? ""),
  });
  return {
    tenant,
    source,
    eventId: event.order,
    eventTime: event.time,
    originalEventTime: null,
    ingestTime: event.time + 1_000,
    orderKey: event.order,
    sign: 1,
    body,
    bodyHash: "0".repeat(32),
    knownAt: null,
  };
}

/** The compiled view's features as the oracle understands them; `decimals` come as text. */
export function oracleFeatures(
  plan: ViewPlan,
  decimals: readonly string[] = ["price"],
): readonly OracleFeature[] {
  const spec = JSON.parse(plan.spec) as {
    features: {
      aggregate: OracleFeature["aggregate"];
      parameters?: OracleFeature["parameters"];
      field: string | null;
      where: { field: string; values: (string | boolean)[] }[];
      by?: NonNullable<OracleFeature["by"]>;
      window: Window;
    }[];
  };
  return spec.features.map(({ aggregate, parameters = {}, field, where, by = null, window }) => ({
    aggregate,
    parameters,
    field,
    where: Object.fromEntries(where.map((one) => [one.field, one.values])),
    by,
    window,
    asText: field !== null && decimals.includes(field),
  }));
}
