import type { EntityRef, LogEvent } from "./event-log.ts";

/** An event as it was folded into an entity where sources meet. */
export interface MetEvent {
  readonly event: LogEvent;
  readonly version: number;
  /** Since when the entity's log knows it. */
  readonly loggedAt: number;
  /** Whether its commit said so: no import, nor who gave a past event to the entity later. */
  readonly isLive: boolean;
}

/**
 * A place in the order of the left events: before it are those of earlier times, and those of its own
 * time whose order keys are less; of null, all of its time.
 */
export interface MetPlace {
  readonly time: number;
  readonly orderKey: string | null;
}

/** From here on backwards left events are wanted, down to the time `low`. */
export interface MetStart extends MetPlace {
  readonly low: number;
}

/**
 * Where right events are wanted of which a left event that is folded now may change the pairs. Left
 * out are those after as many left events as a right one is paired with that were known when the
 * right event was, or at `changedFrom`: no pair with what lies before can be known of them any more.
 */
export interface MetSpan {
  /** Only left events after this time count, and those of it with a greater key, if one is given. */
  readonly after: number;
  readonly afterKey: string | null;
  /** Right events from here on, after that of this version; and before the time `before`. */
  readonly from: number;
  readonly fromVersion: number;
  readonly before: number;
  /** Since when, at the earliest, a left event is known that is folded now. */
  readonly changedFrom: number;
  /** What is known then or later does not count, left or right; nor left events from then on. */
  readonly knownBefore: number;
  /** How many left events are looked at. */
  readonly counted: number;
}

/** What is wanted of the log of one entity where sources meet. */
export interface MetQuery extends EntityRef {
  /** The last version that counts. */
  readonly upTo: number;
  /** The sources. */
  readonly left: string;
  readonly right: string;
  readonly withinMs: number;
  readonly fanOut: number;
  /** One after the other, not overlapping. */
  readonly spans: readonly MetSpan[];
  /** Beside these, each right event that is found is one, down to as far as it is paired. */
  readonly starts: readonly MetStart[];
  /** Left events that are known then or later are left out. */
  readonly knownBefore: number;
  readonly most: MetLimits;
}

export interface MetLimits {
  readonly rights: number;
  /** Of left events from each start on; with those of the same time, read but not answered. */
  readonly perStart: number;
  readonly lefts: number;
  /** Of the bodies of all that is answered, but for the first event's. */
  readonly bytes: number;
}

/** What was found for a query. */
export interface MetAnswer {
  /** In the order of their times, then versions; `areRightsCut`: there may be more after the last. */
  readonly rights: readonly MetEvent[];
  readonly areRightsCut: boolean;
  /**
   * Of each span, the time of the last left event that was looked at, and since when as many of those
   * are known as a right event is paired with; null where there are not so many.
   */
  readonly spans: readonly { readonly reach: number | null; readonly known: number | null }[];
  /**
   * Start after start in the order of places; of each, what lies before it and not before the last
   * start, the latest first, up to `perStart`. `areLeftsCut`: what follows the last may be missing.
   */
  readonly lefts: readonly MetEvent[];
  readonly areLeftsCut: boolean;
}
