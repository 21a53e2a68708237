import {
  changesOf,
  changeState,
  cleanTiles,
  type DirtyTiles,
  type SignedObservations,
} from "../change-state.ts";
import { addObservations } from "../fold-view.ts";
import { moveNewest } from "../newest.ts";
import type { ViewPlan } from "../plan.ts";
import { keptFrom, partialAt, type ViewState } from "../state.ts";
import { LIFETIME_TILE_MS } from "../window.ts";
import type { Point } from "./chains.ts";
import type { Matched } from "./match-retractions.ts";
import type { PackedEvents } from "./packed-events.ts";
import { visibleOrder, type VisibleOrder } from "./visible-order.ts";

/** What a chain's state is made of, when events may be taken back. */
export interface SignedChain {
  readonly plan: ViewPlan;
  readonly events: PackedEvents;
  readonly matched: Matched;
  readonly chain: readonly Point[];
}

interface Walk extends SignedChain {
  readonly times: Float64Array;
  readonly contents: Float64Array;
  readonly visible: VisibleOrder;
  readonly dirty: DirtyTiles;
}

/**
 * How a state goes along a chain, point by point: what comes to be seen is added, what comes to be
 * taken back is taken back, and what the state does not tell then is added up anew from what the
 * point sees. What one point sees for the first time and taken back leaves the horizon alone.
 */
export function signedChain(of: SignedChain, state: ViewState): (point: number) => void {
  const { times, contents } = of.events;
  const { plan, matched } = of;
  const visible = visibleOrder(of.chain, times, matched.marks, matched.order);
  const walk: Walk = { ...of, times, contents, visible, dirty: cleanTiles(plan) };
  const { positions, visibleFrom, first } = visible;
  let next = 0;
  return (point) => {
    const begin = next;
    while (next < positions.length && (visibleFrom[next] as number) <= point) next += 1;
    let [come, gone] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const left: number[] = [];
    for (const position of positions.subarray(begin, next)) {
      const time = times[position] as number;
      const isAdded = (contents[position] as number) > 0;
      if (isAdded) state.horizon = Math.max(state.horizon ?? time, time);
      const partner = matched.partner[position] as number;
      if (partner >= 0 && first[partner] === first[position]) continue;
      if (isAdded) come = Math.max(come, time);
      else gone = Math.max(gone, time);
      left.push(position);
    }
    for (const run of runsOf(left, times)) change(walk, state, run);
    const among = moveNewest(plan, state, come, gone);
    if (among !== null) {
      const newest = newestLive(walk, point, among.from, among.before);
      state.newest = Math.max(state.newest ?? newest, newest);
    }
    rebuild(walk, state, point);
  };
}

/** Positions that come by time, cut into those of one time each. */
function* runsOf(positions: readonly number[], times: Float64Array): Generator<readonly number[]> {
  for (let from = 0; from < positions.length;) {
    const time = times[positions[from] as number];
    let end = from + 1;
    while (end < positions.length && times[positions[end] as number] === time) end += 1;
    yield positions.slice(from, end);
    from = end;
  }
}

function change(walk: Walk, state: ViewState, run: readonly number[]): void {
  const { plan, events, times, contents, dirty } = walk;
  const time = times[run[0] as number] as number;
  if (run.every((position) => (contents[position] as number) > 0)) {
    for (const position of run) {
      addObservations(plan, state, time, events.observationsAt(position));
    }
    return;
  }
  const seen = run.map((position): SignedObservations => {
    const sign = (contents[position] as number) > 0 ? 1 : -1;
    return { sign, time, ...events.readAt(position) };
  });
  changeState(plan, state, changesOf(seen), dirty);
}

/** Whether the point sees the event, and nothing that takes it back. */
function isLive({ contents, matched, visible }: Walk, position: number, point: number): boolean {
  if ((contents[position] as number) < 0) return false;
  if ((visible.first[position] as number) > point) return false;
  const partner = matched.partner[position] as number;
  return partner < 0 || (visible.first[partner] as number) > point;
}

/** The first place in the order whose time is not before the instant. */
function placeOf({ matched: { order }, times }: Walk, instant: number): number {
  let [low, high] = [0, order.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[order[middle] as number] as number) >= instant) high = middle;
    else low = middle + 1;
  }
  return low;
}

function newestLive(walk: Walk, point: number, from: number, before: number): number {
  const { order } = walk.matched;
  for (let place = placeOf(walk, before) - 1; place >= 0; place -= 1) {
    const position = order[place] as number;
    const time = walk.times[position] as number;
    if (time < from) break;
    if (isLive(walk, position, point)) return time;
  }
  return Number.NEGATIVE_INFINITY;
}

/** Adds up anew what is dirty and within reach of the point; what is not, nobody reads any more. */
function rebuild(walk: Walk, state: ViewState, point: number): void {
  const { at } = walk.chain[point] as Point;
  for (const [i, { sizeMs, windows }] of walk.plan.levels.entries()) {
    const reach = keptFrom(sizeMs, windows, at - 1);
    for (const [start, marked] of walk.dirty[i] ?? []) {
      const held = state.levels[i]?.get(start);
      if (start >= reach && held !== undefined)
        rebuildTile(walk, { i, start, marked }, held, point);
    }
    walk.dirty[i]?.clear();
  }
}

function rebuildTile(
  walk: Walk,
  {
    i,
    start,
    marked,
  }: { readonly i: number; readonly start: number; readonly marked: Set<number> },
  held: unknown[],
  point: number,
): void {
  const { plan, events, matched } = walk;
  const { sizeMs, partials } = plan.levels[i] as ViewPlan["levels"][number];
  const isLifetime = sizeMs === LIFETIME_TILE_MS;
  const from = isLifetime ? 0 : placeOf(walk, start);
  const to = isLifetime ? matched.order.length : placeOf(walk, start + sizeMs);
  const rebuilt = [...marked].map((j) => {
    const at = partials[j] as number;
    const aggregate = partialAt(plan, at);
    return { j, at, aggregate, partial: aggregate.empty() };
  });
  for (const position of matched.order.subarray(from, to)) {
    if (!isLive(walk, position, point)) continue;
    const observations = events.observationsAt(position);
    for (const one of rebuilt) {
      const seen = observations[one.at] ?? null;
      if (seen !== null) one.partial = one.aggregate.add(one.partial, seen);
    }
  }
  for (const { j, partial } of rebuilt) held[j] = partial;
}
