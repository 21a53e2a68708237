import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JoinLimits } from "../../src/ingest/join-limits.ts";
import type { WaitingLimits } from "../../src/features/waiting-limits.ts";
import { DAY_MS } from "../../src/time.ts";
import { anyWaitingLimits, sweepAll } from "../support/any-waiting-limits.ts";
import { expectKnownPaths, expectPaths, type Played } from "../support/expect-paths.ts";
import { newTenant } from "../support/log-events.ts";
import { anyPathOptions, anySteps, pathRegistry, stepEvent, type Step } from "../support/paths.ts";
import {
  anyScript,
  applyAll,
  BASE,
  drain,
  NOW,
  openPorts,
  play,
  type Script,
} from "../support/play.ts";
import { anyJoinLimits } from "../support/search-pairs.ts";
import { truths, type Truth } from "../support/stores.ts";
import { consumerOf } from "../support/write-path.ts";

/** What is paired once stays so where there is room for all, and is displaced where there is not. */
const FAN_OUTS = [
  ["with room for all", [100]],
  ["that keep the latest few", [1, 1, 2, 3]],
] as const;

interface Limits {
  readonly joinLimits: JoinLimits;
  readonly waitingLimits: WaitingLimits;
}

const anyLimits: fc.Arbitrary<Limits> = fc.record({
  joinLimits: anyJoinLimits,
  waitingLimits: anyWaitingLimits,
});

describe.each(truths())("joins %s", (where, open) => {
  let shared: Truth;
  beforeAll(async () => void (shared = await open()));
  afterAll(() => shared.close());
  // A view is built for all tenants: in memory each run has a truth of its own.
  const fresh = (): Promise<Truth> => (where === "in memory" ? open() : Promise.resolve(shared));
  const numRuns = where === "in memory" ? 100 : 12;

  describe.each(FAN_OUTS)("%s", (_name, fanOuts) => {
    it("are what the definition says, whatever is repeated, reordered, lost or killed", async () => {
      const seen = { paired: 0, vanished: 0 };
      await fc.assert(
        fc.asyncProperty(
          anyPathOptions(fanOuts),
          anySteps(BASE),
          anyScript,
          anyLimits,
          async (options, steps, delivery, limits) => {
            const played = await playSteps(await fresh(), options, steps, delivery, limits);
            await expectPaths(played, steps, NOW);
            const { appeared, vanished } = await pairsIn(played);
            seen.paired += appeared;
            seen.vanished += vanished;
          },
        ),
        { numRuns },
      );
      expect(seen.paired).toBeGreaterThan(numRuns);
      // A few runs may see none vanish.
      const least = where === "in memory" && fanOuts.length > 1 ? numRuns / 10 : 0;
      expect(seen.vanished).toBeGreaterThanOrEqual(least);
    }, 90_000);

    it("knew of a pair, at any time, when its imports say that they were known", async () => {
      const moment = fc.integer({ min: BASE - 3_500, max: BASE + 3_500 });
      await fc.assert(
        fc.asyncProperty(
          anyPathOptions(fanOuts),
          anySteps(BASE, fc.integer({ min: BASE - 3_000, max: BASE + 3_000 })),
          anyScript,
          fc.array(fc.tuple(moment, moment), { minLength: 1, maxLength: 5 }),
          anyLimits,
          async (options, steps, delivery, moments, limits) => {
            const played = await playSteps(await fresh(), options, steps, delivery, limits);
            await expectPaths(played, steps, NOW);
            await expectKnownPaths(played, steps, moments, NOW);
          },
        ),
        { numRuns },
      );
    }, 90_000);
  });
});

async function playSteps(
  truth: Truth,
  options: Played["options"],
  steps: readonly Step[],
  delivery: Script,
  limits: Limits,
): Promise<Played> {
  const tenant = newTenant();
  const registry = pathRegistry(options);
  const ports = { ...openPorts(truth, tenant), ...limits };
  await applyAll(truth, ports, tenant, registry);
  await play(
    ports,
    tenant,
    // Many small batches: what is paired with what changes between them.
    { ...delivery, readings: steps, perMessage: 1 + (delivery.perMessage % 2), perBatch: 1 },
    { registry, eventOf: (step) => stepEvent(step, tenant) },
  );
  const ctx = { ...consumerOf(ports, () => NOW + DAY_MS), registry };
  await sweepAll(ctx, () => drain(ports, NOW, registry));
  return { truth, ports, tenant, registry, options };
}

/** How many pairs were ever given to an ad, and taken back. */
async function pairsIn({ truth, tenant }: Played) {
  const logs = ["a1", "a2"].map((key) => truth.readLog({ tenant, entity: "ad", key }));
  const pairs = (await Promise.all(logs)).flat().filter((line) => line.includes("‖"));
  const vanished = pairs.filter((line) => line.includes("‖-")).length;
  return { appeared: pairs.length - vanished, vanished };
}
