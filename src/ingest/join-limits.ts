import type { PairSink } from "../features/open-right.ts";
import type { PairChange } from "../features/pair-changes.ts";
import type { SearchLimits } from "../features/pair-search.ts";

/** How much goes into a commit. */
export interface Room {
  readonly pairs: number;
  /** Characters of what the pairs are made of. */
  readonly chars: number;
}

export interface JoinLimits {
  readonly search: SearchLimits;
  /** Events of one entity that are folded at once. */
  readonly events: number;
  /** What a round of folds makes, but for what a single event makes. */
  readonly round: Room;
  /** What a single event may make. */
  readonly event: Room;
}

/** For a Worker's 128 MB, of which a statement and its parts take several times their size. */
export const JOIN_LIMITS: JoinLimits = {
  search: { rights: 1_000, lefts: 4_000, bytes: 4e6, spare: 8, counted: 2_000 },
  events: 500,
  round: { pairs: 2_000, chars: 4e6 },
  event: { pairs: 10_000, chars: 12e6 },
};

/** Of a pair, beside both records: ids, times, hash and to whom it is given. */
const CHARS_AROUND = 400;

/** Changes, as many as there is room for. */
export class Changes implements PairSink {
  readonly list: PairChange[] = [];
  #chars = 0;
  readonly #room: Room;

  constructor(room: Room) {
    this.#room = room;
  }

  get isFull(): boolean {
    return this.list.length > this.#room.pairs || this.#chars > this.#room.chars;
  }

  get size(): Room {
    return { pairs: this.list.length, chars: this.#chars };
  }

  add(change: PairChange): void {
    this.list.push(change);
    const { left, right } = change;
    this.#chars += left.event.body.length + right.event.body.length + CHARS_AROUND;
  }
}
