import type { LogEvent, RowMove, StoredChange, StoredRow } from "../features/event-log.ts";
import { changeId, retractionOf } from "../features/row-events.ts";

/** What is to become of one change. */
export interface PlannedChange {
  /** `accepted` if the move is; `stale`: the row is further on, and stays so. */
  readonly verdict: "accepted" | "duplicate" | "conflict" | "stale";
  /** The position of the move that it is part of. */
  readonly move: number | null;
  /** The position of the event that is the row's image by this change. */
  readonly image: number | null;
  /** The events of this change, where others may wait for them. */
  readonly events: readonly LogEvent[];
}

export interface PlannedChanges {
  /** What goes into the log: rows as they become (+1), and as they were (−1). */
  readonly events: readonly LogEvent[];
  /** One for each row that moves; positions are those of `events`. */
  readonly moves: readonly RowMove[];
  /** In the order of the changes. */
  readonly changes: readonly PlannedChange[];
}

type RowEvent = LogEvent & Required<Pick<LogEvent, "row">>;

interface Asked {
  readonly change: RowEvent;
  readonly stored: StoredChange;
  readonly position: number;
}

/** Pure. Whether an event is a change of a row, of which the log is still to be asked. */
export const isChange = (event: LogEvent): event is RowEvent => event.row !== undefined;

/** What a change comes to that the row has passed, or stands at; null where it is a new one. */
function settledBy(
  { change, stored: { taken, tookBack } }: Asked,
  present: StoredRow | null,
): PlannedChange | null {
  const { order } = change.row;
  if (present === null || order > present.order) return null;
  const events = [taken, tookBack].filter((event) => event !== null);
  const settled = (verdict: PlannedChange["verdict"]): PlannedChange => ({
    verdict,
    move: null,
    image: null,
    events,
  });
  // Of the present order, the image is what the row became, also where that was no change of it.
  const became = taken ?? (order === present.order ? present.image : null);
  if (change.sign === 1 && became !== null) {
    return settled(became.bodyHash === change.bodyHash ? "duplicate" : "conflict");
  }
  return settled(taken !== null || order === present.order ? "duplicate" : "stale");
}

/** The image that a change makes of its row. */
function imageOf({ row, ...event }: RowEvent): LogEvent {
  return { ...event, eventId: changeId(row) };
}

interface Draft {
  readonly events: LogEvent[];
  readonly moves: RowMove[];
  readonly changes: PlannedChange[];
}

/** One row's changes, by their order: each takes back the image before it, if that differs. */
function planRow(draft: Draft, asked: readonly [Asked, ...Asked[]]): void {
  const before = asked[0].stored.row;
  const move = draft.moves.length;
  const first = draft.events.length;
  let present = before;
  for (const one of asked) {
    const { change, position } = one;
    const settled = settledBy(one, present);
    if (settled !== null) {
      draft.changes[position] = settled;
      continue;
    }
    const { row } = change;
    const was: LogEvent | null = present?.image ?? null;
    const at = draft.events.length;
    const isSame = change.sign === 1 && was?.bodyHash === change.bodyHash;
    if (was !== null && !isSame) draft.events.push(retractionOf(was, change, row));
    const becomes = isSame ? was : change.sign === 1 ? imageOf(change) : null;
    if (becomes !== null && !isSame) draft.events.push(becomes);
    present = { order: row.order, image: becomes };
    draft.changes[position] = {
      verdict: "accepted",
      move,
      image: becomes === null || isSame ? null : draft.events.length - 1,
      events: draft.events.slice(at),
    };
  }
  if (present === null || present === before) return;
  const { tenant, source, row } = asked[0].change;
  draft.moves.push({
    tenant,
    source,
    key: row.key,
    from: before?.order ?? null,
    to: present.order,
    imageId: present.image?.eventId ?? null,
    events: Array.from({ length: draft.events.length - first }, (_, i) => first + i),
  });
}

/**
 * Pure. What changes of rows come to, given what the log has of them (in their order): the events
 * that tell each row's history, and where each row moves. The plan holds as long as the rows are
 * where they were when the log was asked.
 */
export function planChanges(
  changes: readonly RowEvent[],
  stored: readonly StoredChange[],
): PlannedChanges {
  const rows = new Map<string, [Asked, ...Asked[]]>();
  for (const [position, change] of changes.entries()) {
    const has = stored[position];
    if (has === undefined) throw new RangeError("the log answered for fewer changes than asked");
    const asked = { change, stored: has, position };
    const id = `${change.tenant}\n${change.source}\n${change.row.key}`;
    const known = rows.get(id);
    if (known === undefined) rows.set(id, [asked]);
    else known.push(asked);
  }
  const draft: Draft = { events: [], moves: [], changes: [] };
  for (const asked of rows.values()) {
    // Sorting keeps the order of arrival among equals: the first one is the one that counts.
    asked.sort((a, b) => compare(a.change.row.order, b.change.row.order));
    planRow(draft, asked);
  }
  return draft;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
