import { feedName, isJoinId, type Feed } from "../features/feeds.ts";
import type { ViewPlan } from "../features/plan.ts";
import type { Size } from "./log-sizes.ts";

/**
 * Pure. For each view, the sources, as the log calls them, whose past events are to be looked through
 * for it. What several views need is done for the first of them. Of a new join these are its sides:
 * how many pairs they make, nobody knows yet.
 */
export function pastSources(
  views: Iterable<ViewPlan>,
  newFeeds: readonly Feed[],
): ReadonlyMap<string, readonly string[]> {
  const left = new Map(newFeeds.map((feed) => [feedName(feed), feed]));
  return new Map(
    [...views].map(({ name, entity, sourceId, keyColumns }) => {
      const own = feedName({ entity, source: sourceId, keyColumns });
      const taken = [...left].filter(
        ([id, feed]) => id === own || (isJoinId(sourceId) && feed.entity === sourceId),
      );
      for (const [id] of taken) left.delete(id);
      return [name, taken.map(([, { source }]) => source)];
    }),
  );
}

/** Pure. How much these sources hold together; null for none. */
export function sumOfSizes(
  sources: readonly string[],
  sizes: ReadonlyMap<string, Size>,
): Size | null {
  const known = sources.flatMap((source) => sizes.get(source) ?? []);
  if (known.length === 0) return null;
  return {
    count: known.reduce((sum, { count }) => sum + count, 0),
    exact: known.every(({ exact }) => exact),
  };
}
