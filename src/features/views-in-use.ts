import type { RegisteredView } from "./definition-store.ts";
import { feedName, feedsOf, type Feed } from "./feeds.ts";
import type { ViewPlan } from "./plan.ts";
import { planRegistered } from "./plan-view.ts";
import type { Registry } from "./registry.ts";
import type { JoinPlan } from "./source-plan.ts";

/** A view of another deployment, and the join of whose pairs it is. */
interface Foreign {
  readonly view: ViewPlan;
  readonly join: JoinPlan | null;
}

/** Pure. A view in use that the deployment does not have; null where it cannot be computed here. */
function planForeign({ joinsByEntity }: Registry, registered: RegisteredView): Foreign | null {
  const view = planRegistered(registered);
  if (view === null || view.sourceId === view.source) return view && { view, join: null };
  const stored = JSON.parse(registered.joinPlan ?? "null") as JoinPlan | null;
  const join = joinsByEntity.get(view.sourceId) ?? stored;
  return join?.sourceId === view.sourceId ? { view, join } : null;
}

/** Pure. The views in use that a deployment does not have. */
export const foreignViews = (
  { views }: Pick<Registry, "views">,
  registered: readonly RegisteredView[],
): readonly RegisteredView[] => {
  const own = new Set([...views.values()].map(({ stateId }) => stateId));
  return registered.filter(({ retired, stateId }) => !retired && !own.has(stateId));
};

/** A registry with views of others, and those of them that this engine does not understand. */
export interface WithForeign {
  readonly registry: Registry;
  readonly unknown: readonly RegisteredView[];
}

/**
 * Pure. A deployment that keeps others' views up to date as well: events are given to their entities,
 * and folded into their states. Names, and all that is read or accepted, are the deployment's own.
 */
export function withForeignViews(
  own: Registry,
  registered: readonly RegisteredView[],
): WithForeign {
  const found = foreignViews(own, registered).map((one) => ({
    one,
    foreign: planForeign(own, one),
  }));
  const foreign = found.flatMap((each) => each.foreign ?? []);
  const unknown = found.flatMap((each) => (each.foreign === null ? [each.one] : []));
  if (foreign.length === 0) return { registry: own, unknown };
  const joinsByEntity = new Map(own.joinsByEntity);
  for (const { join } of foreign) if (join !== null) joinsByEntity.set(join.sourceId, join);
  const views = [...own.views.values(), ...foreign.map(({ view }) => view)];
  const known = new Set([...own.feedsBySource.values()].flat().map(feedName));
  const feeds = feedsOf(views, joinsByEntity).map((feed): Feed =>
    known.has(feedName(feed)) ? feed : { ...feed, isForeign: true },
  );
  const registry = {
    ...own,
    joinsByEntity,
    feedsBySource: Map.groupBy(feeds, ({ source }) => source),
    viewsByEntity: Map.groupBy(views, ({ entity }) => entity),
  };
  return { registry, unknown };
}
