import { answerMerged, answerWithout, shapeRead, type ViewAnswer } from "../assemble.ts";
import { addObservations, dropUnreachable, observeEvent } from "../fold-view.ts";
import type { ViewPlan } from "../plan.ts";
import type { SourceRecord } from "../source-record.ts";
import { emptyState, type ViewState } from "../state.ts";
import { chainsOf, type Point } from "./chains.ts";
import type { FoldedEvent } from "./history-log.ts";
import { matchRetractions, type Matched } from "./match-retractions.ts";
import { mergeState, planMerge, type MergePlan } from "./merge-state.ts";
import { PackedEvents } from "./packed-events.ts";
import { signedChain } from "./signed-chain.ts";
import { visibleOrder, type VisibleOrder } from "./visible-order.ts";

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
 * to a state when they become visible, and taken back when that becomes visible; and the state is
 * read as online. Points are exclusive: of an inclusive view one asks a millisecond later.
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
      if (seen !== null) this.#events.add(event, seen);
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
      if (positions.length === 0) continue;
      const marked = positions.map((i) => points[i] as HistoryPoint);
      const { times, contents, versions, known, hasRetractions } = this.#events;
      const marks = by === "version" ? versions : known;
      const matched = hasRetractions ? matchRetractions(times, contents, marks) : null;
      for (const chain of chainsOf(marked)) {
        const visible = chain.map((i) => marked[i] as Point);
        const ofChain = this.#answerChain(visible, marks, matched, erased);
        for (const [n, answer] of ofChain.entries()) {
          answers[positions[chain[n] as number] as number] = answer;
        }
      }
    }
    return answers;
  }

  #answerChain(
    chain: readonly Point[],
    marks: Float64Array,
    matched: Matched | null,
    erased: boolean,
  ): readonly ViewAnswer[] {
    const { shape } = this.#merge;
    const { plan } = shape;
    const events = this.#events;
    const state = emptyState(plan);
    const moveTo =
      matched === null
        ? plainChain(plan, events, visibleOrder(chain, events.times, marks), state)
        : signedChain({ plan, events, matched, chain }, state);
    let keptTiles = FEW_TILES;
    return chain.map(({ at }, i): ViewAnswer => {
      moveTo(i);
      if (tilesOf(state) > 2 * keptTiles) {
        dropUnreachable(plan, state);
        keptTiles = Math.max(FEW_TILES, tilesOf(state));
      }
      if (erased && state.horizon === null) return answerWithout(plan, "ERASED");
      return answerMerged(shape, at, state.newest, mergeState(this.#merge, state, at));
    });
  }
}

/** How a state goes along a chain, point by point: what comes to be seen is added. */
function plainChain(
  plan: ViewPlan,
  events: PackedEvents,
  { positions, visibleFrom }: VisibleOrder,
  state: ViewState,
): (point: number) => void {
  const { times } = events;
  let next = 0;
  return (point) => {
    for (; next < positions.length && (visibleFrom[next] as number) <= point; next += 1) {
      const position = positions[next] as number;
      addObservations(plan, state, times[position] as number, events.observationsAt(position));
    }
  };
}

const tilesOf = ({ levels }: ViewState): number =>
  levels.reduce((sum, tiles) => sum + tiles.size, 0);
