import fc from "fast-check";
import type { LogEvent } from "../../src/features/event-log.ts";
import type { OnlineStore } from "../../src/features/online-store.ts";
import { readOnline, type AnsweredRead } from "../../src/features/read-online.ts";
import type { Registry } from "../../src/features/registry.ts";
import type { ServedAnswer } from "../../src/features/served-answers.ts";
import { DAY_MS } from "../../src/time.ts";
import { anyScript, BASE, NOW, type Bystander, type Script } from "./play.ts";
import { logEventOf, vault, type Reading } from "./write-path.ts";

/** A logged answer of which a test names only what matters to it. */
export const loggedAnswer = (fields: Partial<ServedAnswer> = {}): ServedAnswer => ({
  tenant: "t",
  id: "ans_0",
  service: null,
  view: "by_device",
  entity: "device",
  key: "d",
  version: "1.1",
  asOf: BASE,
  servedAt: BASE,
  features: ["n"],
  values: [1],
  statuses: ["PRESENT"],
  capped: [],
  ...fields,
});

/** A history to be played: what is delivered how, and how the log is to have each reading. */
export interface Played {
  readonly script: Script;
  readonly eventOf: (reading: Reading, tenant: string) => LogEvent;
}

/** Events that come late, twice and in any order; imports among them say when they were known. */
export const lateEvents: fc.Arbitrary<Played> = fc
  .tuple(
    anyScript,
    fc.array(fc.option(fc.integer({ min: -DAY_MS, max: 3 * DAY_MS })), {
      minLength: 14,
      maxLength: 14,
    }),
  )
  .map(([script, lags]) => {
    const lagOf = new Map(script.readings.map(({ order }, i) => [order, lags[i] ?? null]));
    return {
      script,
      eventOf(reading, tenant) {
        const lag = lagOf.get(reading.order) ?? null;
        return {
          ...logEventOf(reading, tenant),
          knownAt: lag === null ? null : reading.time + lag,
        };
      },
    };
  });

/** What a reader asks for, and by which clock. */
export interface Question {
  readonly features: readonly string[];
  readonly entities: readonly Readonly<Record<string, string>>[];
  readonly now: number;
}

const KEYS = ["d1", "d2", "d3", "red", "blue", "nobody"];

/** Questions about the views of write-path.ts: one view, some features, or two at once. */
export const anyQuestions: fc.Arbitrary<readonly Question[]> = fc.array(
  fc.record({
    features: fc.constantFrom<readonly string[]>(
      ["by_device"],
      ["by_colour"],
      ["corrected"],
      ["by_device:newest", "corrected", "by_device:colours"],
      ["by_colour:total", "by_device:by_colour"],
    ),
    entities: fc
      .subarray(KEYS, { minLength: 1 })
      .map((keys) => keys.map((key) => ({ device: key, colour: key }))),
    now: fc.integer({ min: BASE - 11 * DAY_MS, max: NOW }),
  }),
  { minLength: 2, maxLength: 8 },
);

/** Asks one question after the other while consumers work. */
export const reader =
  (
    { registry, online, tenant }: { registry: Registry; online: OnlineStore; tenant: string },
    questions: readonly Question[],
    answered: (read: AnsweredRead) => void,
  ): Bystander =>
  async (interleaving, id) => {
    const death = Promise.withResolvers<void>();
    const port = interleaving.port(id, online, () => death.resolve());
    const read = async (): Promise<void> => {
      for (const { now, ...asked } of questions) {
        const ctx = { registry, online: port, vault, now: () => now, answered } as const;
        try {
          await readOnline({ ...ctx, whenIncomplete: "unavailable" }, { tenant, ...asked });
        } catch {
          // The script took the store down for this read.
        }
      }
    };
    await Promise.race([read(), death.promise]);
  };
