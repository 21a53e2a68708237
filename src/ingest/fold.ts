import type { EntityCommit, EntitySnapshot, EventRef, LogEvent } from "../features/event-log.ts";
import { addEvent, dropUnreachable, type ReadEvent } from "../features/fold-view.ts";
import { netOf } from "../features/net-events.ts";
import type { ViewPlan } from "../features/plan.ts";
import { recordFromText } from "../features/source-record.ts";
import { decodeState, emptyState, encodeState, type ViewState } from "../features/state.ts";
import type { OpenFold } from "./open-fold.ts";
import { openRebuild } from "./rebuild-tiles.ts";
import { openSigned, settleSigned, takeSigned, type SignedView } from "./signed-view.ts";

/** An event that a view, or none, can take, and why. */
export interface Poison {
  readonly event: LogEvent;
  readonly detail: string;
}

export interface Fold {
  readonly commit: EntityCommit;
  /** What is to be refused; what only takes back something that was refused is not. */
  readonly poison: readonly Poison[];
}

const refOf = ({ source, eventId }: LogEvent): EventRef => ({ source, eventId });

/** By time, then order key: the numbers follow the events' own order within one fold. */
function inOrder(a: LogEvent, b: LogEvent): number {
  if (a.eventTime !== b.eventTime) return a.eventTime - b.eventTime;
  if (a.orderKey !== b.orderKey) return a.orderKey < b.orderKey ? -1 : 1;
  if (a.source !== b.source) return a.source < b.source ? -1 : 1;
  return a.eventId < b.eventId ? -1 : 1;
}

/** The views whose state this fold may write: not those that a rebuild has yet to begin. */
function writableViews(
  views: readonly ViewPlan[],
  snapshot: EntitySnapshot,
  complete: ReadonlySet<string>,
): readonly ViewPlan[] {
  return views.filter(
    ({ stateId }) =>
      snapshot.version === 0 || snapshot.states.has(stateId) || complete.has(stateId),
  );
}

function readEvent(event: LogEvent): ReadEvent {
  return { event, record: recordFromText(event.body) };
}

/** Pure. Why an event is refused, for people; of a foreign error, which may quote it, nothing. */
export const refusalOf = (error: unknown): string =>
  error instanceof RangeError ? error.message : "its record cannot be read";

/** A view's state while events go into it; `signed` where some may be taken back. */
interface OpenView {
  readonly plan: ViewPlan;
  readonly state: ViewState;
  readonly signed: SignedView | null;
  changed: boolean;
}

function openView(plan: ViewPlan, snapshot: EntitySnapshot): OpenView {
  const bytes = snapshot.states.get(plan.stateId);
  const state = bytes === undefined ? emptyState(plan) : decodeState(plan, bytes);
  return { plan, state, signed: plan.isSigned ? openSigned(plan, state) : null, changed: false };
}

type Folded =
  | { readonly open: readonly OpenView[]; readonly untaken: readonly Poison[] }
  | { readonly failed: Poison };

/** Why the view cannot take the event; null where it takes it, or nothing of it. */
function take(view: OpenView, key: string, read: ReadEvent, isLeft: boolean): string | null {
  const { plan, state, signed } = view;
  try {
    const isTaken =
      signed === null ? addEvent(plan, state, key, read) : takeSigned(signed, key, read, isLeft);
    if (isTaken) view.changed = true;
    return null;
  } catch (error) {
    // As when the view is built from the log: this view does without it, and so does its history.
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

function foldAll(
  views: readonly ViewPlan[],
  snapshot: EntitySnapshot,
  events: readonly LogEvent[],
  left: ReadonlySet<LogEvent>,
): Folded {
  const open = views.map((plan) => openView(plan, snapshot));
  const untaken: Poison[] = [];
  for (const event of events) {
    try {
      const read = readEvent(event);
      const details = open.flatMap((view) => take(view, snapshot.key, read, left.has(event)) ?? []);
      const [detail] = details;
      if (detail !== undefined) untaken.push({ event, detail });
    } catch (error) {
      return { failed: { event, detail: refusalOf(error) } };
    }
  }
  return { open, untaken };
}

const statesOf = (open: readonly OpenView[]): EntityCommit["states"] =>
  open
    .filter(({ changed }) => changed)
    .map(({ plan, state }) => {
      dropUnreachable(plan, state);
      return { stateId: plan.stateId, bytes: encodeState(plan, state) };
    });

/**
 * Pure. Folds all that is pending for an entity into its states: the only way in which states
 * change. A view does without an event that it cannot take, and without what takes that back; the
 * event is numbered and refused. One whose record cannot be read is left out as poison, and changes
 * nothing. Where a state does not tell what it is without what is taken back, the fold stays open
 * until it has read that of the log.
 */
export function foldEntity(
  views: readonly ViewPlan[],
  snapshot: EntitySnapshot,
  complete: ReadonlySet<string>,
): Fold | OpenFold {
  const writable = writableViews(views, snapshot, complete);
  const poison: Poison[] = [];
  let events = snapshot.pending.toSorted(inOrder);
  let left = netOf(events);
  let folded = foldAll(writable, snapshot, events, new Set(left));
  while ("failed" in folded) {
    const { failed } = folded;
    poison.push(failed);
    events = events.filter((event) => event !== failed.event);
    left = netOf(events);
    folded = foldAll(writable, snapshot, events, new Set(left));
  }
  const { open, untaken } = folded;
  const { tenant, entity, key, version, builds } = snapshot;
  const finish = (): Fold => ({
    commit: {
      tenant,
      entity,
      key,
      readVersion: version,
      builds,
      folded: events.map(refOf),
      poisoned: poison.map(({ event }) => refOf(event)),
      states: statesOf(open),
    },
    poison: [...poison, ...untaken].filter(({ event }) => event.sign === 1),
  });
  const rebuilds = open.flatMap(({ signed }) => (signed === null ? [] : settleSigned(signed)));
  return rebuilds.length === 0 ? finish() : openRebuild(rebuilds, key, left, finish);
}
