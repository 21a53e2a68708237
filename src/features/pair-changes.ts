import type { LogEvent } from "./event-log.ts";
import type { JoinPlan } from "./source-plan.ts";

/** An event of one of a join's sources, and since when it is known. */
export interface Side {
  readonly event: LogEvent;
  /** Epoch ms; now, where its own commit is to say it. */
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

/** How many of the sides, which are in order, have times up to and with `time`. */
function countUpTo(sides: readonly Side[], time: number): number {
  let [low, high] = [0, sides.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sides[middle] as Side).event.eventTime <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Of the left events after another one, the `most` that were known first. */
class FirstKnown {
  readonly #most: number;
  readonly #sides: Side[] = [];
  #fresh = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** The one with which there are as many as a right event is paired with; null before that. */
  get last(): Side | null {
    return this.#sides[this.#most - 1] ?? null;
  }

  /** Whether a fresh one is among them. */
  get hasFresh(): boolean {
    return this.#fresh > 0;
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
    const gone = this.#sides.length > this.#most ? this.#sides.pop() : undefined;
    this.#fresh += Number(side.isFresh) - Number(gone?.isFresh ?? false);
  }
}

const isKnownNow = ({ isFresh, isLive }: Side): boolean => isFresh && isLive;

function laterKnown(a: Side, b: Side): Side {
  if (a.known !== b.known) return a.known > b.known ? a : b;
  return isKnownNow(a) ? a : b;
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
 * Pure. How the pairs of a join change when the fresh ones among these events of one key join the
 * others. A right event is paired with its `fanOut` latest left ones by (time, order key) of those
 * with 0 ≤ right − left ≤ `withinMs`. What is known at any time K are the pairs of the events that
 * are known at K, where imports say when that was. Needs every event within reach of a fresh one.
 */
export function pairChanges(
  { left, withinMs, fanOut }: JoinPlan,
  sides: readonly Side[],
): readonly PairChange[] {
  const ordered = sides.toSorted(inOrder);
  const lefts = ordered.filter(({ event }) => event.source === left);
  const fresh = lefts.filter(({ isFresh }) => isFresh);
  const changes: PairChange[] = [];
  for (const right of ordered) {
    if (right.event.source === left) continue;
    const { eventTime } = right.event;
    const [from, to] = [eventTime - withinMs, eventTime];
    let freshLeft = countUpTo(fresh, to) - countUpTo(fresh, from - 1);
    if (!right.isFresh && freshLeft === 0) continue;
    const [before, after] = [new FirstKnown(fanOut), new FirstKnown(fanOut)];
    const first = countUpTo(lefts, from - 1);
    for (let i = countUpTo(lefts, to) - 1; i >= first; i -= 1) {
      const one = lefts[i] as Side;
      const [was, is] = [before.last, after.last];
      // From here on, nothing can be paired that was not, or vanish that did not.
      if (right.isFresh && is !== null && is.known <= right.known) break;
      if (!right.isFresh && freshLeft === 0 && was !== null && !after.hasFresh) break;
      changes.push(...changesOf(one, right, was, is));
      if (one.isFresh) freshLeft -= 1;
      else before.add(one);
      after.add(one);
    }
  }
  return changes;
}
