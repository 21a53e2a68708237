import fc from "fast-check";
import { afterAll, beforeAll, describe, it } from "vitest";
import type { LogEvent } from "../../src/features/event-log.ts";
import { compileDefinitions, type Registry } from "../../src/features/registry.ts";
import { consume } from "../../src/ingest/consume.ts";
import { sweep } from "../../src/ingest/sweep.ts";
import { DAY_MS } from "../../src/time.ts";
import { applyFor } from "../support/apply-for.ts";
import { expectPaths } from "../support/expect-paths.ts";
import { expectTruth } from "../support/expect-truth.ts";
import type { createMemoryIngestQueue } from "../support/fakes/memory-ingest-queue.ts";
import { withFaults } from "../support/fakes/with-faults.ts";
import { newTenant } from "../support/log-events.ts";
import { anyPathOptions, anySteps, pathRegistry, stepEvent } from "../support/paths.ts";
import { anyReadings, applyAll, BASE, NOW, openPorts } from "../support/play.ts";
import { truths, type Truth } from "../support/stores.ts";
import { corrections, device, readings } from "../support/views.ts";
import {
  byDevice,
  consumerOf,
  deliver,
  eventsMessage,
  logEventOf,
  registry as whole,
  type Ports,
  type Reading,
} from "../support/write-path.ts";

/** Knows neither the second kind of entity nor what the first one has of the other source. */
const before = compileDefinitions([device, readings, corrections, byDevice]);

/** A tenant whose definitions change while consumers of both deployments are at work. */
async function openRollout(truth: Truth, first: Registry) {
  const tenant = newTenant();
  const ports: Ports = openPorts(truth, tenant);
  await applyAll(truth, ports, tenant, first);
  const queue = ports.queue as ReturnType<typeof createMemoryIngestQueue>;
  const consumer = (registry: Registry, now = NOW) => ({
    ...consumerOf(ports, () => now),
    registry,
  });
  const send = async (registry: Registry, events: readonly LogEvent[]): Promise<void> => {
    if (events.length === 0) return;
    await consume(consumer(registry), [deliver(eventsMessage(events), "m")]);
    // The sweep is to find all that is left.
    queue.drain();
  };
  return {
    tenant,
    ports,
    send,
    /** Applies, and lets the consumers of the deployment before take the events in between. */
    async apply(registry: Registry, old: Registry, meanwhile: readonly LogEvent[], gap: number) {
      const left = [...meanwhile];
      let calls = 0;
      const between = async (): Promise<void> => {
        calls += 1;
        if (calls % gap === 0) await send(old, left.splice(0, 1));
      };
      return applyFor(
        consumer(registry),
        withFaults(truth.definitionStore, { before: between }),
      ).then(() => send(old, left));
    },
    sweep: async (registry: Registry, now = NOW + DAY_MS) => {
      await sweep(consumer(registry, now));
      queue.drain();
    },
  };
}

const anyGap = fc.integer({ min: 1, max: 4 });
const thirds = <T>(items: readonly T[]) => {
  const third = Math.ceil(items.length / 3);
  return [items.slice(0, third), items.slice(third, 2 * third), items.slice(2 * third)] as const;
};

describe.each(truths())("consumers of the deployment before %s", (where, open) => {
  let shared: Truth;
  beforeAll(async () => void (shared = await open()));
  afterAll(() => shared.close());
  const fresh = (): Promise<Truth> => (where === "in memory" ? open() : Promise.resolve(shared));
  const numRuns = where === "in memory" ? 60 : 8;

  it("keep no event from the entities that are new, during the change or after it", async () => {
    await fc.assert(
      fc.asyncProperty(anyReadings, anyGap, async (all, gap) => {
        const truth = await fresh();
        const own = await openRollout(truth, before);
        const { tenant, ports } = own;
        const [early, meanwhile, late] = thirds(all.map((one) => logEventOf(one, tenant)));
        await own.send(before, early);
        await own.apply(whole, before, meanwhile, gap);
        await own.send(before, late);
        // One of the deployment before may sweep as well: it leaves alone what it does not know.
        await own.sweep(before);
        await own.sweep(whole);
        await own.sweep(whole, NOW + 2 * DAY_MS);
        await expectTruth(truth, ports, tenant, all, NOW);
        await own.apply(before, before, [], 1);
      }),
      { numRuns },
    );
  }, 60_000);

  it("keep none where consumers, the change and the sweep are at it at once", async () => {
    const truth = await fresh();
    const own = await openRollout(truth, before);
    const { tenant, ports } = own;
    const all = Array.from({ length: 240 }, (_, i): Reading => ({
      order: `e${i}`,
      time: BASE - ((i * 7_919) % 400) * 60_000,
      device: `d${i % 5}`,
      source: i % 3 === 0 ? "corrections" : "readings",
      fields: { price: `${i}.25`, level: i % 9, colour: i % 2 === 0 ? "red" : "blue", on: true },
    }));
    const events = all.map((one) => logEventOf(one, tenant));
    const left = Array.from({ length: 60 }, (_, i) => events.slice(i * 4, i * 4 + 4));
    const consumer = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        await own.send(before, next);
      }
    };
    const sweeping = async (): Promise<void> => {
      while (left.length > 0) {
        await own.sweep(whole);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    };
    await own.send(before, left.shift() ?? []);
    const change = own.apply(whole, before, [], 1);
    await Promise.all([consumer(), consumer(), consumer(), consumer(), change, sweeping()]);
    await own.sweep(whole, NOW + 2 * DAY_MS);
    await own.sweep(whole, NOW + 3 * DAY_MS);
    await expectTruth(truth, ports, tenant, all, NOW);
    await own.apply(before, before, [], 1);
  }, 60_000);

  it("keep no event from a join that is new, and no pair from the entities that are", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyPathOptions([1, 100]),
        anySteps(BASE),
        anyGap,
        fc.boolean(),
        async (options, steps, gap, hasJoin) => {
          const old = pathRegistry(
            options,
            hasJoin ? ["ad_clicks", "shopper_paths"] : ["ad_clicks"],
          );
          const registry = pathRegistry(options);
          const truth = await fresh();
          const own = await openRollout(truth, old);
          const { tenant, ports } = own;
          const [early, meanwhile, late] = thirds(steps.map((step) => stepEvent(step, tenant)));
          await own.send(old, early);
          await own.apply(registry, old, meanwhile, gap);
          await own.send(old, late);
          await own.sweep(old);
          for (const days of [1, 2, 3]) await own.sweep(registry, NOW + days * DAY_MS);
          await expectPaths({ truth, ports, tenant, registry, options }, steps, NOW);
          await own.apply(old, old, [], 1);
        },
      ),
      { numRuns },
    );
  }, 60_000);
});
