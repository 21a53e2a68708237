import type { ViewPlan } from "./plan.ts";
import type { ViewState } from "./state.ts";

/** Event times among which the newest that is left is to be looked for; −Infinity where none is. */
export interface NewestAmong {
  readonly from: number;
  readonly before: number;
}

/**
 * Pure, but for `state`, whose `newest` it moves on after a change: `come` and `gone` are the newest
 * event times of what was added and taken back (−Infinity for nothing), and the horizon is known.
 * Where what was taken back may have been the newest, it answers where the next one may be, and
 * `newest` is the least that it can be. Older than a maxAge is as old as anything.
 */
export function moveNewest(
  { maxAgeMs }: ViewPlan,
  state: ViewState,
  come: number,
  gone: number,
): NewestAmong | null {
  const { horizon, newest } = state;
  if (horizon === null || maxAgeMs === null) {
    state.newest = horizon;
    return null;
  }
  const oldest = horizon - maxAgeMs;
  const known = Math.max(newest ?? oldest, come, oldest);
  state.newest = known;
  if (gone < known || gone <= Math.max(come, oldest)) return null;
  state.newest = Math.max(come, oldest);
  return { from: state.newest + 1, before: gone + 1 };
}
