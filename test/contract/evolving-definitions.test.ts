import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applyDefinitions, type AppliedDefinitions } from "../../src/features/apply-definitions.ts";
import { AppError } from "../../src/errors.ts";
import { compileDefinitions, type Registry } from "../../src/features/registry.ts";
import { foldPending } from "../../src/ingest/fold-pending.ts";
import { consume } from "../../src/ingest/consume.ts";
import { beginFill } from "../../src/ingest/fill.ts";
import { sweep } from "../../src/ingest/sweep.ts";
import { DAY_MS } from "../../src/time.ts";
import { expectTruth } from "../support/expect-truth.ts";
import { createMemoryIngestQueue } from "../support/fakes/memory-ingest-queue.ts";
import { createMemoryOnlineStore } from "../support/fakes/memory-online-store.ts";
import { withFaults } from "../support/fakes/with-faults.ts";
import { newTenant } from "../support/log-events.ts";
import { applyAll } from "../support/play.ts";
import { truths, type Truth } from "../support/stores.ts";
import { anyEvent, corrections, device, readings } from "../support/views.ts";
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

const BASE = Date.UTC(2026, 5, 15, 13, 37);
const NOW = BASE + 60_000;

/** Before: one view. After: a second kind of entity, and another source of the first kind. */
const before = compileDefinitions([device, readings, corrections, byDevice]);

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
    apply: (registry) =>
      applyDefinitions({
        ...ports,
        registry,
        definitions: truth.definitionStore,
        now: () => NOW,
        progress: () => undefined,
        fold: (entities) => foldPending(consumer(registry), entities),
      }),
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
