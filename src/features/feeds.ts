import type { ViewPlan } from "./plan.ts";
import type { JoinPlan } from "./source-plan.ts";

/** A way in which the events of a source are given to entities of one kind. */
export interface Feed {
  readonly entity: string;
  /** What the source is called in the log. */
  readonly source: string;
  /** The source's columns that make the entity's key. */
  readonly keyColumns: readonly string[];
  /** Whether it gives a join its left events. */
  readonly isLeft?: boolean;
  /** Whether it is another deployment's alone: what that would refuse is not given by it. */
  readonly isForeign?: boolean;
}

/** Pure. Names a feed: two with one name give the same events to the same entities. */
export const feedName = ({ entity, source, keyColumns }: Feed): string =>
  JSON.stringify([entity, source, keyColumns]);

/** Pure. The names of the feeds by which a deployment gives the events of these sources. */
export const feedNamesOf = (
  feedsBySource: ReadonlyMap<string, readonly Feed[]>,
  sources: Iterable<string>,
): readonly string[] =>
  [...new Set(sources)].flatMap((source) => (feedsBySource.get(source) ?? []).map(feedName));

/** Pure. How the events of its sources meet in a join. */
export const feedsOfJoin = ({ sourceId, left, right, on }: JoinPlan): readonly Feed[] => [
  { entity: sourceId, source: left, keyColumns: on.map((column) => column.left), isLeft: true },
  { entity: sourceId, source: right, keyColumns: on.map((column) => column.right) },
];

/**
 * Pure. Whether this names the pairs of a join, or the kind of entity where its sources meet: that is
 * `name@hash`, and a definition's own name holds no `@`.
 */
export const isJoinId = (name: string): boolean => name.includes("@");

/** Pure. The distinct feeds of views and of the joins that they read, those of joins first. */
export function feedsOf(
  views: Iterable<ViewPlan>,
  joins: ReadonlyMap<string, JoinPlan>,
): readonly Feed[] {
  const feeds = new Map<string, Feed>();
  const put = (feed: Feed): void => void feeds.set(feedName(feed), feed);
  const all = [...views];
  for (const id of new Set(all.map(({ sourceId }) => sourceId))) {
    const join = joins.get(id);
    if (join !== undefined) feedsOfJoin(join).forEach(put);
  }
  for (const { entity, sourceId, keyColumns } of all) put({ entity, source: sourceId, keyColumns });
  return [...feeds.values()];
}
