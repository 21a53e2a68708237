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

/** Some events of slices, and what of the slices is still to be read. */
export interface LogPage {
  /** Slice by slice in their order, the newest version of each first. */
  readonly events: readonly FoldedEvent[];
  /** The last ones of the slices, the first of these as far as it was not read; none where all were. */
  readonly rest: readonly LogSlice[];
}

/** Pure. What is left of slices that were read up to and with this event. */
export function restOf(
  slices: readonly LogSlice[],
  { slice, version }: Pick<FoldedEvent, "slice" | "version">,
): readonly LogSlice[] {
  const rest = slices.slice(slice);
  const [first, ...others] = rest;
  if (first === undefined || version - 1 <= first.after) return others;
  return [{ ...first, upTo: version - 1 }, ...others];
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
  /** The events of the slices: as many as have so many bytes in their records, and the one beyond. */
  readEvents(
    tenant: string,
    entity: string,
    slices: readonly LogSlice[],
    filter: LogFilter,
    bytes: number,
  ): Promise<LogPage>;
}
