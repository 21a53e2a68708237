import { setTimeout } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answerFrom, planRead } from "../../src/features/assemble.ts";
import { buildView, stateOfHistory } from "../../src/features/build-view.ts";
import type { PageLimits } from "../../src/features/definition-store.ts";
import type { LogEvent } from "../../src/features/event-log.ts";
import type { ViewPlan } from "../../src/features/plan.ts";
import { openState } from "../../src/features/state.ts";
import { anyRowEvents, anyRowView, type RowEvent } from "../support/changed-rows.ts";
import { GrowingLog, watchBuilding } from "../support/growing-log.ts";
import { isAnswer, type OracleEvent } from "../support/oracle.ts";
import { netImages, wrongOf } from "../support/row-oracle.ts";
import { anyOrder, shuffled } from "../support/shuffle.ts";
import { truths, type Truth } from "../support/stores.ts";
import { anyEvent, anyView, oracleFeatures, toLogEvent } from "../support/views.ts";
import { readingEvent } from "../support/world.ts";
import { registry } from "../support/write-path.ts";

const BASE = Date.UTC(2026, 5, 15, 13, 37, 11, 123);
const DAY = 86_400_000;

const anyLimits: fc.Arbitrary<PageLimits> = fc.record({
  entities: fc.integer({ min: 1, max: 3 }),
  events: fc.integer({ min: 1, max: 7 }),
  bytes: fc.constantFrom(1, 200, 1_000, 100_000),
});

/** An event that one entity is given, and what an oracle knows of it. */
interface Given<T> {
  readonly key: string;
  readonly event: LogEvent;
  readonly known: T;
}

interface Script<T> {
  readonly plan: ViewPlan;
  /** In the log before it is built; then what comes while it is built. */
  readonly past: readonly Given<T>[];
  readonly live: readonly Given<T>[];
  readonly limits: PageLimits;
  /** How many live events are committed before each call. */
  readonly before: readonly number[];
}

describe.each(truths())("a view that is built page by page %s", (where, open) => {
  let truth: Truth;
  beforeAll(async () => void (truth = await open()));
  afterAll(() => truth.close());
  // Of a few runs it may be none.
  const leastLost = where === "in memory" ? 15 : 0;
  const numRuns = where === "in memory" ? 300 : 25;

  /** Builds while events come between any two calls; gives each state and its history to `check`. */
  async function play<T>(
    { plan: drawn, past, live, limits, before }: Script<T>,
    check: (history: readonly T[], bytes: string) => void,
  ): Promise<readonly string[]> {
    const log = new GrowingLog(truth);
    const plan = { ...drawn, entity: log.entity };
    const known = new Map<string, T[]>();
    const commit = async (all: readonly Given<T>[]): Promise<void> => {
      for (const key of new Set(all.map((one) => one.key))) {
        const own = all.filter((one) => one.key === key);
        await log.commit(
          key,
          own.map(({ event }) => event),
        );
        known.set(key, [...(known.get(key) ?? []), ...own.map((one) => one.known)]);
      }
    };
    await commit(past);
    const waiting = [...live];
    let call = 0;
    const watched = watchBuilding(truth.definitionStore, async () => {
      const count = before[call++ % before.length] ?? 0;
      if (waiting.length > 0) await commit(waiting.splice(0, count));
    });
    const entities = await buildView(watched.ctx, plan, limits);

    const built = [...known.keys()].filter((key) =>
      watched.stored.some((state) => state.key === key),
    );
    expect(entities).toBe(built.length);
    for (const key of new Set(past.map((one) => one.key))) expect(built).toContain(key);
    const online = watched.online.flatMap((writes) => writes.split(" "));
    expect(online).toEqual(watched.stored.map(({ key, version }) => `${key}@${version}`));
    for (const { key, version, bytes } of watched.stored) {
      const events = (log.events.get(key) ?? []).slice(0, version);
      expect(bytes).toBe(stateOfHistory(plan, { ...log.ref(key), version, events }));
      check((known.get(key) ?? []).slice(0, version), bytes);
    }
    return watched.calls;
  }

  const anyBefore = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 12 });
  /** Whether a build lost an entity to a commit: in a fifth of them, about. */
  const lostIn = (calls: readonly string[]): number =>
    calls.some((call) => /^putBuiltStates .*-/.test(call)) ? 1 : 0;
  const anyLags = fc.array(fc.integer({ min: 0, max: 40 * DAY }), { maxLength: 2 });
  const instants = (bytes: string, lags: readonly number[]): readonly number[] => {
    const { horizon } = openState(bytes);
    return [0, ...lags].map((lag) => (horizon ?? 0) + 1 + lag);
  };

  it("has the states of the whole histories, whatever comes between any two pages", async () => {
    const anyReading = fc.tuple(anyEvent(BASE, 10 * DAY), fc.constantFrom("d1", "d2"));
    let lost = 0;
    await fc.assert(
      fc.asyncProperty(
        anyView,
        fc.array(anyReading, { minLength: 1, maxLength: 24, size: "max" }),
        fc.nat({ max: 12 }),
        anyLimits,
        anyBefore,
        anyLags,
        async (plan, readings, cut, limits, before, lags) => {
          const all = readings.map(([reading, key], i): Given<OracleEvent> => {
            const known = { ...reading, order: `e${i}` };
            return { key, event: toLogEvent(known, key), known };
          });
          const parts = { past: all.slice(0, cut), live: all.slice(cut) };
          const calls = await play({ plan, ...parts, limits, before }, (events, bytes) => {
            for (const asOf of instants(bytes, lags)) {
              const { values } = answerFrom(planRead(plan, asOf), openState(bytes));
              for (const [i, feature] of oracleFeatures(plan).entries()) {
                expect(isAnswer(feature, events, asOf, values[i] as never)).toBe(true);
              }
            }
          });
          lost += lostIn(calls);
        },
      ),
      { numRuns },
    );
    expect(lost).toBeGreaterThanOrEqual(leastLost);
  }, 60_000);

  it("has them so too of rows that change, in whatever order the log has their changes", async () => {
    let lost = 0;
    await fc.assert(
      fc.asyncProperty(
        anyRowView,
        anyRowEvents(BASE),
        fc.nat({ max: 12 }),
        fc.option(anyOrder),
        anyLimits,
        anyBefore,
        anyLags,
        async (plan, events, cut, order, limits, before, lags) => {
          const all = events.map((known): Given<RowEvent> => ({
            key: known.device,
            event: known.event,
            known,
          }));
          const past = order === null ? all.slice(0, cut) : shuffled(all.slice(0, cut), order);
          const script = { plan, past, live: all.slice(cut), limits, before };
          const calls = await play(script, (history, bytes) => {
            const images = netImages(history);
            // Of two images of a row at one time nothing says which is the later one.
            const places = new Set(images.map(({ time, order: place }) => `${time} ${place}`));
            if (places.size < images.length || images.length === 0) return;
            for (const asOf of instants(bytes, lags)) {
              const answer = answerFrom(planRead(plan, asOf), openState(bytes));
              expect(wrongOf(plan, images, asOf, answer)).toEqual([]);
            }
          });
          lost += lostIn(calls);
        },
      ),
      { numRuns },
    );
    expect(lost).toBeGreaterThanOrEqual(leastLost);
  }, 60_000);

  it("catches an entity that moves fifty times a second", async () => {
    const log = new GrowingLog(truth);
    const plan = { ...(registry.views.get("by_device") as ViewPlan), entity: log.entity };
    let n = 0;
    const readings = (times: number): readonly LogEvent[] =>
      Array.from({ length: times }, () => readingEvent(`e${(n += 1)}`, { device: "hot" }));
    await log.commit("hot", readings(1_500));
    const built = new AbortController();
    const write = async (): Promise<void> => {
      while (!built.signal.aborted) {
        await log.commit("hot", readings(1));
        await setTimeout(20);
      }
    };
    const watched = watchBuilding(truth.definitionStore);
    const build = async (): Promise<void> => {
      await buildView(watched.ctx, plan, { entities: 500, events: 100, bytes: 1_000_000 });
      built.abort();
    };
    await Promise.all([write(), build()]);
    const [state, ...others] = watched.stored;
    const version = state?.version ?? 0;
    const events = (log.events.get("hot") ?? []).slice(0, version);
    expect(others).toEqual([]);
    expect(events).toHaveLength(version);
    expect(version).toBeGreaterThanOrEqual(1_500);
    expect(state?.bytes).toBe(stateOfHistory(plan, { ...log.ref("hot"), version, events }));
  }, 30_000);
});
