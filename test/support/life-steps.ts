import fc from "fast-check";
import { MINUTE_MS, SECOND_MS } from "../../src/time.ts";

/**
 * What happens in the life of three deployments, which `by` names: consumers and sweeps of any of them
 * are at work at once, also of those that were applied long ago, or never. Whoever begins something
 * makes so many `calls` of stores, and stands still then until it is let `go on`.
 */
export type LifeStep =
  | {
      readonly do: "send";
      readonly by: number;
      /** So many facts that were not sent yet, and before them some that were. */
      readonly take: number;
      readonly again: number;
      readonly calls: number;
    }
  | { readonly do: "sweep" | "queue"; readonly by: number; readonly calls: number }
  /** `beside` leaves the views of others in use. */
  | { readonly do: "apply"; readonly by: number; readonly beside: boolean; readonly calls: number }
  /** An engine that is newer applies a view beside that none of the three understands. */
  | { readonly do: "apply what comes later"; readonly entity: "ad" | "shopper" }
  /** A new isolate begins: what it knows are the deployment's own views. */
  | { readonly do: "forget"; readonly by: number }
  /** 0 is who stands still since the latest beginning. */
  | { readonly do: "go on"; readonly who: number; readonly calls: number }
  | { readonly do: "rebuild"; readonly keepServing: boolean; readonly calls: number }
  | { readonly do: "flush" }
  | { readonly do: "wait"; readonly ms: number };

export const TO_THE_END = 1_000;
const anyBy = fc.nat({ max: 2 });
/** To the end, or to a standstill after so many. */
const anyCalls = (most: number): fc.Arbitrary<number> =>
  fc.oneof(fc.constant(TO_THE_END), fc.integer({ min: 1, max: most }));

const anyStep: fc.Arbitrary<LifeStep> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("send" as const),
      by: anyBy,
      take: fc.integer({ min: 1, max: 3 }),
      again: fc.nat({ max: 1 }),
      calls: anyCalls(5),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("apply" as const),
      by: anyBy,
      beside: fc.boolean(),
      calls: anyCalls(30),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("apply what comes later" as const),
      entity: fc.constantFrom("ad" as const, "shopper" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("forget" as const), by: anyBy }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("sweep" as const), by: anyBy, calls: anyCalls(10) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("queue" as const), by: anyBy, calls: anyCalls(5) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("go on" as const),
      who: fc.nat({ max: 2 }),
      calls: anyCalls(5),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("flush" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("rebuild" as const),
      keepServing: fc.boolean(),
      calls: anyCalls(10),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      ms: fc.constantFrom(10 * SECOND_MS, 4 * MINUTE_MS),
    }),
  },
);

export const anyLife: fc.Arbitrary<readonly LifeStep[]> = fc.array(anyStep, {
  minLength: 4,
  maxLength: 16,
  size: "max",
});
