import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AppliedDefinitions } from "../../src/features/apply-definitions.ts";
import { AppError } from "../../src/errors.ts";
import { readOnline } from "../../src/features/read-online.ts";
import { compileDefinitions, type Registry } from "../../src/features/registry.ts";
import { count } from "../../src/features/aggregation.ts";
import { featureView } from "../../src/features/define.ts";
import { consume } from "../../src/ingest/consume.ts";
import { beginFill } from "../../src/ingest/fill.ts";
import { sweep } from "../../src/ingest/sweep.ts";
import { DAY_MS } from "../../src/time.ts";
import { applyFor } from "../support/apply-for.ts";
import { expectTruth } from "../support/expect-truth.ts";
import { createMemoryIngestQueue } from "../support/fakes/memory-ingest-queue.ts";
import { createMemoryOnlineStore } from "../support/fakes/memory-online-store.ts";
import { withFaults } from "../support/fakes/with-faults.ts";
import { newTenant } from "../support/log-events.ts";
import { applyAll } from "../support/play.ts";
import { truths, type Truth } from "../support/stores.ts";
import { anyEvent, corrections, device, readings } from "../support/views.ts";
import {
  byColour,
  byDevice,
  colour,
  consumerOf,
  deliver,
  eventsMessage,
  logEventOf,
  registry as whole,
  vault,
  type Ports,
  type Reading,
} from "../support/write-path.ts";

const BASE = Date.UTC(2026, 5, 15, 13, 37);
const NOW = BASE + 60_000;

/** Before: one view. After: a second kind of entity, and another source of the first kind. */
const before = compileDefinitions([device, readings, corrections, byDevice]);

/** A successor: one view changed, one left out. */
const changed = compileDefinitions([
  device,
  readings,
  corrections,
  featureView("by_device", {
    entity: device,
    source: readings,
    features: { n: count().over("2h") },
  }),
  colour,
  byColour,
]);

const anyReading = fc
  .tuple(
    anyEvent(BASE, 10 * DAY_MS),
    fc.constantFrom("d1", "d2"),
    fc.constantFrom("readings", "corrections"),
  )
  .map(([event, of, source]) => ({ ...event, device: of, source }));

interface Deployment {
  readonly ports: Ports;
  readonly apply: (registry: Registry) => Promise<AppliedDefinitions>;
  readonly send: (
    registry: Registry,
    events: readonly Reading[],
    log?: Ports["log"],
  ) => Promise<void>;
}

function deploymentOf(truth: Truth, tenant: string): Deployment {
  const ports: Ports = {
    log: truth.eventLog,
    history: truth.historyLog,
    archive: { ...truth.stateArchive, listTenants: async () => [tenant] },
    quarantine: truth.quarantine,
    servedAnswers: truth.servedAnswers,
    online: createMemoryOnlineStore(),
    queue: createMemoryIngestQueue(),
  };
  const consumer = (registry: Registry) => ({ ...consumerOf(ports, () => NOW), registry });
  return {
    ports,
    apply: (registry) => applyFor(consumer(registry), truth.definitionStore),
    async send(registry, events, log = ports.log) {
      if (events.length === 0) return;
      const message = eventsMessage(events.map((event) => logEventOf(event, tenant)));
      await consume({ ...consumer(registry), log }, [deliver(message, "m")]);
    },
  };
}

describe.each(truths())("definitions that change %s", (where, open) => {
  let truth: Truth;
  beforeAll(async () => void (truth = await open()));
  afterAll(() => truth.close());

  it("compute new views from all that came before, during and after the change", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyReading, { minLength: 4, maxLength: 16 }),
        fc.boolean(),
        async (all, andBack) => {
          const events = all.map((event, i): Reading => ({ ...event, order: `e${i}` }));
          const quarter = Math.ceil(events.length / 4);
          const part = (n: number) => events.slice(n * quarter, (n + 1) * quarter);
          const tenant = newTenant();
          const { ports, apply, send } = deploymentOf(truth, tenant);
          await truth.keyStore.registerTenant(tenant, NOW);
          await apply(before);
          await beginFill({ ...ports, now: () => NOW }, tenant);
          const queue = ports.queue as ReturnType<typeof createMemoryIngestQueue>;
          const fills = queue.drain().map(({ body }) => deliver(body, "fill"));
          await consume(
            consumerOf(ports, () => NOW),
            fills,
          );

          await send(before, part(0));
          if (andBack) {
            await apply(whole);
            await send(whole, part(1));
            await apply(before);
          }
          await send(before, andBack ? part(2) : part(1));
          // Deployed, but not applied yet.
          await send(whole, andBack ? [] : part(2));
          await apply(whole);
          await send(whole, part(3));
          await expectTruth(truth, ports, tenant, events, NOW);

          const again = await apply(whole);
          expect([again.backfilled, again.registered, again.built.size]).toEqual([0, [], 0]);
        },
      ),
      { numRuns: where === "in memory" ? 60 : 8 },
    );
  }, 60_000);

  it("leave a deployment as it was whose successor is rolled back before it is applied", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyReading, { minLength: 3, maxLength: 12 }),
        fc.boolean(),
        async (all, isSwept) => {
          const events = all.map((event, i): Reading => ({ ...event, order: `e${i}` }));
          const third = Math.ceil(events.length / 3);
          const part = (n: number) => events.slice(n * third, (n + 1) * third);
          const tenant = newTenant();
          const { ports, send } = deploymentOf(truth, tenant);
          await applyAll(truth, ports, tenant, whole);
          const sweeping = (registry: Registry, days: number) =>
            sweep({ ...consumerOf(ports, () => NOW + days * DAY_MS), registry });
          await send(whole, part(0));
          // Deployed, never applied.
          await send(changed, part(1));
          if (isSwept) await sweeping(changed, 1);
          await send(whole, part(2));
          for (const days of [2, 3]) await sweeping(whole, days);
          await expectTruth(truth, ports, tenant, events, NOW);
        },
      ),
      { numRuns: where === "in memory" ? 60 : 8 },
    );
  }, 60_000);

  it("may change in the middle of a fold, which then is folded anew", async () => {
    const tenant = newTenant();
    const { ports, apply, send } = deploymentOf(truth, tenant);
    await applyAll(truth, ports, tenant, before);
    const reading = (order: string): Reading => {
      const fields = { price: "1.5", level: 1, colour: null, on: true };
      return { order, time: BASE, device: "new", source: "readings", fields };
    };
    let isApplied = false;
    // Nothing of an entity that is not there yet tells its first commit that a view has come.
    const log = withFaults(ports.log, {
      async before(method) {
        if (method !== "commit" || isApplied) return;
        isApplied = true;
        await apply(changed);
      },
    });
    await send(before, [reading("e1")], log);
    await send(changed, [reading("e2")]);
    await sweep({ ...consumerOf(ports, () => NOW + DAY_MS), registry: changed });
    const ctx = { registry: changed, vault, online: ports.online, now: () => NOW };
    const { results } = await readOnline(
      { ...ctx, whenIncomplete: "unavailable" },
      { tenant, features: ["by_device"], entities: [{ device: "new" }] },
    );
    expect(results).toMatchObject([{ values: [2], version: { by_device: "2.2" } }]);
  });

  it("have all entities that come while they change, whoever folds them", async () => {
    const tenant = newTenant();
    const { ports, apply, send } = deploymentOf(truth, tenant);
    await applyAll(truth, ports, tenant, before);
    const devices = Array.from({ length: 120 }, (_, i) => `d${i}`);
    const left = [...devices];
    const consumer = async (registry: Registry): Promise<void> => {
      for (let of = left.shift(); of !== undefined; of = left.shift()) {
        const fields = { price: "1.5", level: 1, colour: null, on: true };
        await send(registry, [
          { order: `e-${of}`, time: BASE, device: of, source: "readings", fields },
        ]);
      }
    };
    await Promise.all([
      consumer(before),
      consumer(before),
      consumer(changed),
      apply(changed)
        .then(() => apply(before))
        .then(() => apply(changed)),
    ]);
    for (const days of [1, 2]) {
      await sweep({ ...consumerOf(ports, () => NOW + days * DAY_MS), registry: changed });
    }
    const ctx = { registry: changed, vault, online: ports.online, now: () => NOW };
    const { results } = await readOnline(
      { ...ctx, whenIncomplete: "unavailable" },
      { tenant, features: ["by_device"], entities: devices.map((of) => ({ device: of })) },
    );
    expect(results.map(({ values }) => values)).toEqual(devices.map(() => [1]));
  });

  it("leave nothing waiting for entities that no view reads any more, and give them all anew", async () => {
    const dieAtCommit = (method: string): void => {
      if (method === "commit") throw new AppError("dependency_unavailable", "dies here");
    };
    await fc.assert(
      fc.asyncProperty(fc.array(anyReading, { minLength: 3, maxLength: 12 }), async (all) => {
        const events = all.map((event, i): Reading => ({ ...event, order: `e${i}` }));
        const third = Math.ceil(events.length / 3);
        const part = (n: number) => events.slice(n * third, (n + 1) * third);
        const tenant = newTenant();
        const { ports, apply, send } = deploymentOf(truth, tenant);
        await applyAll(truth, ports, tenant, whole);
        const sweeping = (registry: Registry, days: number) =>
          sweep({ ...consumerOf(ports, () => NOW + days * DAY_MS), registry });
        await send(whole, part(0));
        await send(whole, part(1), withFaults(ports.log, { before: dieAtCommit }));
        await apply(before);
        await sweeping(before, 1);
        expect(await ports.log.findUnfinished(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
        await send(before, part(2));
        await apply(whole);
        await sweeping(whole, 2);
        await expectTruth(truth, ports, tenant, events, NOW);
      }),
      { numRuns: where === "in memory" ? 60 : 8 },
    );
  }, 60_000);
});
