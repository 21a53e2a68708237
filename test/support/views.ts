import fc from "fast-check";
import { z } from "zod";
import { count, first, last, max, mean, min, sum } from "../../src/features/aggregation.ts";
import type { Aggregation } from "../../src/features/aggregation.ts";
import { compileView } from "../../src/features/compile-view.ts";
import { apiKey, entity, eventSource, featureView } from "../../src/features/define.ts";
import type { LogEvent } from "../../src/features/event-log.ts";
import { exactOf, exactToText } from "../../src/features/exact.ts";
import { decimal } from "../../src/features/fields.ts";
import { recordToText } from "../../src/features/source-record.ts";
import type { ViewPlan } from "../../src/features/plan.ts";
import { type Duration, durationMs } from "../../src/time.ts";
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
const numericAggregates = { sum, mean, min, max };

const numericFeature = fc
  .tuple(fc.constantFrom("sum", "mean", "min", "max"), fc.constantFrom(...NUMERIC))
  .map(([aggregate, field]) => numericAggregates[aggregate](field));
const edgeFeature = fc
  .tuple(fc.constantFrom(first, last), fc.constantFrom("price", "level", "colour", "on"))
  .map(([edge, field]) => edge(field));

const conditioned = (feature: fc.Arbitrary<Aggregation>): fc.Arbitrary<Aggregation> =>
  fc
    .tuple(feature, fc.option(fc.constantFrom("red", "blue")), fc.option(fc.boolean()))
    .map(([base, colour, on]) => {
      const byColour = colour === null ? base : base.where({ colour });
      return on === null ? byColour : byColour.where({ on });
    });

export const WINDOWS: readonly Duration[] = ["12s", "5m", "1h", "6h", "1d", "7d", "30d"];

/** A random view of up to five features. */
export const anyView: fc.Arbitrary<ViewPlan> = fc
  .array(
    fc.tuple(
      conditioned(fc.oneof(fc.constant(count() as Aggregation), numericFeature, edgeFeature)),
      fc.option(fc.constantFrom(...WINDOWS)),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((features) => {
    const named = features.map(([feature, window], i) => [
      `f${i}`,
      window === null ? feature : feature.over(window),
    ]);
    const view = featureView("random", {
      entity: device,
      source: readings,
      features: Object.fromEntries(named) as Record<string, never>,
    });
    return compileView(view);
  });

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
    }),
  });

const numeric = (value: string | number | boolean | null) =>
  value === null || typeof value === "boolean" ? value : exactToText(exactOf(String(value)));

/** The event as the log would keep it. */
export function toLogEvent(
  event: OracleEvent,
  device_: string,
  tenant = "t",
  source: string = readings.name,
): LogEvent {
  const { price = null, level = null, colour = null, on = null } = event.fields;
  const body = recordToText({
    id: event.order,
    device: device_,
    at: String(event.time),
    price: numeric(price),
    level: numeric(level),
    colour: colour as string | null,
    on: on as boolean | null,
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

/** The compiled view's features as the oracle understands them. */
export function oracleFeatures(plan: ViewPlan): readonly OracleFeature[] {
  const spec = JSON.parse(plan.spec) as {
    features: {
      aggregate: OracleFeature["aggregate"];
      field: string | null;
      where: { field: string; values: (string | boolean)[] }[];
      window: { kind: string; lengthMs?: number };
    }[];
  };
  return spec.features.map(({ aggregate, field, where, window }) => ({
    aggregate,
    field,
    where: Object.fromEntries(where.map((one) => [one.field, one.values])),
    lengthMs: window.lengthMs ?? null,
    asText: field === "price",
  }));
}

export const longestWindowMs = Math.max(...WINDOWS.map((window) => durationMs(window)));
