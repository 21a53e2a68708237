import fc from "fast-check";
import { z } from "zod";
import { compileView } from "../../src/features/compile-view.ts";
import { featureView } from "../../src/features/define.ts";
import { apiKey, tableSource } from "../../src/features/define-source.ts";
import type { LogEvent } from "../../src/features/event-log.ts";
import { decimal, vector } from "../../src/features/fields.ts";
import type { ViewPlan } from "../../src/features/plan.ts";
import { changeId, changeOrder, retractionId } from "../../src/features/row-events.ts";
import type { Duration } from "../../src/time.ts";
import type { OracleEvent } from "./oracle.ts";
import { anyEvent, anyFeatures, device, toLogEvent } from "./views.ts";

/** The rows of a table of readings, which may change in every column but their id. */
export const rows = tableSource("rows", {
  schema: z.object({
    id: z.string(),
    device: z.string().nullable(),
    at: z.number(),
    price: decimal().nullable(),
    level: z.number().nullable(),
    colour: z.string().nullable(),
    on: z.boolean().nullable(),
    spot: vector(2).nullish(),
  }),
  key: "id",
  eventTime: "at",
  accept: [apiKey()],
});

/** A random view of the rows: of every aggregate, window and condition, with a maxAge or not. */
export const anyRowView: fc.Arbitrary<ViewPlan> = fc
  .tuple(
    anyFeatures,
    fc.option(fc.constantFrom<Duration>("1m", "1h", "2d"), { freq: 2 }),
    fc.constantFrom("exclusive" as const, "inclusive" as const),
  )
  .map(([features, maxAge, boundary]) =>
    compileView(
      featureView("changed", {
        entity: device,
        source: rows,
        features,
        boundary,
        ...(maxAge !== null && { maxAge }),
      }),
    ),
  );

/** What a row is after one of its changes. */
export interface RowImage extends OracleEvent {
  readonly device: string | null;
}

/** What becomes of a row: another image, or null where it is deleted. */
interface RowStep {
  readonly row: string;
  readonly image: Omit<RowImage, "order"> | null;
  /** How much later than the change before it was known, or earlier where it was imported. */
  readonly lag: number;
}

/** A signed event as it was given to one entity, and the row image that it adds or takes back. */
export interface RowEvent {
  readonly event: LogEvent;
  readonly device: string;
  readonly image: RowImage;
  readonly knownAt: number;
}

const MINUTE = 60_000;
const DAY = 86_400_000;
const COLUMNS = ["price", "level", "colour", "on", "spot"] as const;

const anyImage = (base: number, spread: number): fc.Arbitrary<Omit<RowImage, "order">> =>
  fc
    .tuple(
      anyEvent(base, spread),
      fc.constantFrom("d1", "d1", "d1", "d2", null),
      fc.option(fc.constantFrom(base, base - MINUTE, base - spread)),
    )
    .map(([event, ofDevice, time]) => ({
      ...event,
      time: time ?? event.time,
      device: ofDevice,
    }));

const anyStep = (base: number, spread: number): fc.Arbitrary<readonly RowStep[]> =>
  fc.array(anyImage(base, spread), { minLength: 3, maxLength: 5 }).chain((pool) =>
    fc.array(
      fc
        .tuple(
          fc.constantFrom("r1", "r2", "r3", "r4"),
          fc.option(fc.constantFrom(...pool), { freq: 5 }),
          fc.constantFrom(...pool),
          fc.subarray([...COLUMNS, "time", "device"]),
          fc.oneof(
            { weight: 6, arbitrary: fc.integer({ min: 0, max: 90_000 }) },
            { weight: 1, arbitrary: fc.integer({ min: -spread, max: spread }) },
          ),
        )
        .map(([row, image, other, columns, lag]): RowStep => {
          if (image === null) return { row, image, lag };
          const patched = COLUMNS.map((name) => {
            const from = columns.includes(name) ? other : image;
            return [name, from.fields[name] ?? null];
          });
          return {
            row,
            lag,
            image: {
              time: columns.includes("time") ? other.time : image.time,
              device: columns.includes("device") ? other.device : image.device,
              fields: Object.fromEntries(patched) as RowImage["fields"],
            },
          };
        }),
      { minLength: 1, maxLength: 24, size: "max" },
    ),
  );

/** The event that adds an image (+1), or takes it back because of a change (−1). */
export function rowEvent(
  image: RowImage,
  sign: 1 | -1,
  change: number,
  isDelete = false,
): LogEvent {
  const event = toLogEvent(image, image.device ?? "", "t", rows.name);
  const order = changeOrder(`o${String(change).padStart(4, "0")}`, isDelete);
  const row = { key: image.order, order };
  const eventId = sign === 1 ? changeId(row) : retractionId(row);
  return { ...event, sign, eventId, ingestTime: 1_000 + change };
}

/** The signed events of random changes of a few rows, in the order in which they came. */
export const anyRowEvents = (base: number): fc.Arbitrary<readonly RowEvent[]> =>
  fc
    .constantFrom(MINUTE, DAY, 45 * DAY)
    .chain((spread) => anyStep(base, spread))
    .map((steps) => {
      const images = new Map<string, RowImage>();
      const events: RowEvent[] = [];
      let clock = base;
      for (const [n, { row, image, lag }] of steps.entries()) {
        const before = images.get(row);
        const after = image === null ? null : { ...image, order: row };
        clock = Math.max(clock, clock + lag);
        const knownAt = lag < 0 ? clock + lag : clock;
        const give = (of: RowImage | null | undefined, sign: 1 | -1): void => {
          if (of === undefined || of === null || of.device === null) return;
          const event = rowEvent(of, sign, n, image === null);
          events.push({ event, device: of.device, image: of, knownAt });
        };
        give(before, -1);
        give(after, 1);
        if (after === null) images.delete(row);
        else images.set(row, after);
      }
      return events;
    });
