import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applyDefinitions } from "../../src/features/apply-definitions.ts";
import { consume, type Consumed } from "../../src/ingest/consume.ts";
import { beginFill } from "../../src/ingest/fill.ts";
import { sweep } from "../../src/ingest/sweep.ts";
import { DAY_MS } from "../../src/time.ts";
import { AppError } from "../../src/errors.ts";
import { expectTruth } from "../support/expect-truth.ts";
import { createMemoryIngestQueue } from "../support/fakes/memory-ingest-queue.ts";
import { createMemoryOnlineStore } from "../support/fakes/memory-online-store.ts";
import { withFaults } from "../support/fakes/with-faults.ts";
import { newTenant } from "../support/log-events.ts";
import { openPostgresTruth, type Truth } from "../support/stores.ts";
import {
  consumerOf,
  deliver,
  eventsMessage,
  logEventOf,
  registry,
  type Ports,
  type Reading,
} from "../support/write-path.ts";

const server = process.env["DATABASE_URL_TEST"];
const NOW = Date.UTC(2026, 5, 15, 13, 38);
const CONSUMERS = 6;

/** A small generator with a seed, so that a failure can be run again. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function readingsOf(count: number, devices: number, random: () => number): readonly Reading[] {
  return Array.from({ length: count }, (_, i): Reading => {
    // Squaring leans towards the first devices: some keys are hot.
    const device = `d${Math.floor(random() ** 2 * devices)}`;
    const price = (Math.floor(random() * 100_000) / 100).toString();
    return {
      time: NOW - 1 - Math.floor(random() * 9 * DAY_MS),
      order: `e${i}`,
      device,
      source: random() < 0.7 ? "readings" : "corrections",
      fields: { price, level: i % 7, colour: random() < 0.5 ? "red" : "blue", on: i % 3 === 0 },
    };
  });
}

/** Every message once or twice, in any order, two at a time. */
function batchesOf(readings: readonly Reading[], tenant: string, random: () => number) {
  const messages = Array.from({ length: Math.ceil(readings.length / 10) }, (_, i) =>
    eventsMessage(
      readings.slice(i * 10, i * 10 + 10).map((reading) => logEventOf(reading, tenant)),
    ),
  );
  const copies = messages.flatMap((body) => (random() < 0.4 ? [body, body] : [body]));
  const mixed = copies
    .map((body) => ({ body, key: random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ body }) => body);
  return Array.from({ length: Math.ceil(mixed.length / 2) }, (_, i) =>
    mixed.slice(i * 2, i * 2 + 2),
  );
}

async function prepare(truth: Truth, tenant: string): Promise<Ports> {
  const queue = createMemoryIngestQueue();
  const ports: Ports = {
    log: truth.eventLog,
    history: truth.historyLog,
    archive: { ...truth.stateArchive, listTenants: async () => [tenant] },
    quarantine: truth.quarantine,
    servedAnswers: truth.servedAnswers,
    online: createMemoryOnlineStore(),
    queue,
  };
  const now = (): number => NOW;
  await truth.keyStore.registerTenant(tenant, NOW);
  const definitions = truth.definitionStore;
  await applyDefinitions({
    ...ports,
    registry,
    definitions,
    now,
    progress: () => undefined,
    fold: async () => undefined,
    foldWaiting: async () => undefined,
  });
  await beginFill({ ...ports, now }, tenant);
  await consume(
    consumerOf(ports, now),
    queue.drain().map(({ body }) => deliver(body, "fill")),
  );
  return ports;
}

/** All batches by several consumers at once; what fails is delivered again. */
async function hammer(ports: Ports, batches: ReturnType<typeof batchesOf>): Promise<Consumed[]> {
  const left = [...batches];
  const consumed: Consumed[] = [];
  let clock = NOW - 10_000;
  const consumer = async (): Promise<void> => {
    for (let batch = left.shift(); batch !== undefined; batch = left.shift()) {
      const deliveries = batch.map((body, i) => deliver(body, `m${i}`));
      consumed.push(
        await consume(
          consumerOf(ports, () => clock++),
          deliveries,
        ),
      );
      const again = deliveries.filter(({ outcome }) => outcome() !== "acked");
      if (again.length > 0)
        left.push(batch.filter((_, i) => again.includes(deliveries[i] as never)));
    }
  };
  await Promise.all(Array.from({ length: CONSUMERS }, consumer));
  return consumed;
}

/** Loses an answer now and then: after the effect, as a broken connection does. */
function flaky(ports: Ports, random: () => number): Ports {
  const after = (): void => {
    if (random() < 0.05) throw new AppError("dependency_unavailable", "answer lost");
  };
  return {
    ...ports,
    log: withFaults(ports.log, { after }),
    online: withFaults(ports.online, { after }),
  };
}

describe.runIf(server !== undefined)("six consumers at once on a Postgres server", () => {
  let truth: Truth;
  beforeAll(async () => {
    truth = await openPostgresTruth(server ?? "");
  });
  afterAll(async () => {
    await truth.close();
  });

  for (const [keys, devices] of [
    ["spread", 300],
    ["leaning", 20],
    ["hot", 1],
  ] as const) {
    it(`count every event once, on ${keys} keys, with repeats and lost answers`, async () => {
      const random = randomOf(devices);
      const tenant = newTenant();
      const ports = await prepare(truth, tenant);
      const readings = readingsOf(600, devices, random);
      const consumed = await hammer(flaky(ports, random), batchesOf(readings, tenant, random));
      await sweep(consumerOf(ports, () => NOW + DAY_MS));
      await expectTruth(truth, ports, tenant, readings, NOW);
      const lost = consumed.reduce((sum, figures) => sum + figures.lost, 0);
      // One hot entity must have been fought over, or this shows nothing.
      expect(lost).toBeGreaterThanOrEqual(devices === 1 ? 1 : 0);
    }, 60_000);
  }
});
