import type { LogEvent } from "./event-log.ts";

/** An event of one of a join's sources, and since when it is known. */
export interface Side {
  readonly event: LogEvent;
  /** Epoch ms; ALWAYS, after whatever is known, where its own commit is to say it. */
  readonly known: number;
  /** Whether it is folded only now. */
  readonly isFresh: boolean;
  /** Whether its own commit says since when it is known, and not whoever imported it. */
  readonly isLive: boolean;
}

/** A pair that appears or vanishes. */
export interface PairChange {
  readonly left: Side;
  readonly right: Side;
  readonly sign: 1 | -1;
  /** Tells the changes of one pair apart: empty for the first one, by which it appears. */
  readonly mark: string;
  /** Null: when it is committed. */
  readonly knownAt: number | null;
  readonly ingestTime: number;
}

/** Pure. By time, then order key. */
export function inOrder({ event: a }: Side, { event: b }: Side): number {
  if (a.eventTime !== b.eventTime) return a.eventTime - b.eventTime;
  if (a.orderKey === b.orderKey) return 0;
  return a.orderKey < b.orderKey ? -1 : 1;
}

/** Of the left events after another one, the `most` that were known first. */
class FirstKnown {
  readonly #most: number;
  readonly #sides: Side[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** The one with which there are as many as a right event is paired with; null before that. */
  get last(): Side | null {
    return this.#sides[this.#most - 1] ?? null;
  }

  add(side: Side): void {
    let [low, high] = [0, this.#sides.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sides[middle] as Side).known <= side.known) low = middle + 1;
      else high = middle;
    }
    if (low === this.#most) return;
    this.#sides.splice(low, 0, side);
    if (this.#sides.length > this.#most) this.#sides.pop();
  }
}

const isKnownNow = ({ isFresh, isLive }: Side): boolean => isFresh && isLive;

function laterKnown(a: Side, b: Side): Side {
  if (a.known !== b.known) return a.known > b.known ? a : b;
  // What an import says of the very moment changes nothing of what was served since then.
  return a.isLive ? a : b;
}

/**
 * How a pair changes. It is known from the later of its events on, until as many later left events
 * are known as its right one is paired with; `before` and `after` are the last of these, without and
 * with what is fresh.
 */
function changesOf(
  left: Side,
  right: Side,
  before: Side | null,
  after: Side | null,
): readonly PairChange[] {
  const later = laterKnown(left, right);
  const since = later.known;
  const until = after === null ? null : Math.max(since, after.known);
  const ingestTime = Math.max(left.event.ingestTime, right.event.ingestTime);
  const appears = { left, right, sign: 1, mark: "", ingestTime } as const;
  const vanishes = (mark: string, knownAt: number | null): PairChange => ({
    ...appears,
    sign: -1,
    mark,
    knownAt,
    ingestTime: Math.max(ingestTime, after?.event.ingestTime ?? 0),
  });
  if (left.isFresh || right.isFresh) {
    if (until === since) return [];
    const first = { ...appears, knownAt: isKnownNow(later) ? null : since };
    if (after === null) return [first];
    return [first, vanishes("-", isKnownNow(after) ? null : until)];
  }
  if (after === null || until === null) return [];
  // What was served until now cannot have vanished earlier.
  if (before === null) {
    return [vanishes("-", later.isLive || isKnownNow(after) ? null : until)];
  }
  const was = Math.max(since, before.known);
  if (until >= was || later.isLive || before.isLive || after.isLive) return [];
  // An import says that it vanished earlier than was thought.
  return [{ ...vanishes(`+${was}`, was), sign: 1 }, vanishes(`-${until}`, until)];
}

/**
 * How the pairs of one right event change, as the left ones before it are taken, the latest first. It
 * is paired with the `fanOut` latest by (time, order key) that are within reach. What is known at any
 * time K are the pairs of the events that are known at K, where imports say when that was.
 */
export class RightPairs {
  readonly right: Side;
  readonly #before: FirstKnown;
  readonly #after: FirstKnown;
  readonly #settledBy: number;

  /** `changedFrom`: since when, at the earliest, a fresh left event within reach is known. */
  constructor(right: Side, fanOut: number, changedFrom: number) {
    this.right = right;
    this.#before = new FirstKnown(fanOut);
    this.#after = new FirstKnown(fanOut);
    this.#settledBy = right.isFresh ? right.known : Math.max(right.known, changedFrom);
  }

  /**
   * Left events that are known then or later may be left out. By then as many later ones are, which
   * are no fewer with what is fresh: no pair with such a one appears or vanishes, now or before.
   */
  get horizon(): number {
    const { last } = this.right.isFresh ? this.#after : this.#before;
    return last?.known ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Whether no earlier left event changes anything: as many later ones are known when the right one
   * is, and none sooner for what is fresh.
   */
  get isSettled(): boolean {
    return this.horizon <= this.#settledBy;
  }

  take(left: Side): readonly PairChange[] {
    const [was, is] = [this.#before.last, this.#after.last];
    if (!left.isFresh) this.#before.add(left);
    this.#after.add(left);
    return changesOf(left, this.right, was, is);
  }
}
