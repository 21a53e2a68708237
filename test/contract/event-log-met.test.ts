import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EntityRef, LogEvent } from "../../src/features/event-log.ts";
import type { MetAnswer, MetEvent, MetQuery } from "../../src/features/met-events.ts";
import { naiveMet } from "../support/fakes/naive-met.ts";
import { foldOf, look, refs } from "../support/event-log-calls.ts";
import { logEvent, newTenant } from "../support/log-events.ts";
import { truths, type Truth } from "../support/stores.ts";

const meeting = (tenant: string, key: string): EntityRef => ({ tenant, entity: "pairs@1", key });

/** Keys that sort otherwise by code units than by bytes. */
const KEYS = ["b", "a", "\uFF71", "\u{1F600}", "é"];

/** Some are committed in the millisecond of their ingest. */
const NOW = 50;
const INGESTED = 50;

interface Given {
  readonly side: "left" | "right";
  readonly time: number;
  readonly known: number | null;
  /** Known time of what is given to the entity only after it came, which then counts. */
  readonly past: number | null;
  readonly body: string;
}

const anyGiven: fc.Arbitrary<Given> = fc.record({
  side: fc.constantFrom("left", "left", "right"),
  time: fc.nat(12),
  known: fc.oneof(fc.constant(null), fc.nat(20)),
  // The moments of ingest and commit among them.
  past: fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, fc.constantFrom(7, INGESTED, NOW)),
  body: fc.constantFrom('{"n":"1"}', '{"n":"é"}', JSON.stringify({ n: "x".repeat(90) })),
});

const eventOf = ({ tenant, key }: EntityRef, given: Given, i: number): LogEvent => {
  const { side, time, known, body } = given;
  return logEvent(tenant, `${key}-${i}`, {
    source: side === "left" ? "clicks" : "orders",
    eventTime: time,
    ingestTime: INGESTED,
    orderKey: `${KEYS[(i * 7) % 5]}${(i * 11) % 13}`,
    knownAt: known,
    body,
  });
};

const some = fc.integer({ min: 1, max: 6 });
const anyTime = fc.integer({ min: -2, max: 14 });

const anyQuery = (upTo: number): fc.Arbitrary<Omit<MetQuery, keyof EntityRef>> =>
  fc.record({
    upTo: fc.integer({ min: upTo - 2, max: upTo + 1 }),
    left: fc.constant("clicks"),
    right: fc.constant("orders"),
    withinMs: fc.integer({ min: 1, max: 9 }),
    fanOut: fc.integer({ min: 1, max: 3 }),
    spans: fc.array(anyTime, { maxLength: 3 }).chain((times) => {
      const own = [...new Set(times)].toSorted((a, b) => a - b);
      return fc.tuple(
        ...own.map((time, i) =>
          fc.record({
            after: fc.constant(time),
            afterKey: fc.constantFrom(null, "a11", "b3", "\uFF711"),
            from: fc.integer({ min: time, max: time + 1 }),
            fromVersion: fc.constantFrom(-1, -1, 4, 9),
            before: fc.integer({ min: time + 1, max: own[i + 1] ?? 20 }),
            changedFrom: fc.constantFrom(-1, 4, 12, 99),
            knownBefore: fc.constantFrom(Number.MAX_SAFE_INTEGER, 12),
            counted: some,
          }),
        ),
      );
    }),
    starts: fc.array(
      fc.record({
        time: anyTime,
        orderKey: fc.oneof(fc.constant(null), fc.constantFrom("a11", "b", "b3", "\u{1F600}9")),
        low: fc.integer({ min: -3, max: 9 }),
      }),
      { maxLength: 4 },
    ),
    knownBefore: fc.constantFrom(Number.MAX_SAFE_INTEGER, 5, 15),
    most: fc.record({
      rights: fc.constantFrom(1, 2, 3, 99),
      perStart: fc.constantFrom(1, 2, 3, 99),
      lefts: fc.constantFrom(1, 3, 5, 99),
      bytes: fc.constantFrom(1, 150, 1e6),
    }),
  });

const plain = ({ rights, lefts, ...answer }: MetAnswer) => ({
  ...answer,
  rights: rights.map(({ version }) => version),
  lefts: lefts.map(({ version }) => version),
});

describe.each(truths())("what met in a join %s", (where, open) => {
  let truth: Truth;
  beforeAll(async () => void (truth = await open()));
  afterAll(() => truth.close());

  /** Folds events into an entity, and answers them as the log has them. */
  async function meet(ref: EntityRef, given: readonly Given[]): Promise<readonly MetEvent[]> {
    const events = given.map((one, i) => eventOf(ref, one, i));
    const log = truth.eventLog;
    const pastOf = (i: number): number | null => given[i]?.past ?? null;
    const contributions = events.flatMap((_, event) =>
      pastOf(event) === null ? [{ ...ref, event }] : [],
    );
    await log.append({ events, contributions, touched: [], stateIds: [], now: NOW });
    const late = events.flatMap((event, i) => (pastOf(i) === null ? [] : [{ event, i }]));
    const missed = late.map(({ event: { source, eventId }, i }) => ({
      ...ref,
      source,
      eventId,
      knownAt: pastOf(i),
    }));
    expect(await truth.definitionStore.addContributions(missed, NOW)).toBe(late.length);
    const fold = foldOf(await look(log, ref), { states: [], derived: [] });
    const folded = refs(events);
    expect(await log.commit([{ ...fold, folded }], NOW)).toEqual({ won: [true] });
    return events.map((event, i) => {
      const said = pastOf(i) ?? event.knownAt;
      return { event, version: i + 1, loggedAt: said ?? NOW, isLive: said === null };
    });
  }

  it("is found as the query says, of several logs at once", async () => {
    const anyLog = fc
      .array(anyGiven, { minLength: 1, maxLength: 25, size: "max" })
      .chain((given) => fc.tuple(fc.constant(given), anyQuery(given.length), anyQuery(3)));
    const numRuns = where === "in memory" ? 100 : 60;
    await fc.assert(
      fc.asyncProperty(anyLog, anyLog, async (...logs) => {
        const tenant = newTenant();
        const asked: [MetQuery, readonly MetEvent[]][] = [];
        for (const [i, [given, ...queries]] of logs.entries()) {
          const ref = meeting(tenant, `k${i}`);
          const log = await meet(ref, given);
          for (const query of queries) asked.push([{ ...query, ...ref }, log]);
        }
        const answers = await truth.eventLog.readMet(asked.map(([query]) => query));
        const expected = asked.map(([query, log]) => naiveMet(query, log));
        expect(answers.map(plain)).toEqual(expected.map(plain));
        expect(answers).toEqual(expected);
      }),
      { numRuns },
    );
  });
});
