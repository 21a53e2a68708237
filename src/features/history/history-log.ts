import type { LogEvent } from "../event-log.ts";

/** How far an entity's log goes. */
export interface EntityHead {
  /** The versions 1 to this one are in the log; 0 where nothing was ever folded. */
  readonly version: number;
  /** Whether the entity was erased, whatever it did afterwards. */
  readonly erased: boolean;
}

/** Versions of one entity: after `after`, up to and with `upTo`. */
export interface LogSlice {
  readonly key: string;
  readonly after: number;
  readonly upTo: number;
}

/** Which events of the slices are wanted. */
export interface LogFilter {
  readonly sources: readonly string[];
  /** Event times from this on, epoch ms; −Infinity for all. */
  readonly from: number;
  /** Event times before this, epoch ms; Infinity for all. */
  readonly before: number;
}

/** An event as it was folded into an entity: the columns that a value depends on. */
export interface FoldedEvent extends Pick<
  LogEvent,
  "source" | "eventTime" | "orderKey" | "sign" | "body"
> {
  /** Position of its slice. */
  readonly slice: number;
  readonly version: number;
  /** Epoch ms. */
  readonly knownAt: number;
}

/**
 * The folded events of entities, set by set. Versions have no gaps, so that whoever knows the heads
 * can cut the log into pages of a known size. Each method is one statement and one round trip, and
 * throws AppError `dependency_unavailable` when the store is down or too slow.
 */
export interface HistoryLog {
  /** In the order of the keys. */
  readHeads(
    tenant: string,
    entity: string,
    keys: readonly string[],
  ): Promise<readonly EntityHead[]>;
  /** The events of the slices, in no order. */
  readEvents(
    tenant: string,
    entity: string,
    slices: readonly LogSlice[],
    filter: LogFilter,
  ): Promise<readonly FoldedEvent[]>;
}
