import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const limit = (): number => fc.readConfigureGlobal().interruptAfterTimeLimit ?? Number.NaN;

const NEVER = new Promise<void>(() => undefined);

describe("a property", () => {
  it("ends before the time of its test is up, however many came before it", async () => {
    const first = limit();
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(8_000);
    await sleep(5);
    expect(limit()).toBeLessThan(first);
  }, 10_000);

  it("has no end where its test has none", () => {
    expect(limit()).toBe(Infinity);
    fc.assert(fc.property(fc.nat(), (n) => n >= 0));
  }, 0);

  it("names its seed where it fails and shrinking takes for ever", async () => {
    let runs = 0;
    const failing = fc.asyncProperty(fc.array(fc.nat(), { minLength: 9 }), () =>
      ++runs === 1 ? Promise.reject(new Error("It fails.")) : NEVER,
    );
    const report = /^Property failed after 1 tests\n\{ seed: -?\d+, path: "0"/;
    await expect(fc.assert(failing, { interruptAfterTimeLimit: 300 })).rejects.toThrow(report);
  });

  it("names its seed where it hangs, and after how many runs", async () => {
    let runs = 0;
    const hanging = fc.asyncProperty(fc.nat(), () => (++runs < 3 ? Promise.resolve() : NEVER));
    const report = /^Property interrupted after 2 tests\n\{ seed: -?\d+ \}/;
    await expect(fc.assert(hanging, { interruptAfterTimeLimit: 300 })).rejects.toThrow(report);
  });
});
