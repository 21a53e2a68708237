import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { count, last, max } from "../../src/features/aggregation.ts";
import type { AppliedDefinitions } from "../../src/features/apply-definitions.ts";
import { featureView } from "../../src/features/define.ts";
import type { LogEvent } from "../../src/features/event-log.ts";
import { readOnline } from "../../src/features/read-online.ts";
import { compileDefinitions, type Registry } from "../../src/features/registry.ts";
import { consume } from "../../src/ingest/consume.ts";
import { sweep } from "../../src/ingest/sweep.ts";
import { openViewsInUse } from "../../src/ingest/views-in-use.ts";
import { DAY_MS } from "../../src/time.ts";
import { applyFor } from "../support/apply-for.ts";
import { expectPaths } from "../support/expect-paths.ts";
import type { createMemoryIngestQueue } from "../support/fakes/memory-ingest-queue.ts";
import { withFaults } from "../support/fakes/with-faults.ts";
import { newTenant } from "../support/log-events.ts";
import { oracleValue } from "../support/oracle.ts";
import { anyPathOptions, anySteps, pathRegistry, stepEvent } from "../support/paths.ts";
import { anyReadings, applyAll, NOW, openPorts } from "../support/play.ts";
import { truths, type Truth } from "../support/stores.ts";
import { corrections, device, oracleFeatures, readings } from "../support/views.ts";
import {
  byDevice,
  colour,
  consumerOf,
  deliver,
  eventsMessage,
  logEventOf,
  registry as old,
  vault,
  type Ports,
  type Reading,
} from "../support/write-path.ts";

/** One view of the old is changed, one left out, and new are a kind of entity's source and a view. */
const next = compileDefinitions([
  device,
  colour,
  readings,
  corrections,
  featureView("by_device", { entity: device, source: readings, features: { most: max("price") } }),
  featureView("twin", { entity: device, source: readings, features: byDevice.features }),
  featureView("corrected_colour", {
    entity: colour,
    source: corrections,
    features: { n: count(), newest: last("device") },
  }),
]);

type Name = "old" | "next";

/** A tenant, and a deployment that is to take another one's place: each with a process of its own. */
async function openDeployments(truth: Truth, registries: Readonly<Record<Name, Registry>>) {
  const tenant = newTenant();
  const ports: Ports = openPorts(truth, tenant);
  await applyAll(truth, ports, tenant, registries.old);
  const queue = ports.queue as ReturnType<typeof createMemoryIngestQueue>;
  const list = () => truth.definitionStore.listViews();
  const inUse = {
    old: openViewsInUse(registries.old, list),
    next: openViewsInUse(registries.next, list),
  };
  const ctx = (by: Name, now = NOW) => ({
    ...consumerOf(ports, () => now),
    registry: inUse[by].known.registry,
    inUse: inUse[by],
  });
  let days = 0;
  return {
    tenant,
    ports,
    async send(by: Name, events: readonly LogEvent[]): Promise<void> {
      if (events.length === 0) return;
      await consume(ctx(by), [deliver(eventsMessage(events), "m")]);
      queue.drain();
    },
    async sweep(by: Name): Promise<void> {
      days += 1;
      await sweep(ctx(by, NOW + days * DAY_MS));
      queue.drain();
    },
    apply: (
      by: Name,
      beside: boolean,
      meanwhile: () => Promise<void> = async () => undefined,
    ): Promise<AppliedDefinitions> =>
      applyFor(
        { ...ctx(by), registry: registries[by] },
        withFaults(truth.definitionStore, { before: meanwhile, after: meanwhile }),
        { beside },
      ),
  };
}

/** Every view of a deployment is what the distinct readings say. */
async function expectViews(
  registry: Registry,
  { tenant, ports }: { readonly tenant: string; readonly ports: Ports },
  all: readonly Reading[],
): Promise<void> {
  const ctx = { registry, online: ports.online, vault, now: () => NOW };
  for (const plan of registry.views.values()) {
    const keyOf = ({ device: of, fields }: Reading): string | null =>
      plan.entity === "device" ? of : ((fields["colour"] as string | null) ?? null);
    const own = all.filter(({ source }) => source === plan.source);
    const keys = [...new Set(own.flatMap((one) => keyOf(one) ?? []))];
    if (keys.length === 0) continue;
    const { results } = await readOnline(
      { ...ctx, whenIncomplete: "unavailable" },
      { tenant, features: [plan.name], entities: keys.map((key) => ({ [plan.entity]: key })) },
    );
    const expected = keys.map((key) => {
      const events = own
        .filter((one) => keyOf(one) === key)
        .map(({ device: of, ...one }) => ({ ...one, fields: { ...one.fields, device: of } }));
      return oracleFeatures(plan).map((feature) => oracleValue(feature, events, NOW));
    });
    expect([plan.name, results.map(({ values }) => values)]).toEqual([plan.name, expected]);
  }
}

const anyName = fc.constantFrom<Name>("old", "next");
const fourths = <T>(items: readonly T[]) => {
  const fourth = Math.ceil(items.length / 4);
  return [0, 1, 2, 3].map((n) => items.slice(n * fourth, (n + 1) * fourth)) as [T[], T[], T[], T[]];
};

describe.each(truths())("a deployment that is applied beside another one %s", (where, open) => {
  let shared: Truth;
  beforeAll(async () => void (shared = await open()));
  afterAll(() => shared.close());
  const fresh = (): Promise<Truth> => (where === "in memory" ? open() : Promise.resolve(shared));
  const numRuns = where === "in memory" ? 80 : 8;

  it("is right from its first moment, and so is the other as long as it is in use", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyReadings,
        fc.array(anyName, { minLength: 5, maxLength: 5 }),
        fc.constantFrom<Name>("old", "next"),
        async (all, [first, second, third, fourth, sweeper], stays) => {
          const truth = await fresh();
          const own = await openDeployments(truth, { old, next });
          const [a, b, c, d] = fourths(all.map((one) => logEventOf(one, own.tenant)));
          await own.send("old", a);
          // Perhaps deployed before anything is applied.
          await own.send(first ?? "old", b);
          await own.sweep("old");
          await expectViews(old, own, all.slice(0, a.length + b.length));
          const beside = await own.apply("next", true);
          expect(beside.others.map(({ name }) => name).toSorted()).toEqual([
            "by_colour",
            "by_device",
            "corrected",
          ]);
          await own.send(second ?? "old", c.slice(0, 2));
          await own.send(third ?? "old", c.slice(2));
          await own.send(fourth ?? "old", d);
          for (const by of [sweeper ?? "old", sweeper ?? "old"]) await own.sweep(by);
          await expectViews(old, own, all);
          await expectViews(next, own, all);

          const applied = await own.apply(stays, false);
          expect([applied.others, applied.registered, applied.built.size]).toEqual([[], [], 0]);
          await own.sweep(stays);
          await expectViews(stays === "old" ? old : next, own, all);
          expect(await own.ports.log.findUnfinished(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
          await own.apply("old", false);
        },
      ),
      { numRuns },
    );
  }, 90_000);

  it("is built while the other one goes on, without a moment in which that does not answer", async () => {
    const truth = await fresh();
    const own = await openDeployments(truth, { old, next });
    const sent: Reading[] = [];
    const send = async (by: Name, size: number): Promise<void> => {
      const few = Array.from({ length: size }, (_, i): Reading => {
        const fields = {
          price: `${i}.5`,
          level: i,
          colour: i % 2 === 0 ? "red" : "blue",
          on: true,
        };
        const source = i % 3 === 0 ? "corrections" : "readings";
        const order = `e${sent.length + i}`;
        return { order, time: NOW - 60_000 - i, device: `d${i % 7}`, source, fields };
      });
      sent.push(...few);
      await own.send(
        by,
        few.map((one) => logEventOf(one, own.tenant)),
      );
    };
    await send("old", 24);
    let steps = 0;
    const applied = await own.apply("next", true, async () => {
      steps += 1;
      // An entity that moves at every step is never caught.
      if (steps > 40) return;
      await send("old", 1 + (steps % 3));
      // What comes for entities that only the next one has is given by the sweep.
      await own.sweep("old");
      await expectViews(old, own, sent);
    });
    expect([applied.built.size, steps > 10]).toEqual([3, true]);
    await own.sweep("old");
    await expectViews(next, own, sent);
    await expectViews(old, own, sent);
    await own.apply("old", false);
  }, 60_000);

  it("has its joins, and leaves the other's as they were", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyPathOptions([1, 2]),
        anySteps(NOW - 60_000),
        fc.array(anyName, { minLength: 3, maxLength: 3 }),
        async (options, steps, [first, second, sweeper]) => {
          const truth = await fresh();
          const wider = { ...options, fanOut: options.fanOut + 1 };
          const registries = { old: pathRegistry(options), next: pathRegistry(wider) };
          const own = await openDeployments(truth, registries);
          const [a, b, c, d] = fourths(steps.map((step) => stepEvent(step, own.tenant)));
          await own.send("old", a);
          await own.send(first ?? "old", b);
          await own.apply("next", true);
          await own.send(second ?? "old", c);
          await own.send("next", d);
          for (const _ of [1, 2, 3]) await own.sweep(sweeper ?? "old");
          const played = { ...own, truth };
          await expectPaths({ ...played, registry: registries.old, options }, steps, NOW);
          await expectPaths({ ...played, registry: registries.next, options: wider }, steps, NOW);
          await own.apply("next", false);
          await own.sweep("next");
          await expectPaths({ ...played, registry: registries.next, options: wider }, steps, NOW);
        },
      ),
      { numRuns },
    );
  }, 90_000);
});
