import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readHistory, type ReadHistoryContext } from "../../src/features/read-history.ts";
import type { StateReader } from "../../src/features/online-store.ts";
import type { OnlineAnswer } from "../../src/features/read-online.ts";
import { sweep } from "../../src/ingest/sweep.ts";
import { DAY_MS } from "../../src/time.ts";
import { newTenant } from "../support/log-events.ts";
import {
  anyScript,
  applyAll,
  BASE,
  drain,
  NOW,
  openPorts,
  play,
  type Bystander,
} from "../support/play.ts";
import { truths, type Truth } from "../support/stores.ts";
import {
  consumerOf,
  expectedValues,
  logEventOf,
  readView,
  registry,
  vault,
  type Reading,
  type ViewName,
} from "../support/write-path.ts";

const VIEWS: readonly ViewName[] = ["by_device", "by_colour", "corrected"];
const KEYS = ["d1", "d2", "d3", "red", "blue", "nobody"];

const keyColumn = (view: ViewName): string => (view === "by_colour" ? "colour" : "device");

/** What was answered online, of one view at one moment. */
interface Heard {
  readonly view: ViewName;
  readonly answer: OnlineAnswer;
}

/** Reads every view again and again while consumers work, and notes what it is answered. */
const listener =
  (online: StateReader, tenant: string, instants: readonly number[], heard: Heard[]): Bystander =>
  async (interleaving, id) => {
    const death = Promise.withResolvers<void>();
    const port = interleaving.port(id, online, () => death.resolve());
    const listen = async (): Promise<void> => {
      for (const [i, now] of instants.entries()) {
        const view = VIEWS[i % VIEWS.length] as ViewName;
        try {
          heard.push({ view, answer: await readView(port, tenant, view, KEYS, now) });
        } catch {
          // The script took the store down for this read.
        }
      }
    };
    await Promise.race([listen(), death.promise]);
  };

/** How late each reading says that it was known, relative to its time; null: by its commit. */
const anyLags = fc.array(fc.option(fc.integer({ min: -DAY_MS, max: 3 * DAY_MS })), {
  minLength: 14,
  maxLength: 14,
});
const anyInstants = fc.array(fc.integer({ min: BASE - 11 * DAY_MS, max: NOW }), {
  minLength: 3,
  maxLength: 9,
});

for (const [where, openTruth] of truths()) {
  describe(`history ${where}`, () => {
    let truth: Truth;
    beforeAll(async () => void (truth = await openTruth()));
    afterAll(() => truth.close());

    const contextOf = (): ReadHistoryContext => ({
      registry,
      vault,
      history: truth.historyLog,
      definitions: truth.definitionStore,
      now: () => NOW + 2 * DAY_MS,
    });

    /** Plays a script with imports and a listener to its end. */
    async function played(
      script: typeof anyScript extends fc.Arbitrary<infer S> ? S : never,
      lags: readonly (number | null)[],
      instants: readonly number[],
    ) {
      const tenant = newTenant();
      const ports = openPorts(truth, tenant);
      await applyAll(truth, ports, tenant);
      const heard: Heard[] = [];
      const known = new Map(
        script.readings.map((reading, i) => [
          reading.order,
          lags[i] === null || lags[i] === undefined ? null : reading.time + lags[i],
        ]),
      );
      await play(ports, tenant, script, {
        eventOf: (reading: Reading) => ({
          ...logEventOf(reading, tenant),
          knownAt: known.get(reading.order) ?? null,
        }),
        // Online, and as the truth answers where the online store cannot.
        bystanders: [ports.online, truth.storedStates].map((reader) =>
          listener(reader, tenant, instants, heard),
        ),
      });
      await sweep(consumerOf(ports, () => NOW + DAY_MS));
      await drain(ports, NOW);
      return { tenant, heard };
    }

    it("gives what was answered online, for every answer given while consumers worked", async () => {
      let compared = 0;
      await fc.assert(
        fc.asyncProperty(anyScript, anyLags, anyInstants, async (script, lags, instants) => {
          const { tenant, heard } = await played(script, lags, instants);
          for (const { view, answer } of heard) {
            const rows = answer.results.map(({ entity, version }) => ({
              entity,
              version,
              at: answer.asOf,
            }));
            const again = await readHistory(contextOf(), { tenant, features: [view], rows });
            expect(again.names).toEqual(answer.names);
            for (const [i, { values, statuses, capped }] of answer.results.entries()) {
              expect(again.rows[i]).toEqual({ values, statuses, capped });
              compared += 1;
            }
          }
        }),
        { numRuns: where === "in memory" ? 150 : 30 },
      );
      expect(compared).toBeGreaterThan(200);
    }, 60_000);

    it("gives what the definition says, of what was known at any time", async () => {
      await fc.assert(
        fc.asyncProperty(
          anyScript,
          anyLags,
          fc.array(fc.tuple(...[0, 1].map(() => anyInstants.map(([one = NOW]) => one))), {
            minLength: 1,
            maxLength: 6,
          }),
          async (script, lags, moments) => {
            const { tenant } = await played(script, lags, []);
            for (const view of VIEWS) {
              const column = keyColumn(view);
              for (const key of KEYS) {
                const entity = { tenant, entity: column, key };
                const log = (await truth.readLog(entity)).map((line) => line.split(/[:@]/));
                const knownAt = new Map(log.map(([, id = "", at]) => [id, Number(at)]));
                const own = script.readings.filter(({ order }) => knownAt.has(order));
                const visible = (at: number, upTo: number) =>
                  own.filter(({ order, time }) => time < at && (knownAt.get(order) ?? 0) <= upTo);
                const rows = moments.flatMap(([at = 0, upTo = 0]) => [
                  { entity: { [column]: key }, at },
                  { entity: { [column]: key }, at, knownAt: upTo },
                ]);
                const asked = { tenant, features: [view], rows };
                const { rows: served } = await readHistory(contextOf(), asked);
                for (const [i, { at, knownAt: upTo = at }] of rows.entries()) {
                  expect(served[i]?.values).toEqual(expectedValues(view, visible(at, upTo), at));
                }
                const latest = await readHistory(contextOf(), { ...asked, known: "latest" });
                for (const [i, { at, knownAt: upTo = Infinity }] of rows.entries()) {
                  const expected = expectedValues(view, visible(at, upTo), at);
                  expect(latest.rows[i]?.values).toEqual(expected);
                }
              }
            }
          },
        ),
        { numRuns: where === "in memory" ? 60 : 8 },
      );
    }, 60_000);
  });
}
