import type { LogEvent } from "./event-log.ts";
import { placeText, stretchesOf, type Stretch } from "./left-stretches.ts";
import type { MetAnswer, MetEvent, MetQuery, MetSpan } from "./met-events.ts";
import { countUpTo, OpenRight, type PairSink } from "./open-right.ts";
import type { Side } from "./pair-changes.ts";
import { ALWAYS, spansAfter, spansOf } from "./pair-spans.ts";
import type { JoinPlan } from "./source-plan.ts";

/** What one look into the log brings at most. */
export interface SearchLimits {
  readonly rights: number;
  readonly lefts: number;
  /** Of their bodies. */
  readonly bytes: number;
  /** Left events that are read for each right one beyond as many as it is paired with. */
  readonly spare: number;
  /** Left events that are looked at, in the end, to tell which right ones need not be read. */
  readonly counted: number;
}

const WIDER = 4;

/**
 * Pure. An event that is folded at `now`. A live one is known after all that the log has, whatever the
 * clocks of those say who folded it.
 */
export const freshSide = (event: LogEvent, now: number): Side => ({
  event,
  known: event.knownAt === null ? ALWAYS : Math.min(event.knownAt, now),
  isFresh: true,
  isLive: event.knownAt === null,
});

/** Pure. An event as the log has it. */
export const loggedSide = ({ event, loggedAt, isLive }: MetEvent): Side => ({
  event,
  known: loggedAt,
  isFresh: false,
  isLive,
});

const eventText = ({ source, eventId }: LogEvent): string => `${source}\n${eventId}`;

/**
 * Finds how the pairs of a join change when fresh events join those in the log of one entity: asks
 * for no more of the log than decides it, a bounded part at a time. `fresh` are in order, as by
 * inOrder; where the log has them already, it is as if it had not.
 */
export class PairSearch {
  readonly #join: JoinPlan;
  readonly #limits: SearchLimits;
  readonly #sink: PairSink;
  readonly #lefts: readonly Side[];
  readonly #own: ReadonlySet<string>;
  #open: readonly OpenRight[];
  #spans: readonly MetSpan[];
  #scale = 1;

  constructor(join: JoinPlan, fresh: readonly Side[], limits: SearchLimits, sink: PairSink) {
    this.#join = join;
    this.#limits = limits;
    this.#sink = sink;
    this.#lefts = fresh.filter(({ event }) => event.source === join.left);
    this.#own = new Set(fresh.map(({ event }) => eventText(event)));
    this.#open = fresh.filter(({ event }) => event.source !== join.left).map((r) => this.#begin(r));
    this.#spans = spansOf(join.withinMs, this.#lefts, join.fanOut + limits.spare);
  }

  #begin(right: Side): OpenRight {
    return new OpenRight(this.#join, right, this.#lefts);
  }

  /** What is to be read first: all that is wanted of a small log. Null where nothing is. */
  first(): Wanted | null {
    return this.#wanted(this.#spans, this.#open);
  }

  /** What is to be read now; null where every change is found. */
  next(): Wanted | null {
    // Those of which enough is known to leave something out wait for the others.
    const unbounded = this.#open.filter(({ horizon }) => horizon === Number.POSITIVE_INFINITY);
    const open = unbounded.length > 0 ? unbounded : this.#open;
    return this.#wanted(open.length > 0 ? [] : this.#spans, open);
  }

  #wanted(spans: readonly MetSpan[], open: readonly OpenRight[]): Wanted | null {
    if (spans.length === 0 && open.length === 0) return null;
    const { left, right, withinMs, fanOut } = this.#join;
    const { rights, lefts, bytes, spare } = this.#limits;
    const horizon = open.reduce(
      (most, one) => Math.max(most, one.horizon),
      Number.NEGATIVE_INFINITY,
    );
    const knownBefore = spans.length > 0 ? ALWAYS : Math.min(ALWAYS, horizon);
    // What is read in a second look matters, most of it.
    const each = (fanOut + spare) * (knownBefore < ALWAYS ? WIDER : 1);
    return {
      left,
      right,
      withinMs,
      fanOut,
      spans,
      starts: open.map(({ place, low }) => ({ ...place, low })),
      knownBefore,
      most: {
        rights,
        perStart: each * this.#scale,
        lefts: lefts * this.#scale,
        bytes: bytes * this.#scale,
      },
    };
  }

  /** Takes an answer: to `next`, or to the `first` of these and later fresh events. */
  take(query: MetQuery, answer: MetAnswer): void {
    const isOwn = ({ event }: MetEvent): boolean => this.#own.has(eventText(event));
    const found = answer.rights
      .filter((one) => !isOwn(one) && this.#isTouched(one))
      .map((one) => this.#begin(loggedSide(one)));
    if (query.spans.length > 0) this.#narrow(query, answer);
    const sides = new Map<Stretch, readonly Side[]>();
    const stretches = stretchesOf(query, answer);
    for (const stretch of stretches.values()) {
      sides.set(stretch, stretch.lefts.filter((one) => !isOwn(one)).map(loggedSide));
    }
    // So many at one time, with such keys, that none could be told from the next.
    if (stretches.size === 0 && answer.lefts.length > 0) this.#scale *= WIDER;
    this.#open = [...this.#open, ...found];
    for (const right of this.#open) {
      if (this.#sink.isFull) return;
      for (let more = !right.isDone; more;) {
        const stretch = stretches.get(placeText(right.place));
        if (stretch === undefined) break;
        right.take({ lefts: sides.get(stretch) ?? [], end: stretch.end }, this.#sink);
        more = !right.isDone && !stretch.isCut;
      }
    }
    this.#open = this.#open.filter(({ isDone }) => !isDone);
  }

  /** Whether a fresh left event is within reach: the query may have been of more of them. */
  #isTouched({ event: { eventTime } }: MetEvent): boolean {
    const low = eventTime - this.#join.withinMs;
    return countUpTo(this.#lefts, eventTime) > countUpTo(this.#lefts, low - 1);
  }

  #narrow(query: MetQuery, answer: MetAnswer): void {
    if (!answer.areRightsCut) {
      this.#spans = [];
      return;
    }
    const last = answer.rights.at(-1);
    if (last === undefined) return;
    this.#spans = spansAfter(this.#spans, last, query, answer, this.#limits.counted);
  }
}

/** A query, but for whose log it is. */
export type Wanted = Omit<MetQuery, "tenant" | "entity" | "key" | "upTo">;
