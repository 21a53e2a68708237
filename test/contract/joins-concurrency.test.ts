import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AppError } from "../../src/errors.ts";
import type { IngestMessage } from "../../src/ingest/envelope.ts";
import { consume } from "../../src/ingest/consume.ts";
import { sweep } from "../../src/ingest/sweep.ts";
import { DAY_MS } from "../../src/time.ts";
import { expectPaths, PATH_KEYS } from "../support/expect-paths.ts";
import { withFaults } from "../support/fakes/with-faults.ts";
import { newTenant } from "../support/log-events.ts";
import { pairsOf, pathRegistry, stepEvent, type PathOptions, type Step } from "../support/paths.ts";
import { applyAll, drain, NOW, openPorts } from "../support/play.ts";
import { inAnyOrder, randomOf } from "../support/random.ts";
import { openPostgresTruth, type SqlTruth } from "../support/stores.ts";
import { consumerOf, deliver, eventsMessage, type Ports } from "../support/write-path.ts";

const server = process.env["DATABASE_URL_TEST"];
const CONSUMERS = 6;
const STEPS = 400;
const DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";

const stepsOf = (shoppers: number, random: () => number): readonly Step[] =>
  Array.from({ length: STEPS }, (_, i): Step => ({
    side: random() < 0.6 ? "left" : "right",
    id: `e${i}`,
    who: `u${Math.floor(random() * shoppers)}`,
    shop: "x",
    ad: random() < 0.5 ? "a1" : "a2",
    amount: (Math.floor(random() * 1_000) / 100).toString(),
    // Several clicks are within reach of an order, whatever the number of shoppers.
    time: NOW - 1 - Math.floor((random() * 200_000) / Math.sqrt(shoppers)),
    known: null,
  }));

/** Five steps a message, every message once or twice, in any order, two at a time. */
function batchesOf(steps: readonly Step[], tenant: string, random: () => number) {
  const messages = Array.from({ length: Math.ceil(steps.length / 5) }, (_, i) =>
    eventsMessage(steps.slice(i * 5, i * 5 + 5).map((step) => stepEvent(step, tenant))),
  );
  const copies = messages.flatMap((body) => (random() < 0.4 ? [body, body] : [body]));
  const order = inAnyOrder(copies, random);
  return Array.from({ length: Math.ceil(order.length / 2) }, (_, i) =>
    order.slice(i * 2, i * 2 + 2),
  );
}

/** Loses an answer now and then: after the effect, as a broken connection does. */
function flaky(ports: Ports, random: () => number): Ports {
  const after = (): void => {
    if (random() < 0.03) throw new AppError("dependency_unavailable", "answer lost");
  };
  return {
    ...ports,
    log: withFaults(ports.log, { after }),
    online: withFaults(ports.online, { after }),
  };
}

describe.runIf(server !== undefined)("six consumers at once on a Postgres server", () => {
  let truth: SqlTruth;
  beforeAll(async () => void (truth = await openPostgresTruth(server ?? "")));
  afterAll(() => truth.close());

  /** All batches by several consumers at once; what fails is delivered again. */
  async function hammer(ports: Ports, own: PathOptions, batches: IngestMessage[][]) {
    const registry = pathRegistry(own);
    const figures = { lost: 0, folded: 0 };
    const consumer = async (): Promise<void> => {
      for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
        const deliveries = batch.map((body, i) => deliver(body, `m${i}`));
        const ctx = { ...consumerOf(ports, () => NOW), registry };
        const { lost, folded } = await consume(ctx, deliveries);
        figures.lost += lost;
        figures.folded += folded;
        const again = batch.filter((_, i) => deliveries[i]?.outcome() !== "acked");
        if (again.length > 0) batches.push(again);
      }
    };
    await Promise.all(Array.from({ length: CONSUMERS }, consumer));
    return figures;
  }

  for (const [room, fanOut] of [
    ["room for all", 200],
    ["room for two", 2],
  ] as const) {
    for (const [keys, shoppers] of [
      ["spread", 30],
      ["hot", 1],
    ] as const) {
      it(`pair every click and order once, on ${keys} keys with ${room}`, async () => {
        const random = randomOf(shoppers + fanOut);
        const options: PathOptions = { within: "5s", fanOut, alsoShop: false };
        const registry = pathRegistry(options);
        const tenant = newTenant();
        const ports = openPorts(truth, tenant);
        await applyAll(truth, ports, tenant, registry);
        const steps = stepsOf(shoppers, random);
        const batches = batchesOf(steps, tenant, random).map((batch) => [...batch]);
        const { lost } = await hammer(flaky(ports, random), options, batches);
        await sweep({ ...consumerOf(ports, () => NOW + DAY_MS), registry });
        await drain(ports, NOW, registry);
        const shopper_paths = [...new Set(steps.flatMap(({ who }) => who ?? []))];
        const played = { truth, ports, tenant, registry, options };
        await expectPaths(played, steps, NOW, { ...PATH_KEYS, shopper_paths });
        expect(pairsOf(steps, options).length).toBeGreaterThan(100);
        // The two ads must have been fought over, or this shows nothing.
        expect(lost).toBeGreaterThan(0);
        const [counts] = await truth.query(DEADLOCKS);
        expect(Number(counts?.["deadlocks"])).toBe(0);
      }, 60_000);
    }
  }
});
