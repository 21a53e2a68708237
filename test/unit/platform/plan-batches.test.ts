import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planBatches } from "../../../src/platform/queues/plan-batches.ts";

const size = (message: string): number =>
  new TextEncoder().encode(JSON.stringify(message)).byteLength + 100;

describe("the plan of batches", () => {
  it("keeps every message, in order, within the queue's limits", () => {
    const length = fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 42_000 }));
    const messages = fc.array(
      fc.tuple(length, fc.constantFrom("x", "é", '"')).map(([n, text]) => text.repeat(n)),
      { maxLength: 260 },
    );
    fc.assert(
      fc.property(messages, (all) => {
        const batches = planBatches(all);
        expect(batches.flat()).toEqual(all);
        for (const batch of batches) {
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(100);
          const bytes = batch.map(size).reduce((a, b) => a + b);
          expect(bytes).toBeLessThanOrEqual(256_000);
        }
        // No two neighbours would have fitted into one.
        for (const [index, batch] of batches.slice(1).entries()) {
          const before = batches[index] ?? [];
          const next = [...before, ...batch.slice(0, 1)];
          const bytes = next.map(size).reduce((a, b) => a + b);
          expect(next.length > 100 || bytes > 256_000).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("takes a message of 128,000 bytes with its metadata, and none that is longer", () => {
    const longest = "x".repeat(127_898);
    expect(planBatches([longest])).toEqual([[longest]]);
    expect(() => planBatches(["fine", `${longest}x`])).toThrow(
      expect.objectContaining({ code: "payload_too_large" }),
    );
    expect(planBatches([])).toEqual([]);
  });
});
