import type { Aggregate } from "../aggregates/aggregate.ts";
import type { ReadShape } from "../assemble.ts";
import type { ViewState } from "../state.ts";
import { coverWindow, isSameWindow, LIFETIME_TILE_MS, type Window } from "../window.ts";

/** A slot that reads a window, and where the tiles of one size hold its partial. */
interface PlacedSlot {
  readonly slot: number;
  readonly position: number;
}

/** The slots of one window: by tile size, the level and each slot's place in its tiles. */
interface WindowRead {
  readonly window: Window;
  readonly bySize: ReadonlyMap<
    number,
    { readonly level: number; readonly placed: readonly PlacedSlot[] }
  >;
}

/** How the slots of a view are merged from a state that is not packed. */
export interface MergePlan {
  readonly shape: ReadShape;
  readonly windows: readonly WindowRead[];
}

/** Pure. Works out once, for all entities and instants, where each slot finds its partials. */
export function planMerge(shape: ReadShape): MergePlan {
  const { plan, slots } = shape;
  const distinct: Window[] = [];
  for (const { window } of slots) {
    if (!distinct.some((one) => isSameWindow(one, window))) distinct.push(window);
  }
  const windows = distinct.map((window): WindowRead => {
    const bySize = plan.levels.flatMap(({ sizeMs, partials }, level) => {
      const placed = slots.flatMap((one, slot): PlacedSlot[] => {
        const position = partials.indexOf(one.partial);
        return position < 0 || !isSameWindow(one.window, window) ? [] : [{ slot, position }];
      });
      return placed.length === 0 ? [] : [[sizeMs, { level, placed }] as const];
    });
    return { window, bySize: new Map(bySize) };
  });
  return { shape, windows };
}

/** Merges partials; the first is only borrowed, since most windows of most entities have one tile. */
class Merger {
  readonly #aggregate: Aggregate<unknown>;
  #merged: unknown = undefined;
  #count = 0;

  constructor(aggregate: Aggregate<unknown>) {
    this.#aggregate = aggregate;
  }

  add(partial: unknown): void {
    const aggregate = this.#aggregate;
    // A merge may change its first argument: never a tile's own partial.
    if (this.#count === 1) this.#merged = aggregate.merge(aggregate.empty(), this.#merged);
    this.#merged = this.#count === 0 ? partial : aggregate.merge(this.#merged, partial);
    this.#count += 1;
  }

  get result(): unknown {
    return this.#count === 0 ? this.#aggregate.empty() : this.#merged;
  }
}

/**
 * Pure. The slots' partials at `at`, merged from the tiles that cover each window: those that
 * assemble.ts merges of a packed state. No event of the state may lie at or after `at`. What it
 * answers may be parts of the state, and is not to be changed.
 */
export function mergeState(
  { shape, windows }: MergePlan,
  state: ViewState,
  at: number,
): readonly unknown[] {
  const mergers = shape.slots.map(({ aggregate }) => new Merger(aggregate));
  for (const { window, bySize } of windows) {
    for (const { sizeMs, from, to } of coverWindow(window, at)) {
      const read = bySize.get(sizeMs);
      const tiles = read === undefined ? undefined : state.levels[read.level];
      if (read === undefined || tiles === undefined || tiles.size === 0) continue;
      const take = (tile: readonly unknown[] | undefined): void => {
        if (tile === undefined) return;
        for (const { slot, position } of read.placed) mergers[slot]?.add(tile[position]);
      };
      if (sizeMs === LIFETIME_TILE_MS) {
        take(tiles.get(0));
        continue;
      }
      // No tile begins after the horizon, where an open range goes on for ever.
      const end = Math.min(to, (state.horizon ?? from) + 1);
      if ((end - from) / sizeMs <= tiles.size) {
        for (let start = from; start < end; start += sizeMs) take(tiles.get(start));
      } else {
        for (const [start, tile] of tiles) if (start >= from && start < end) take(tile);
      }
    }
  }
  return mergers.map(({ result }) => result);
}
