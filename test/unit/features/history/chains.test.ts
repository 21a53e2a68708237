import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chainsOf, type Point } from "../../../../src/features/history/chains.ts";

const anyInstant = fc.oneof(fc.nat({ max: 20 }), fc.constant(Number.POSITIVE_INFINITY));
const anyPoint: fc.Arbitrary<Point> = fc.record({ at: fc.nat({ max: 20 }), upTo: anyInstant });
const anyPoints = fc.array(anyPoint, { maxLength: 30 });

/** The most points of which none can follow another, by trying: their number is a lower bound. */
function longestFall(points: readonly Point[]): number {
  const order = points.toSorted((a, b) => a.at - b.at);
  const best = order.map(() => 1);
  for (const [i, one] of order.entries()) {
    for (const [j, before] of order.slice(0, i).entries()) {
      if (before.at < one.at && before.upTo > one.upTo) {
        best[i] = Math.max(best[i] ?? 1, (best[j] ?? 1) + 1);
      }
    }
  }
  return Math.max(0, ...best);
}

describe("chains", () => {
  it("hold each point once, and neither time nor knowledge falls along them", () => {
    fc.assert(
      fc.property(anyPoints, (points) => {
        const chains = chainsOf(points);
        expect(chains.flat().toSorted((a, b) => a - b)).toEqual(points.map((_, i) => i));
        for (const chain of chains) {
          for (const [n, i] of chain.entries()) {
            const [before, one] = [points[chain[n - 1] ?? i], points[i]];
            expect(one?.at).toBeGreaterThanOrEqual(before?.at ?? 0);
            expect(one?.upTo).toBeGreaterThanOrEqual(before?.upTo ?? 0);
          }
        }
      }),
    );
  });

  it("are as few as can be", () => {
    fc.assert(
      fc.property(anyPoints, (points) => {
        expect(chainsOf(points)).toHaveLength(longestFall(points));
      }),
    );
  });

  it("are one for points as served, with one lag, of all that is known, or of one moment", () => {
    const times = [5, 1, 3, 3, 2];
    for (const upTo of [(at: number) => at, (at: number) => at + 7, () => Infinity, () => 2]) {
      expect(chainsOf(times.map((at) => ({ at, upTo: upTo(at) })))).toHaveLength(1);
    }
  });
});
