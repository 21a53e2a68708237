import type { FoldedEvent, HistoryLog, LogFilter } from "../features/history/history-log.ts";
import { readLogs } from "../features/history/read-logs.ts";
import type { EntitySnapshot } from "../features/event-log.ts";
import type { Fold } from "./fold.ts";

/** A fold that needs the entity's past: what of its log, and what to do with it. */
export interface OpenFold {
  readonly filter: LogFilter;
  /** Takes some folded events, always those of higher versions before those of lower ones. */
  take(events: readonly FoldedEvent[]): void;
  /** The fold, once every event up to the snapshot's version was taken; or that it must be read so
   * again. */
  finish(): Fold | OpenFold;
}

export const isOpen = (fold: Fold | OpenFold): fold is OpenFold => "take" in fold;

/** Of the records in one answer; a few entities are read at once, and one page ahead. */
const PAGE_BYTES = 2 * 2 ** 20;

/** Reads what an open fold needs, newest first, page by page, and finishes it. */
export async function finishFold(
  history: Pick<HistoryLog, "readEvents">,
  snapshot: EntitySnapshot,
  open: OpenFold,
): Promise<Fold> {
  const { tenant, entity, key, version } = snapshot;
  const parts = readLogs(
    (slices) => history.readEvents(tenant, entity, slices, open.filter, PAGE_BYTES),
    [{ key, version }],
  );
  for await (const { events } of parts) open.take(events);
  const fold = open.finish();
  return isOpen(fold) ? finishFold(history, snapshot, fold) : fold;
}
