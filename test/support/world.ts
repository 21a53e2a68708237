import { applyDefinitions } from "../../src/features/apply-definitions.ts";
import type { DefinitionStore } from "../../src/features/definition-store.ts";
import type { LogEvent } from "../../src/features/event-log.ts";
import type { Registry } from "../../src/features/registry.ts";
import { consume, type ConsumeContext } from "../../src/ingest/consume.ts";
import type { IngestMessage } from "../../src/ingest/envelope.ts";
import { beginFill } from "../../src/ingest/fill.ts";
import { createMemoryDefinitionStore } from "./fakes/memory-definition-store.ts";
import { createMemoryHistoryLog } from "./fakes/memory-history-log.ts";
import { createMemoryEventLog } from "./fakes/memory-event-log.ts";
import { createMemoryIngestQueue, type MemoryIngestQueue } from "./fakes/memory-ingest-queue.ts";
import { registerTenant } from "./fakes/memory-key-store.ts";
import { createMemoryOnlineStore, type MemoryOnlineStore } from "./fakes/memory-online-store.ts";
import { createMemoryQuarantineStore } from "./fakes/memory-quarantine-store.ts";
import { createMemoryServedAnswers } from "./fakes/memory-served-answers.ts";
import { createMemoryStateArchive } from "./fakes/memory-state-archive.ts";
import { createMemoryTruth, type MemoryTruth } from "./fakes/memory-truth.ts";
import {
  deliver,
  logEventOf,
  registry as exampleRegistry,
  vault,
  type Ports,
  type Reading,
  type TestDelivery,
} from "./write-path.ts";

export const NOON = Date.UTC(2026, 5, 15, 12);

interface Note {
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Everything between the queue and the online store in memory, for one tenant, at a set clock. */
export interface World extends Ports {
  readonly tenant: string;
  readonly truth: MemoryTruth;
  readonly online: MemoryOnlineStore;
  readonly queue: MemoryIngestQueue;
  readonly definitions: DefinitionStore;
  readonly clock: { now: number };
  readonly notes: Note[];
  /** A consumer's context; some of its parts may be replaced. */
  ctx(parts?: Partial<ConsumeContext>): ConsumeContext & Pick<World, "online">;
  /** Consumes messages in one batch, delivered for the so many-th time, and answers its deliveries. */
  consume(
    messages: readonly unknown[],
    parts?: Partial<ConsumeContext>,
    attempts?: number,
  ): Promise<readonly TestDelivery[]>;
  /** Consumes what the queue holds until it is empty. */
  drain(parts?: Partial<ConsumeContext>): Promise<void>;
}

/** A world without definitions, whose online store is empty. */
export function openWorld(registry: Registry = exampleRegistry): World {
  const truth = createMemoryTruth();
  registerTenant(truth, "t");
  const clock = { now: NOON };
  const notes: Note[] = [];
  const ports = {
    log: createMemoryEventLog(truth),
    history: createMemoryHistoryLog(truth),
    archive: createMemoryStateArchive(truth),
    quarantine: createMemoryQuarantineStore(truth),
    servedAnswers: createMemoryServedAnswers(truth),
    online: createMemoryOnlineStore(),
    queue: createMemoryIngestQueue(),
  };
  const world: World = {
    ...ports,
    tenant: "t",
    truth,
    clock,
    notes,
    definitions: createMemoryDefinitionStore(truth),
    ctx: (parts = {}) => ({
      ...ports,
      registry,
      vault,
      now: () => clock.now,
      random: () => 0,
      sleep: async () => undefined,
      note: (message, facts) =>
        void notes.push({
          message,
          facts,
        }),
      ...(parts as object),
    }),
    async consume(messages, parts = {}, attempts = 1) {
      const deliveries = messages.map((body, i) =>
        deliver(body as IngestMessage, `m${i}`, attempts),
      );
      await consume(world.ctx(parts), deliveries);
      return deliveries;
    },
    async drain(parts = {}) {
      for (let left = ports.queue.drain(); left.length > 0; left = ports.queue.drain()) {
        await world.consume(
          left.map(({ body }) => body),
          parts,
        );
      }
    },
  };
  return world;
}

/** A world whose definitions are applied and whose online store is filled. */
export async function openFilledWorld(registry: Registry = exampleRegistry): Promise<World> {
  const world = openWorld(registry);
  await applyDefinitions({
    registry,
    definitions: world.definitions,
    archive: world.archive,
    online: world.online,
    now: () => world.clock.now,
    progress: () => undefined,
    fold: async () => undefined,
    foldWaiting: async () => undefined,
  });
  await beginFill(world.ctx(), world.tenant);
  await world.drain();
  return world;
}

/** A reading of device `d` a minute ago, of which a test names only what matters to it. */
export const reading = (order: string, fields: Partial<Reading> = {}): Reading => ({
  time: NOON - 6e4,
  order,
  device: "d",
  source: "readings",
  fields: {
    price: "1.50",
    level: 2,
    colour: "red",
    on: true,
  },
  ...fields,
});

/** The reading as the log of the world's tenant keeps it. */
export const readingEvent = (order: string, fields: Partial<Reading> = {}): LogEvent =>
  logEventOf(reading(order, fields), "t");
