import type { Aggregate, Observation } from "./aggregates/aggregate.ts";
import { isSameValue } from "./aggregates/value-codec.ts";
import type { Observations } from "./fold-view.ts";
import type { ViewPlan } from "./plan.ts";
import { keptFrom, partialAt, type ViewState } from "./state.ts";
import { tileStart } from "./window.ts";

/** What a view takes of an event, and whether it is added or taken back. */
export interface SignedObservations {
  readonly sign: 1 | -1;
  readonly time: number;
  readonly order: string;
  readonly observations: Observations;
}

/** What goes and what comes at one (time, order key): of an update both. */
export interface Change {
  readonly time: number;
  readonly gone: Observations | null;
  readonly come: Observations | null;
}

/**
 * Per level of the plan, tile start → positions in the level of the partials that do not tell what
 * they are without what was taken back: they are to be added up anew.
 */
export type DirtyTiles = readonly Map<number, Set<number>>[];

export const cleanTiles = (plan: ViewPlan): DirtyTiles => plan.levels.map(() => new Map());

/** What only goes comes first, then what is replaced: a bounded partial is then filled last. */
const rankOf = ({ gone, come }: Change): number => (gone === null ? 2 : come === null ? 0 : 1);

/** Pure. Pairs what is taken back with what takes its place. */
export function changesOf(seen: readonly SignedObservations[]): readonly Change[] {
  const places = new Map<string, { time: number; gone: Observations[]; come: Observations[] }>();
  for (const { sign, time, order, observations } of seen) {
    const at = `${time} ${order}`;
    const place = places.get(at) ?? { time, gone: [], come: [] };
    places.set(at, place);
    (sign === 1 ? place.come : place.gone).push(observations);
  }
  return [...places.values()]
    .flatMap(({ time, gone, come }) =>
      Array.from({ length: Math.max(gone.length, come.length) }, (_, i) => ({
        time,
        gone: gone[i] ?? null,
        come: come[i] ?? null,
      })),
    )
    .toSorted((a, b) => rankOf(a) - rankOf(b));
}

/** The partial after a change; null where it cannot tell, and then as it was. */
function changed(
  aggregate: Aggregate<unknown>,
  partial: unknown,
  gone: Observation | null,
  come: Observation | null,
): unknown {
  if (gone === null) return aggregate.add(partial, come as Observation);
  if (come === null) return aggregate.retract(partial, gone);
  if (aggregate.replace !== undefined) return aggregate.replace(partial, gone, come);
  const without = aggregate.retract(partial, gone);
  return without === null ? null : aggregate.add(without, come);
}

function markDirty(tiles: Map<number, Set<number>>, start: number, position: number): void {
  const marked = tiles.get(start) ?? new Set();
  tiles.set(start, marked.add(position));
}

/**
 * Pure, but for `state` and `dirty`, which it changes: takes back what goes and adds what comes, in
 * every size of tile, and marks the partials that must be added up anew. Nothing may lie beyond the
 * state's horizon. What a state never had, in a tile that is not there, is passed over.
 */
export function changeState(
  plan: ViewPlan,
  state: ViewState,
  changes: readonly Change[],
  dirty: DirtyTiles,
): void {
  const { horizon } = state;
  if (horizon === null) return;
  for (const [i, { sizeMs, partials, windows, windowsOf }] of plan.levels.entries()) {
    const tiles = state.levels[i] as Map<number, unknown[]>;
    const dirtyTiles = dirty[i] as Map<number, Set<number>>;
    const aggregates = partials.map((at) => partialAt(plan, at));
    const from = partials.map((_, j) => keptFrom(sizeMs, windowsOf[j] ?? windows, horizon));
    for (const { time, gone, come } of changes) {
      const start = tileStart(sizeMs, time);
      for (const [j, at] of partials.entries()) {
        if (start < (from[j] as number)) continue;
        const [minus, plus] = [gone?.[at] ?? null, come?.[at] ?? null];
        if (minus === null && plus === null) continue;
        if (minus !== null && plus !== null && isSameValue(minus.value, plus.value)) continue;
        if (dirtyTiles.get(start)?.has(j) === true) continue;
        let held = tiles.get(start);
        if (held === undefined) {
          if (plus === null) continue;
          held = aggregates.map((aggregate) => aggregate.empty());
          tiles.set(start, held);
        }
        const partial = changed(aggregates[j] as Aggregate<unknown>, held[j], minus, plus);
        if (partial === null) markDirty(dirtyTiles, start, j);
        else held[j] = partial;
      }
    }
  }
}
