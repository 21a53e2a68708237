import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auditAnswers, type SkewReport } from "../../src/features/audit-answers.ts";
import { readOnline, type AnsweredRead } from "../../src/features/read-online.ts";
import { consume } from "../../src/ingest/consume.ts";
import type { IngestQueue } from "../../src/ingest/ingest-queue.ts";
import { logAnswer } from "../../src/ingest/log-answer.ts";
import { sweep } from "../../src/ingest/sweep.ts";
import { DAY_MS } from "../../src/time.ts";
import { newTenant } from "../support/log-events.ts";
import { applyAll, BASE, drain, NOW, openPorts, play } from "../support/play.ts";
import { anyQuestions, lateEvents, reader, type Played, type Question } from "../support/skew.ts";
import { truths, type Truth } from "../support/stores.ts";
import {
  consumerOf,
  deliver,
  eventsMessage,
  logEventOf,
  registry,
  vault,
  type Ports,
  type Reading,
} from "../support/write-path.ts";

/** What happens to the events: each kind of history must audit to nothing. */
const HISTORIES: readonly (readonly [string, fc.Arbitrary<Played>])[] = [
  ["late, repeated and imported events", lateEvents],
];

const NO_SKEW = { mismatched: 0, missing: 0, extra: 0, differences: [] };

/** How many answers of a view and an entity were given. */
const answersOf = (read: AnsweredRead): number => read.keys.length * read.selection.views.length;

for (const [where, openTruth] of truths()) {
  describe(`the skew audit ${where}`, () => {
    let truth: Truth;
    beforeAll(async () => void (truth = await openTruth()));
    afterAll(() => truth.close());

    const audit = (tenant: string): Promise<SkewReport> =>
      auditAnswers(
        {
          history: truth.historyLog,
          definitions: truth.definitionStore,
          servedAnswers: truth.servedAnswers,
        },
        { tenants: [tenant], since: 0, limit: Number.POSITIVE_INFINITY, shown: 5 },
      );

    /** Logs every answer on its way through the queue, which delivers it twice. */
    function listening(ports: Ports, clock: () => number) {
      const heard = { answers: 0, logged: [] as Promise<void>[] };
      const queue: IngestQueue = {
        async send(messages) {
          await ports.queue.send(messages);
          await ports.queue.send(messages);
        },
      };
      const answered = (read: AnsweredRead): void => {
        heard.answers += answersOf(read);
        const ctx = { now: clock, random: () => 0.5, note: () => undefined };
        heard.logged.push(logAnswer({ ...ctx, queue }, read));
      };
      return { heard, answered };
    }

    async function played({ script, eventOf }: Played, questions: readonly Question[]) {
      const tenant = newTenant();
      const ports = openPorts(truth, tenant);
      await applyAll(truth, ports, tenant);
      const { heard, answered } = listening(ports, () => NOW);
      const reading = { registry, online: ports.online, tenant };
      await play(ports, tenant, script, {
        eventOf: (one) => eventOf(one, tenant),
        bystanders: [reader(reading, questions, answered)],
      });
      await Promise.all(heard.logged);
      await sweep(consumerOf(ports, () => NOW + DAY_MS));
      await drain(ports, NOW);
      return { tenant, heard };
    }

    for (const [what, anyHistory] of HISTORIES) {
      it(`finds nothing, whatever consumers did while answers were given, of ${what}`, async () => {
        let values = 0;
        await fc.assert(
          fc.asyncProperty(anyHistory, anyQuestions, async (history, questions) => {
            const { tenant, heard } = await played(history, questions);
            const report = await audit(tenant);
            expect(report).toMatchObject({ ...NO_SKEW, answers: heard.answers });
            expect(Object.values(report.notReplayed)).toEqual([0, 0, 0]);
            values += report.values;
          }),
          { numRuns: where === "in memory" ? 100 : 15 },
        );
        expect(values).toBeGreaterThan(200);
      }, 60_000);
    }

    it("finds nothing where four consumers and two readers are at it at once", async () => {
      const tenant = newTenant();
      const ports = openPorts(truth, tenant);
      await applyAll(truth, ports, tenant);
      const { heard, answered } = listening(ports, () => NOW);
      const readings = Array.from({ length: 160 }, (_, i): Reading => ({
        order: `e${i}`,
        // Most are late, and half are of one device.
        time: BASE - ((i * 7_919) % 400) * 3_600_000,
        device: i % 2 === 0 ? "d1" : `d${i % 12}`,
        source: i % 5 === 0 ? "corrections" : "readings",
        fields: { price: `${i}.25`, level: i % 9, colour: i % 3 === 0 ? "red" : "blue", on: true },
      }));
      const batches = Array.from({ length: 16 }, (_, i) =>
        eventsMessage(readings.slice(i * 10, i * 10 + 10).map((one) => logEventOf(one, tenant))),
      );
      const working = { consumers: 4 };
      const consumer = async (): Promise<void> => {
        for (let next = batches.shift(); next !== undefined; next = batches.shift()) {
          // Redelivered at once, as if its answer had been lost.
          const deliveries = [deliver(next, "m"), deliver(next, "again")];
          await consume(
            consumerOf(ports, () => NOW),
            deliveries,
          );
        }
        working.consumers -= 1;
      };
      const entities = ["d1", "d3", "red", "blue"].map((key) => ({ device: key, colour: key }));
      const asking = async (): Promise<void> => {
        for (let i = 0; working.consumers > 0; i += 1) {
          const now = (): number => BASE - (i % 9) * DAY_MS;
          const ctx = { registry, vault, online: ports.online, now, answered } as const;
          const features = i % 2 === 0 ? ["by_device", "by_colour"] : ["corrected"];
          await readOnline(
            { ...ctx, whenIncomplete: "unavailable" },
            { tenant, features, entities },
          );
          await new Promise((resolve) => setTimeout(resolve, where === "in memory" ? 0 : 15));
        }
      };
      await Promise.all([consumer(), consumer(), consumer(), consumer(), asking(), asking()]);
      await Promise.all(heard.logged);
      await drain(ports, NOW);
      const report = await audit(tenant);
      expect(report).toMatchObject({ ...NO_SKEW, answers: heard.answers });
      expect(report.values).toBeGreaterThan(20);
    }, 60_000);
  });
}
