import { answerMerged, answerWithout, shapeRead, type ViewAnswer } from "../assemble.ts";
import { addObservations, dropUnreachable, observeEvent } from "../fold-view.ts";
import type { ViewPlan } from "../plan.ts";
import type { SourceRecord } from "../source-record.ts";
import { emptyState, type ViewState } from "../state.ts";
import { chainsOf, type Point } from "./chains.ts";
import type { FoldedEvent } from "./history-log.ts";
import { mergeState, planMerge, type MergePlan } from "./merge-state.ts";
import { PackedEvents } from "./packed-events.ts";

/** What a value is asked for by: the time up to which events were known, or an entity version. */
export type Mark = "known_at" | "version";

/** A time and what was known: V(at, upTo) of the design, with upTo a time K or a version v. */
export interface HistoryPoint extends Point {
  readonly by: Mark;
}

/** Pure. Plans once how a view's history is read, for all entities. */
export const planHistory = (plan: ViewPlan): MergePlan => planMerge(shapeRead(plan));

/** Tiles that are held before it is worth while to look which of them nobody can reach. */
const FEW_TILES = 256;

/**
 * One view of one entity, at any time and as of any knowledge. It is given every folded event of the
 * entity, in whatever order, and then answers points: along each chain (chains.ts) events are added
 * to a state when they become visible, and the state is read as online.
 */
export class ViewHistory {
  readonly #merge: MergePlan;
  readonly #key: string;
  readonly #events: PackedEvents;

  constructor(merge: MergePlan, key: string) {
    this.#merge = merge;
    this.#key = key;
    this.#events = new PackedEvents(merge.shape.plan);
  }

  add(event: FoldedEvent, record: SourceRecord): void {
    try {
      const seen = observeEvent(this.#merge.shape.plan, this.#key, event, record);
      if (seen !== null) this.#events.add(event.eventTime, event.knownAt, event.version, seen);
    } catch (error) {
      // As when a view is built from the log: an event that it cannot take has no part in it.
      if (!(error instanceof RangeError)) throw error;
    }
  }

  /** The answers in the order of the points. `erased`: an entity that is empty was erased. */
  answer(points: readonly HistoryPoint[], erased = false): readonly ViewAnswer[] {
    const answers: ViewAnswer[] = [];
    for (const by of ["known_at", "version"] as const) {
      const positions = points.flatMap((point, i) => (point.by === by ? [i] : []));
      const marked = positions.map((i) => points[i] as HistoryPoint);
      for (const chain of chainsOf(marked)) {
        const visible = chain.map((i) => marked[i] as Point);
        const ofChain = this.#answerChain(visible, by, erased);
        for (const [n, answer] of ofChain.entries()) {
          answers[positions[chain[n] as number] as number] = answer;
        }
      }
    }
    return answers;
  }

  #answerChain(chain: readonly Point[], by: Mark, erased: boolean): readonly ViewAnswer[] {
    const { shape } = this.#merge;
    const { plan } = shape;
    const events = this.#events;
    const { times } = events;
    const order = visibleOrder(chain, times, by === "version" ? events.versions : events.known);
    const state = emptyState(plan);
    let keptTiles = FEW_TILES;
    let next = 0;
    return chain.map(({ at }, i): ViewAnswer => {
      for (; next < order.positions.length && (order.visibleFrom[next] as number) <= i; next += 1) {
        const position = order.positions[next] as number;
        const time = times[position] as number;
        addObservations(plan, state, time, events.observationsAt(position));
      }
      if (tilesOf(state) > 2 * keptTiles) {
        dropUnreachable(plan, state);
        keptTiles = Math.max(FEW_TILES, tilesOf(state));
      }
      if (erased && state.newest === null) return answerWithout(plan, "ERASED");
      return answerMerged(shape, at, state.newest, mergeState(this.#merge, state, at));
    });
  }
}

const tilesOf = ({ levels }: ViewState): number =>
  levels.reduce((sum, tiles) => sum + tiles.size, 0);

/** The first of the chain's points for which `reaches` holds, given that it holds for all after it. */
function firstOf(length: number, reaches: (i: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (reaches(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Positions of the events that some point sees, by the first point that does. */
function visibleOrder(chain: readonly Point[], times: Float64Array, marks: Float64Array) {
  const first = new Int32Array(times.length);
  const counts = new Int32Array(chain.length + 1);
  for (let e = 0; e < times.length; e += 1) {
    const [time, mark] = [times[e] as number, marks[e] as number];
    const seen = firstOf(chain.length, (i) => {
      const { at, upTo } = chain[i] as Point;
      return at > time && upTo >= mark;
    });
    first[e] = seen;
    counts[seen] = (counts[seen] as number) + 1;
  }
  // Counting sort; the last bucket, of events that no point sees, is left out.
  const starts = new Int32Array(chain.length + 1);
  for (let i = 1; i <= chain.length; i += 1) {
    starts[i] = (starts[i - 1] as number) + (counts[i - 1] as number);
  }
  const visible = starts[chain.length] as number;
  const positions = new Int32Array(visible);
  const visibleFrom = new Int32Array(visible);
  for (let e = 0; e < times.length; e += 1) {
    const seen = first[e] as number;
    if (seen === chain.length) continue;
    const place = starts[seen] as number;
    starts[seen] = place + 1;
    positions[place] = e;
    visibleFrom[place] = seen;
  }
  return { positions, visibleFrom };
}
