import { observeEvent, type Observations } from "../features/fold-view.ts";
import type { LogFilter } from "../features/history/history-log.ts";
import { Unmatched, type SignedEvent } from "../features/net-events.ts";
import { recordFromText } from "../features/source-record.ts";
import { partialAt } from "../features/state.ts";
import { LIFETIME_TILE_MS, tileStart } from "../features/window.ts";
import type { Fold } from "./fold.ts";
import type { OpenFold } from "./open-fold.ts";
import type { Rebuild } from "./signed-view.ts";

/** A view's dirty partials while they are added up anew. */
interface Rebuilt extends Rebuild {
  /** Per level, tile start → position → partial. */
  readonly tiles: readonly ReadonlyMap<number, Map<number, unknown>>[];
  newestFound: number;
}

function begin(rebuild: Rebuild): Rebuilt {
  const { plan, dirty } = rebuild;
  const tiles = plan.levels.map(({ partials }, i) => {
    const dirtyTiles = [...(dirty[i] ?? [])];
    const empty = (j: number): unknown => partialAt(plan, partials[j] as number).empty();
    return new Map(
      dirtyTiles.map(([start, marked]) => [start, new Map([...marked].map((j) => [j, empty(j)]))]),
    );
  });
  return { ...rebuild, tiles, newestFound: Number.NEGATIVE_INFINITY };
}

const isNewestAmong = ({ newest }: Rebuild, time: number): boolean =>
  newest !== null && time >= newest.from && time < newest.before;

/** Whether a rebuild depends on events of that time. */
const dependsOn = (rebuild: Rebuild, time: number): boolean =>
  isNewestAmong(rebuild, time) ||
  rebuild.plan.levels.some(
    ({ sizeMs }, i) => rebuild.dirty[i]?.has(tileStart(sizeMs, time)) === true,
  );

function addTo(rebuilt: Rebuilt, time: number, observations: Observations): void {
  const { plan, tiles } = rebuilt;
  if (isNewestAmong(rebuilt, time)) rebuilt.newestFound = Math.max(rebuilt.newestFound, time);
  for (const [i, { sizeMs, partials }] of plan.levels.entries()) {
    const tile = tiles[i]?.get(tileStart(sizeMs, time));
    if (tile === undefined) continue;
    for (const [j, partial] of tile) {
      const at = partials[j] as number;
      const seen = observations[at] ?? null;
      if (seen !== null) tile.set(j, partialAt(plan, at).add(partial, seen));
    }
  }
}

/** Puts what was added up in its places. */
function put({ state, tiles, newest, newestFound }: Rebuilt): void {
  for (const [i, ofLevel] of tiles.entries()) {
    for (const [start, tile] of ofLevel) {
      const held = state.levels[i]?.get(start);
      if (held !== undefined) for (const [j, partial] of tile) held[j] = partial;
    }
  }
  if (newest !== null) state.newest = Math.max(state.newest ?? newestFound, newestFound);
}

/** Event times that the rebuilds depend on, and maybe some between. */
function filterOf(rebuilds: readonly Rebuild[]): LogFilter {
  let [from, before] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const include = (first: number, end: number): void => {
    from = Math.min(from, first);
    before = Math.max(before, end);
  };
  for (const { plan, dirty, newest } of rebuilds) {
    if (newest !== null) include(newest.from, newest.before);
    for (const [i, { sizeMs }] of plan.levels.entries()) {
      for (const start of dirty[i]?.keys() ?? []) {
        const isLifetime = sizeMs === LIFETIME_TILE_MS;
        if (isLifetime) include(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
        else include(start, start + sizeMs);
      }
    }
  }
  return { sources: [...new Set(rebuilds.map(({ plan }) => plan.sourceId))], from, before };
}

/**
 * A fold that adds up tiles anew from the log of the entity `key`, newest events first, behind what
 * is pending and not taken back by something pending. A retraction waits for the next older event
 * of its content. Where one is left at the end, what it takes back was numbered after it (while a
 * kind of entity was given its past), and the log is read a second time with it in mind from the
 * start: per content, of P events and M retractions then exactly max(0, P − M) are left.
 */
export function openRebuild(
  rebuilds: readonly Rebuild[],
  key: string,
  pending: readonly SignedEvent[],
  finish: () => Fold,
): OpenFold {
  const pass = (known: Unmatched, isLast: boolean): OpenFold => {
    const rebuilt = rebuilds.map(begin);
    const unmatched = known.copy();
    const take = (events: readonly SignedEvent[]): void => {
      for (const event of events) {
        const own = rebuilt.filter(
          (one) => event.source === one.plan.sourceId && dependsOn(one, event.eventTime),
        );
        if (own.length === 0) continue;
        if (event.sign === -1) unmatched.add(event);
        else if (!unmatched.match(event)) addLive(own, key, event);
      }
    };
    take(pending);
    return {
      filter: filterOf(rebuilds),
      take,
      finish() {
        if (!unmatched.isEmpty && !isLast) return pass(unmatched, true);
        for (const one of rebuilt) put(one);
        return finish();
      },
    };
  };
  return pass(new Unmatched(), false);
}

function addLive(own: readonly Rebuilt[], key: string, event: SignedEvent): void {
  const record = recordFromText(event.body);
  for (const one of own) {
    try {
      const observations = observeEvent(one.plan, key, event, record);
      if (observations !== null) addTo(one, event.eventTime, observations);
    } catch (error) {
      // As when a view is built from the log: an event that it cannot take has no part in it.
      if (!(error instanceof RangeError)) throw error;
    }
  }
}
