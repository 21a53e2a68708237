import {
  inOrder,
  RightPairs,
  type PairChange,
  type Side,
} from "../../src/features/pair-changes.ts";
import type { JoinPlan } from "../../src/features/source-plan.ts";

/** How pairs change when the fresh ones among these events join the others: with all of them in view. */
export function wholePairs(
  { left, withinMs, fanOut }: JoinPlan,
  sides: readonly Side[],
): readonly PairChange[] {
  const latestFirst = sides.toSorted((a, b) => inOrder(b, a));
  return sides
    .filter(({ event }) => event.source !== left)
    .flatMap((right) => {
      const pairs = new RightPairs(right, fanOut, Number.NEGATIVE_INFINITY);
      return latestFirst
        .filter(({ event }) => event.source === left)
        .filter(({ event }) => {
          const lag = right.event.eventTime - event.eventTime;
          return lag >= 0 && lag <= withinMs;
        })
        .flatMap((one) => pairs.take(one));
    });
}
