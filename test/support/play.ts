import fc from "fast-check";
import { expect } from "vitest";
import { applyDefinitions } from "../../src/features/apply-definitions.ts";
import type { LogEvent } from "../../src/features/event-log.ts";
import type { OnlineStore } from "../../src/features/online-store.ts";
import type { Registry } from "../../src/features/registry.ts";
import { consume } from "../../src/ingest/consume.ts";
import { beginFill } from "../../src/ingest/fill.ts";
import { DAY_MS } from "../../src/time.ts";
import { createMemoryIngestQueue } from "./fakes/memory-ingest-queue.ts";
import { createMemoryOnlineStore } from "./fakes/memory-online-store.ts";
import { Interleaving, type Fate } from "./interleaving.ts";
import { anyOrder, shuffled } from "./shuffle.ts";
import type { Truth } from "./stores.ts";
import { anyEvent } from "./views.ts";
import {
  consumerOf,
  deliver,
  eventsMessage,
  logEventOf,
  registry,
  type Ports,
  type Reading,
  type TestDelivery,
} from "./write-path.ts";

export const BASE = Date.UTC(2026, 5, 15, 13, 37, 11, 123);
/** The consumers' clock, after every event. */
export const NOW = BASE + 60_000;

export const anyReadings: fc.Arbitrary<readonly Reading[]> = fc
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
export const anyScript = fc.record({
  readings: anyReadings,
  perMessage: fc.integer({ min: 1, max: 4 }),
  perBatch: fc.integer({ min: 1, max: 4 }),
  copies: fc.integer({ min: 1, max: 3 }),
  order: anyOrder,
  consumers: fc.integer({ min: 1, max: 4 }),
  turns: fc.array(fc.nat({ max: 11 }), { minLength: 1, maxLength: 60 }),
  fates: fc.array(anyFate, { maxLength: 40 }),
});

export type Script = typeof anyScript extends fc.Arbitrary<infer S> ? S : never;

function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}

/** The truth's ports, with an online store and a queue of their own. */
export function openPorts(
  truth: Truth,
  tenant: string,
): Ports & { readonly online: ReturnType<typeof createMemoryOnlineStore> } {
  return {
    log: truth.eventLog,
    history: truth.historyLog,
    archive: { ...truth.stateArchive, listTenants: async () => [tenant] },
    quarantine: truth.quarantine,
    servedAnswers: truth.servedAnswers,
    online: createMemoryOnlineStore(),
    queue: createMemoryIngestQueue(),
  };
}

/** Delivers what waits in the queue until nothing does. */
export async function drain(ports: Ports, now: number, own: Registry = registry): Promise<void> {
  const queue = ports.queue as ReturnType<typeof createMemoryIngestQueue>;
  for (let left = queue.drain(); left.length > 0; left = queue.drain()) {
    const deliveries = left.map(({ body }, i) => deliver(body, `q${i}`));
    await consume({ ...consumerOf(ports, () => now), registry: own }, deliveries);
    expect(deliveries.map(({ outcome }) => outcome())).not.toContain("open");
  }
}

/** Registers the tenant and the definitions, and fills the online store. */
export async function applyAll(
  truth: Truth,
  ports: Ports,
  tenant: string,
  own: Registry = registry,
): Promise<void> {
  await truth.keyStore.registerTenant(tenant, NOW);
  await applyDefinitions({
    registry: own,
    definitions: truth.definitionStore,
    archive: ports.archive,
    online: ports.online,
    now: () => NOW,
    progress: () => undefined,
    fold: async () => undefined,
    foldWaiting: async () => undefined,
  });
  await beginFill({ ...ports, now: () => NOW }, tenant);
  await drain(ports, NOW);
}

/** Somebody who acts among the consumers, a step of a port at a time; `die` ends its port. */
export type Bystander = (interleaving: Interleaving, id: number) => Promise<void>;

export interface PlayOptions<R> {
  /** How the log is to have a reading. */
  readonly eventOf?: (reading: R) => LogEvent;
  readonly bystanders?: readonly Bystander[];
  /** The consumers' definitions. */
  readonly registry?: Registry;
}

/** Plays the script: several consumers, each batch by batch, until all batches are settled. */
export async function play<R = Reading>(
  ports: Ports,
  tenant: string,
  script: Omit<Script, "readings"> & { readonly readings: readonly R[] },
  options: PlayOptions<R> = {},
): Promise<void> {
  const eventOf = options.eventOf ?? ((reading: R) => logEventOf(reading as Reading, tenant));
  const { bystanders = [], registry: own = registry } = options;
  const messages = chunks(script.readings, script.perMessage).map((group) =>
    eventsMessage(group.map(eventOf)),
  );
  const copies = messages.flatMap((body) => Array.from({ length: script.copies }, () => body));
  const batches = [...chunks(shuffled(copies, script.order), script.perBatch)];
  const interleaving = new Interleaving(script.turns, script.fates);
  const consumer = (id: number) => async (): Promise<void> => {
    for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
      const deliveries = batch.map((body, i) => deliver(body, `${id}-${i}`));
      const died = await consumeUntilDeath({ ports, own }, interleaving, id, deliveries);
      // The runtime delivers again what was retried, and after a death everything of the batch.
      const again = deliveries.filter(({ outcome }) => died || outcome() !== "acked");
      if (again.length > 0) batches.push(again.map(({ body }) => body as (typeof batch)[number]));
    }
  };
  await interleaving.run([
    ...Array.from({ length: script.consumers }, (_, id) => consumer(id)),
    ...bystanders.map((one, i) => () => one(interleaving, script.consumers + i)),
  ]);
}

async function consumeUntilDeath(
  { ports, own: definitions }: { readonly ports: Ports; readonly own: Registry },
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
  // Clocks differ, and none is ahead of what is asked for in the end.
  const consumer = { ...consumerOf(own, () => NOW - 40 * id), registry: definitions };
  const life = consume(consumer, deliveries).then(() => false);
  return Promise.race([life, death.promise]);
}
