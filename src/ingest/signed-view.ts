import {
  changesOf,
  changeState,
  cleanTiles,
  type DirtyTiles,
  type SignedObservations,
} from "../features/change-state.ts";
import { observeEvent, type ReadEvent } from "../features/fold-view.ts";
import { moveNewest, type NewestAmong } from "../features/newest.ts";
import type { ViewPlan } from "../features/plan.ts";
import type { ViewState } from "../features/state.ts";

/** A view of which events may be taken back, while pending events are gathered for it. */
export interface SignedView {
  readonly plan: ViewPlan;
  readonly state: ViewState;
  readonly seen: SignedObservations[];
}

/** What of a view's state the log must tell: partials of tiles, and the newest event time. */
export interface Rebuild {
  readonly plan: ViewPlan;
  readonly state: ViewState;
  readonly dirty: DirtyTiles;
  readonly newest: NewestAmong | null;
}

export const openSigned = (plan: ViewPlan, state: ViewState): SignedView => ({
  plan,
  state,
  seen: [],
});

/**
 * Takes in one pending event; what another pending one takes back is not `left`, and only moves the
 * horizon. Answers whether the view takes it. Throws a RangeError for what cannot be taken.
 */
export function takeSigned(
  { plan, state, seen }: SignedView,
  key: string,
  { event, record }: ReadEvent,
  isLeft: boolean,
): boolean {
  const observations = observeEvent(plan, key, event, record);
  if (observations === null) return false;
  const { sign, eventTime: time, orderKey: order, ingestTime } = event;
  state.ingested = Math.max(state.ingested, ingestTime);
  if (sign === 1) state.horizon = Math.max(state.horizon ?? time, time);
  if (isLeft) seen.push({ sign, time, order, observations });
  return true;
}

const newestOf = (seen: readonly SignedObservations[], of: 1 | -1): number =>
  seen.reduce(
    (newest, { sign, time }) => (sign === of ? Math.max(newest, time) : newest),
    Number.NEGATIVE_INFINITY,
  );

/** Puts what was gathered into the state; answers what the log must tell, if anything. */
export function settleSigned({ plan, state, seen }: SignedView): readonly Rebuild[] {
  const dirty = cleanTiles(plan);
  changeState(plan, state, changesOf(seen), dirty);
  const newest = moveNewest(plan, state, newestOf(seen, 1), newestOf(seen, -1));
  const isClean = newest === null && dirty.every((tiles) => tiles.size === 0);
  return isClean ? [] : [{ plan, state, dirty, newest }];
}
