import {
  changesOf,
  changeState,
  cleanTiles,
  type DirtyTiles,
  type SignedObservations,
} from "./change-state.ts";
import { ContentSet, contentOf } from "./content-set.ts";
import type { NumberedEvent } from "./definition-store.ts";
import type { LogEvent } from "./event-log.ts";
import { addObservations, dropUnreachable, observeEvent, type Observations } from "./fold-view.ts";
import { netOf } from "./net-events.ts";
import { moveNewest } from "./newest.ts";
import type { ViewPlan } from "./plan.ts";
import { Recounts } from "./recounts.ts";
import { recordFromText } from "./source-record.ts";
import { emptyState, encodeState, type ViewState } from "./state.ts";

/** Pure. What a view takes of an event of the log; null for nothing, also where it cannot take it. */
export function observePast(plan: ViewPlan, key: string, event: LogEvent): Observations | null {
  try {
    return observeEvent(plan, key, event, recordFromText(event.body));
  } catch (error) {
    // A past event that the view cannot take has no part in it.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/**
 * A view's state of one entity while its events come page by page, in whatever order. Where events
 * may be taken back it remembers the contents of those that count, so that a retraction is subtracted
 * where what it takes back is there, and waits where it is not. Of partials that do not tell what they
 * are without what was taken back, events are to be read again: those of the chunks of the log, of so
 * many versions, that changed since the last time.
 */
export class GatheredState {
  readonly #plan: ViewPlan;
  readonly #key: string;
  readonly #state: ViewState;
  readonly #added = new ContentSet();
  /** Retractions of what did not come yet. */
  readonly #waiting = new ContentSet();
  readonly #recounts: Recounts;
  #dirty: DirtyTiles;

  constructor(plan: ViewPlan, key: string, chunkVersions: number) {
    this.#plan = plan;
    this.#key = key;
    this.#state = emptyState(plan);
    this.#recounts = new Recounts(plan, chunkVersions);
    this.#dirty = cleanTiles(plan);
  }

  /** Takes events, each once. Of signed views, newest pages first: then little is ever subtracted. */
  take(events: readonly NumberedEvent[]): void {
    const [plan, state] = [this.#plan, this.#state];
    const left = plan.isSigned ? new Set(netOf(events)) : null;
    const seen: SignedObservations[] = [];
    for (const event of events) {
      const observations = observePast(plan, this.#key, event);
      if (observations === null) continue;
      const { sign, eventTime: time, orderKey: order } = event;
      state.ingested = Math.max(state.ingested, event.ingestTime);
      // What was taken back moves the horizon all the same.
      if (sign === 1) state.horizon = Math.max(state.horizon ?? time, time);
      if (left === null) addObservations(plan, state, time, observations);
      else if (left.has(event) && this.#counts(event)) {
        seen.push({ sign, time, order, observations });
      }
    }
    changeState(plan, state, changesOf(seen), this.#dirty);
    dropUnreachable(plan, state);
  }

  /** Whether an event changes the state: not where it waits, or another one waited for it. */
  #counts(event: NumberedEvent): boolean {
    const content = contentOf(event);
    const isAdded = event.sign === 1;
    const other = (isAdded ? this.#waiting : this.#added).take(content);
    if (other === null) (isAdded ? this.#added : this.#waiting).add(content, event.version);
    if (isAdded !== (other === null)) return false;
    this.#recounts.touch(content.time, other ?? event.version);
    return true;
  }

  /** Reads what is to be read again: `read` answers the events of versions, page by page. */
  async settle(
    read: (versions: readonly number[]) => AsyncIterable<readonly NumberedEvent[]>,
  ): Promise<void> {
    if (this.#dirty.every((tiles) => tiles.size === 0)) return;
    const recount = this.#recounts.begin(this.#dirty);
    const versions: number[] = [];
    this.#added.forEach((time, version) => {
      if (recount.wants(time, version)) versions.push(version);
    });
    for await (const events of read(versions.toSorted((a, b) => a - b))) {
      for (const event of events) {
        const observations = observePast(this.#plan, this.#key, event);
        if (observations !== null) recount.add(event.eventTime, event.version, observations);
      }
    }
    recount.end(this.#state);
    this.#dirty = cleanTiles(this.#plan);
  }

  /** The packed state of all that was taken and settled. */
  encode(): string {
    const [plan, state] = [this.#plan, this.#state];
    if (plan.isSigned) {
      state.newest = plan.maxAgeMs === null ? null : this.#newestAdded();
      moveNewest(plan, state, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY);
    }
    dropUnreachable(plan, state);
    return encodeState(plan, state);
  }

  #newestAdded(): number | null {
    let newest: number | null = null;
    this.#added.forEach((time) => {
      newest = Math.max(newest ?? time, time);
    });
    return newest;
  }
}
