import { isBefore, type Stretch } from "./left-stretches.ts";
import type { MetPlace } from "./met-events.ts";
import { inOrder, RightPairs, type PairChange, type Side } from "./pair-changes.ts";
import type { JoinPlan } from "./source-plan.ts";

/** Takes what is found. */
export interface PairSink {
  /** Whether nothing more is wanted. */
  readonly isFull: boolean;
  add(change: PairChange): void;
}

/** Pure. How many of the sides, which are in order, have times up to and with `time`. */
export function countUpTo(sides: readonly Side[], time: number): number {
  let [low, high] = [0, sides.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sides[middle] as Side).event.eventTime <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A right event whose pairs are being looked for. */
export class OpenRight {
  /** Left events that are not before it were taken. */
  place: MetPlace;
  /** Earlier ones are out of reach. */
  readonly low: number;
  readonly #pairs: RightPairs;
  readonly #fresh: readonly Side[];
  /** How many of the fresh ones were not taken yet. */
  #left: number;

  constructor({ withinMs, fanOut }: JoinPlan, right: Side, fresh: readonly Side[]) {
    const { eventTime } = right.event;
    this.place = { time: eventTime, orderKey: null };
    this.low = eventTime - withinMs;
    this.#fresh = fresh;
    this.#left = countUpTo(fresh, eventTime);
    const within = fresh.slice(countUpTo(fresh, this.low - 1), this.#left);
    const changedFrom = Math.min(...within.map(({ known }) => known));
    this.#pairs = new RightPairs(right, fanOut, changedFrom);
  }

  get horizon(): number {
    return this.#pairs.horizon;
  }

  get isDone(): boolean {
    return this.place.time < this.low || this.#pairs.isSettled;
  }

  /** Takes the left events of a stretch that begins at its place, and the fresh ones among them. */
  take(stretch: Pick<Stretch, "end"> & { readonly lefts: readonly Side[] }, sink: PairSink): void {
    for (const left of stretch.lefts) {
      this.#takeFresh((one) => inOrder(one, left) > 0, sink);
      this.#takeOne(left, sink);
      if (this.isDone) return;
    }
    this.#takeFresh(({ event }) => !isBefore(event, stretch.end), sink);
    this.place = stretch.end;
  }

  #takeFresh(isNext: (left: Side) => boolean, sink: PairSink): void {
    for (;;) {
      const left = this.#fresh[this.#left - 1];
      if (left === undefined || !isNext(left)) return;
      this.#takeOne(left, sink);
      this.#left -= 1;
    }
  }

  #takeOne(left: Side, sink: PairSink): void {
    if (this.isDone) return;
    if (left.event.eventTime < this.low) this.place = { time: this.low - 1, orderKey: null };
    else this.#pairs.take(left).forEach((change) => sink.add(change));
  }
}
