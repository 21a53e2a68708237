import fc from "fast-check";
import { afterAll, beforeAll, describe, it } from "vitest";
import { DAY_MS } from "../../src/time.ts";
import { anyWaitingLimits, sweepAll } from "../support/any-waiting-limits.ts";
import { expectTruth } from "../support/expect-truth.ts";
import { newTenant } from "../support/log-events.ts";
import { anyScript, applyAll, drain, NOW, openPorts, play } from "../support/play.ts";
import { truths, type Truth } from "../support/stores.ts";
import { consumerOf } from "../support/write-path.ts";

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
        fc.asyncProperty(anyScript, anyWaitingLimits, async (script, waitingLimits) => {
          const tenant = newTenant();
          const ports = { ...openPorts(truth, tenant), waitingLimits };
          await applyAll(truth, ports, tenant);
          await play(ports, tenant, script);
          await sweepAll(
            consumerOf(ports, () => NOW + DAY_MS),
            () => drain(ports, NOW),
          );
          await expectTruth(truth, ports, tenant, script.readings, NOW);
        }),
        { numRuns: where === "in memory" ? 150 : 40 },
      );
    }, 60_000);
  });
}
