import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applyDefinitions } from "../../src/features/apply-definitions.ts";
import type { OnlineStore } from "../../src/features/online-store.ts";
import { consume } from "../../src/ingest/consume.ts";
import { beginFill } from "../../src/ingest/fill.ts";
import { sweep } from "../../src/ingest/sweep.ts";
import { DAY_MS } from "../../src/time.ts";
import { createMemoryIngestQueue } from "../support/fakes/memory-ingest-queue.ts";
import { createMemoryOnlineStore } from "../support/fakes/memory-online-store.ts";
import { expectTruth } from "../support/expect-truth.ts";
import { Interleaving, type Fate } from "../support/interleaving.ts";
import { newTenant } from "../support/log-events.ts";
import { anyOrder, shuffled } from "../support/shuffle.ts";
import { truths, type Truth } from "../support/stores.ts";
import { anyEvent } from "../support/views.ts";
import {
  consumerOf,
  deliver,
  eventsMessage,
  logEventOf,
  registry,
  type Ports,
  type Reading,
  type TestDelivery,
} from "../support/write-path.ts";

const BASE = Date.UTC(2026, 5, 15, 13, 37, 11, 123);
const NOW = BASE + 60_000;

const anyReadings: fc.Arbitrary<readonly Reading[]> = fc
  .array(
    fc.tuple(
      anyEvent(BASE, 10 * DAY_MS),
      fc.constantFrom("d1", "d2", "d3"),
      fc.constantFrom("readings", "corrections"),
    ),
    { minLength: 1, maxLength: 14 },
  )
  .map((all) =>
    all.map(([event, device, source], i) => ({ ...event, device, source, order: `e${i}` })),
  );

const anyFate = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Fate>("go") },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Fate>("die-before", "die-after", "store-down", "lose-answer"),
  },
);

/** What is delivered, in what order, to whom, and what goes wrong. */
const anyScript = fc.record({
  readings: anyReadings,
  perMessage: fc.integer({ min: 1, max: 4 }),
  perBatch: fc.integer({ min: 1, max: 4 }),
  copies: fc.integer({ min: 1, max: 3 }),
  order: anyOrder,
  consumers: fc.integer({ min: 1, max: 4 }),
  turns: fc.array(fc.nat({ max: 11 }), { minLength: 1, maxLength: 60 }),
  fates: fc.array(anyFate, { maxLength: 40 }),
});

type Script = typeof anyScript extends fc.Arbitrary<infer S> ? S : never;

function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}

function open(
  truth: Truth,
  tenant: string,
): Ports & { readonly online: ReturnType<typeof createMemoryOnlineStore> } {
  return {
    log: truth.eventLog,
    archive: { ...truth.stateArchive, listTenants: async () => [tenant] },
    quarantine: truth.quarantine,
    online: createMemoryOnlineStore(),
    queue: createMemoryIngestQueue(),
  };
}

/** Delivers what waits in the queue until nothing does. */
async function drain(ports: Ports, now: number): Promise<void> {
  const queue = ports.queue as ReturnType<typeof createMemoryIngestQueue>;
  for (let left = queue.drain(); left.length > 0; left = queue.drain()) {
    const deliveries = left.map(({ body }, i) => deliver(body, `q${i}`));
    await consume(
      consumerOf(ports, () => now),
      deliveries,
    );
    expect(deliveries.map(({ outcome }) => outcome())).not.toContain("open");
  }
}

async function applyAll(truth: Truth, ports: Ports, tenant: string): Promise<void> {
  await truth.keyStore.registerTenant(tenant, NOW);
  await applyDefinitions({
    registry,
    definitions: truth.definitionStore,
    archive: ports.archive,
    online: ports.online,
    now: () => NOW,
    progress: () => undefined,
    fold: async () => undefined,
  });
  await beginFill({ ...ports, now: () => NOW }, tenant);
  await drain(ports, NOW);
}

/** Plays the script: several consumers, each batch by batch, until all batches are settled. */
async function play(ports: Ports, tenant: string, script: Script): Promise<void> {
  const messages = chunks(script.readings, script.perMessage).map((group) =>
    eventsMessage(group.map((reading) => logEventOf(reading, tenant))),
  );
  const copies = messages.flatMap((body) => Array.from({ length: script.copies }, () => body));
  const batches = [...chunks(shuffled(copies, script.order), script.perBatch)];
  const interleaving = new Interleaving(script.turns, script.fates);
  const consumer = (id: number) => async (): Promise<void> => {
    for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
      const deliveries = batch.map((body, i) => deliver(body, `${id}-${i}`));
      const died = await consumeUntilDeath(ports, interleaving, id, deliveries);
      // The runtime delivers again what was retried, and after a death everything of the batch.
      const again = deliveries.filter(({ outcome }) => died || outcome() !== "acked");
      if (again.length > 0) batches.push(again.map(({ body }) => body as (typeof batch)[number]));
    }
  };
  await interleaving.run(Array.from({ length: script.consumers }, (_, id) => consumer(id)));
}

async function consumeUntilDeath(
  ports: Ports,
  interleaving: Interleaving,
  id: number,
  deliveries: readonly TestDelivery[],
): Promise<boolean> {
  const death = Promise.withResolvers<true>();
  const die = (): void => death.resolve(true);
  const own = {
    ...ports,
    log: interleaving.port(id, ports.log, die),
    online: interleaving.port<OnlineStore>(id, ports.online, die),
    quarantine: interleaving.port(id, ports.quarantine, die),
  };
  const life = consume(
    consumerOf(own, () => NOW),
    deliveries,
  ).then(() => false);
  return Promise.race([life, death.promise]);
}

for (const [where, openTruth] of truths()) {
  describe(`the write path ${where}`, () => {
    let truth: Truth;
    beforeAll(async () => {
      truth = await openTruth();
    });
    afterAll(async () => {
      await truth.close();
    });

    it("ends equal to a recomputation, whatever is repeated, reordered, lost or killed", async () => {
      await fc.assert(
        fc.asyncProperty(anyScript, async (script) => {
          const tenant = newTenant();
          const ports = open(truth, tenant);
          await applyAll(truth, ports, tenant);
          await play(ports, tenant, script);
          await sweep(consumerOf(ports, () => NOW + DAY_MS));
          await drain(ports, NOW);
          await expectTruth(truth, ports, tenant, script.readings, NOW);
        }),
        { numRuns: where === "in memory" ? 150 : 40 },
      );
    }, 60_000);
  });
}
