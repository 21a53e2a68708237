import { planPages } from "../features/history/answer-points.ts";
import type { FoldedEvent, HistoryLog, LogFilter } from "../features/history/history-log.ts";
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

/** Reads what an open fold needs, newest first, page by page, and finishes it. */
export async function finishFold(
  history: Pick<HistoryLog, "readEvents">,
  snapshot: EntitySnapshot,
  open: OpenFold,
): Promise<Fold> {
  const { tenant, entity, key, version } = snapshot;
  for (const slices of planPages([{ key, version }]).toReversed()) {
    const events = await history.readEvents(tenant, entity, slices, open.filter);
    open.take(events.toSorted((a, b) => b.version - a.version));
  }
  const fold = open.finish();
  return isOpen(fold) ? finishFold(history, snapshot, fold) : fold;
}
