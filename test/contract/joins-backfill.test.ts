import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AppliedDefinitions } from "../../src/features/apply-definitions.ts";
import { AppError } from "../../src/errors.ts";
import { isJoinId } from "../../src/features/feeds.ts";
import type { Registry } from "../../src/features/registry.ts";
import { consume } from "../../src/ingest/consume.ts";
import type { JoinLimits } from "../../src/ingest/join-limits.ts";
import { sweep } from "../../src/ingest/sweep.ts";
import { DAY_MS } from "../../src/time.ts";
import { applyFor } from "../support/apply-for.ts";
import { expectKnownPaths, expectPaths } from "../support/expect-paths.ts";
import { withFaults } from "../support/fakes/with-faults.ts";
import { newTenant } from "../support/log-events.ts";
import {
  anyPathOptions,
  anySteps,
  pathRegistry,
  stepEvent,
  type PathView,
  type Step,
} from "../support/paths.ts";
import { applyAll, BASE, drain, NOW, openPorts } from "../support/play.ts";
import { anyJoinLimits } from "../support/search-pairs.ts";
import { truths, type Truth } from "../support/stores.ts";
import { consumerOf, deliver, eventsMessage, type Ports } from "../support/write-path.ts";

const dieAtCommit = (method: string): void => {
  if (method === "commit") throw new AppError("dependency_unavailable", "dies here");
};

const JOINED: readonly PathView[] = ["ad_orders", "shopper_paths"];

async function openDeployment(truth: Truth, first: Registry, joinLimits: JoinLimits) {
  const tenant = newTenant();
  const ports: Ports = { ...openPorts(truth, tenant), joinLimits };
  await applyAll(truth, ports, tenant, first);
  const consumer = (registry: Registry) => ({ ...consumerOf(ports, () => NOW), registry });
  return {
    tenant,
    ports,
    apply: (registry: Registry): Promise<AppliedDefinitions> =>
      applyFor(consumer(registry), truth.definitionStore),
    send: async (registry: Registry, steps: readonly Step[], log = ports.log): Promise<void> => {
      if (steps.length === 0) return;
      const message = eventsMessage(steps.map((step) => stepEvent(step, tenant)));
      await consume({ ...consumer(registry), log }, [deliver(message, "m")]);
      await drain(ports, NOW, registry);
    },
  };
}

describe.each(truths())("definitions that gain a join %s", (where, open) => {
  let shared: Truth;
  beforeAll(async () => void (shared = await open()));
  afterAll(() => shared.close());
  const fresh = (): Promise<Truth> => (where === "in memory" ? open() : Promise.resolve(shared));
  const numRuns = where === "in memory" ? 60 : 8;

  describe.each([
    ["with room for all", [100]],
    ["that keeps the latest few", [1, 2]],
  ])("%s", (_name, fanOuts) => {
    it("pair all that came before, during and after the change", async () => {
      await fc.assert(
        fc.asyncProperty(
          anyPathOptions(fanOuts),
          anySteps(BASE),
          fc.boolean(),
          anyJoinLimits,
          async (options, steps, andBack, limits) => {
            const quarter = Math.ceil(steps.length / 4);
            const part = (n: number) => steps.slice(n * quarter, (n + 1) * quarter);
            const before = pathRegistry(options, ["ad_clicks"]);
            const half = pathRegistry(options, ["ad_clicks", "ad_orders"]);
            const whole = pathRegistry(options);
            const truth = await fresh();
            const deployment = await openDeployment(truth, before, limits);
            const { tenant, ports, apply, send } = deployment;
            await send(before, part(0));
            await apply(half);
            await send(half, part(1));
            if (andBack) await apply(before);
            // Not given to the join where nobody reads it any more.
            await send(andBack ? before : half, part(2));
            // Deployed, but not applied yet.
            await send(whole, part(3));
            await apply(whole);
            const played = { truth, ports, tenant, registry: whole, options };
            await expectPaths(played, steps, NOW);
            const again = await apply(whole);
            expect([again.backfilled, again.registered, again.built.size]).toEqual([0, [], 0]);
          },
        ),
        { numRuns },
      );
    }, 90_000);

    it("leave nothing waiting for a join that nobody reads any more, and give it all anew", async () => {
      let forgotten = 0;
      await fc.assert(
        fc.asyncProperty(
          anyPathOptions(fanOuts),
          anySteps(BASE),
          anyJoinLimits,
          async (options, steps, limits) => {
            const quarter = Math.ceil(steps.length / 4);
            const part = (n: number) => steps.slice(n * quarter, (n + 1) * quarter);
            const [without, whole] = [pathRegistry(options, ["ad_clicks"]), pathRegistry(options)];
            const truth = await fresh();
            const { tenant, ports, apply, send } = await openDeployment(truth, whole, limits);
            const own = async (): Promise<readonly string[]> =>
              (await ports.log.findUnfinished(Number.MAX_SAFE_INTEGER, 1_000))
                .filter((ref) => ref.tenant === tenant)
                .map(({ entity }) => entity);
            await send(whole, part(0));
            // Its consumers die before they fold.
            const dying = withFaults(ports.log, { before: dieAtCommit });
            await send(whole, part(1), dying);
            forgotten += (await own()).filter(isJoinId).length;
            await apply(without);
            expect((await own()).filter(isJoinId)).toEqual([]);
            await send(without, part(2));
            await send(whole, part(3), dying);
            await apply(whole);
            const ctx = { ...consumerOf(ports, () => NOW + DAY_MS), registry: whole };
            await sweep(ctx);
            const played = { truth, ports, tenant, registry: whole, options };
            await expectPaths(played, steps, NOW);
          },
        ),
        { numRuns },
      );
      expect(forgotten).toBeGreaterThan(0);
    }, 90_000);

    it("know the pairs of the past since their events were ingested, whatever is imported later", async () => {
      const moment = fc.integer({ min: BASE - 3_500, max: BASE + 3_500 });
      const known = fc.integer({ min: BASE - 3_000, max: BASE + 3_000 });
      await fc.assert(
        fc.asyncProperty(
          anyPathOptions(fanOuts),
          anySteps(BASE, fc.oneof(fc.constant(null), known)),
          fc.double({ min: 0, max: 1, noNaN: true }),
          fc.array(fc.tuple(moment, moment), { minLength: 1, maxLength: 5 }),
          anyJoinLimits,
          async (options, steps, share, moments, limits) => {
            const [before, whole] = [pathRegistry(options, ["ad_clicks"]), pathRegistry(options)];
            const truth = await fresh();
            const deployment = await openDeployment(truth, before, limits);
            const { tenant, ports, apply, send } = deployment;
            const split = Math.ceil(steps.length * share);
            const said = steps.map((step) => ({ ...step, known: step.known ?? step.time + 7 }));
            const past = steps.slice(0, split);
            for (let at = 0; at < split; at += 3) await send(before, past.slice(at, at + 3));
            await apply(whole);
            for (let at = split; at < said.length; at += 2) {
              await send(whole, said.slice(at, at + 2));
            }
            const played = { truth, ports, tenant, registry: whole, options };
            await expectKnownPaths(played, said, moments, NOW, JOINED);
          },
        ),
        { numRuns },
      );
    }, 90_000);
  });
});
