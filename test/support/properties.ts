import fc from "fast-check";
import { beforeEach } from "vitest";

/** Of a test's time; the rest is for the report. */
const SHARE = 0.8;
const { FC_SEED, FC_PATH } = process.env;

/**
 * Properties end before their test's time is up, so that a failure is reported with its seed even
 * where shrinking it is slow, and a hang with the seed and the number of the run that hangs.
 * FC_SEED=… and FC_PATH=… run what was reported again; `vitest run --repeats 99` tries more seeds.
 */
beforeEach(({ task }) => {
  const end = performance.now() + (task.timeout > 0 ? task.timeout * SHARE : Infinity);
  fc.configureGlobal({
    ...(FC_SEED !== undefined && { seed: Number(FC_SEED) }),
    ...(FC_PATH !== undefined && { path: FC_PATH, endOnFailure: true }),
    markInterruptAsFailure: true,
    // Asked when a property begins: a test may have several.
    get interruptAfterTimeLimit() {
      return Math.max(0, end - performance.now());
    },
  });
});
