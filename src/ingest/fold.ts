import type { EntityCommit, EntitySnapshot, EventRef, LogEvent } from "../features/event-log.ts";
import { addEvent, dropUnreachable, type ReadEvent } from "../features/fold-view.ts";
import type { ViewPlan } from "../features/plan.ts";
import { recordFromText } from "../features/source-record.ts";
import { decodeState, emptyState, encodeState, type ViewState } from "../features/state.ts";

/** An event that no state can take, and why. */
export interface Poison {
  readonly event: LogEvent;
  readonly detail: string;
}

export interface Fold {
  readonly commit: EntityCommit;
  readonly poison: readonly Poison[];
}

const refOf = ({ source, eventId }: LogEvent): EventRef => ({ source, eventId });

/** By time, then order key: the numbers follow the events' own order within one fold. */
function inOrder(a: LogEvent, b: LogEvent): number {
  if (a.eventTime !== b.eventTime) return a.eventTime - b.eventTime;
  if (a.orderKey !== b.orderKey) return a.orderKey < b.orderKey ? -1 : 1;
  return a.source < b.source ? -1 : 1;
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

type Folded = { readonly states: EntityCommit["states"] } | { readonly failed: Poison };

function foldAll(
  views: readonly ViewPlan[],
  snapshot: EntitySnapshot,
  events: readonly LogEvent[],
): Folded {
  const open = views.map((plan): { plan: ViewPlan; state: ViewState; changed: boolean } => {
    const bytes = snapshot.states.get(plan.stateId);
    const state = bytes === undefined ? emptyState(plan) : decodeState(plan, bytes);
    return { plan, state, changed: false };
  });
  for (const event of events) {
    try {
      const read = readEvent(event);
      for (const view of open) {
        if (addEvent(view.plan, view.state, snapshot.key, read)) view.changed = true;
      }
    } catch (error) {
      return { failed: { event, detail: refusalOf(error) } };
    }
  }
  const states = open
    .filter(({ changed }) => changed)
    .map(({ plan, state }) => {
      dropUnreachable(plan, state);
      return { stateId: plan.stateId, bytes: encodeState(plan, state) };
    });
  return { states };
}

/**
 * Pure. Folds all that is pending for an entity into its states: the only way in which states
 * change. Events that cannot be folded are left out as poison, and change nothing.
 */
export function foldEntity(
  views: readonly ViewPlan[],
  snapshot: EntitySnapshot,
  complete: ReadonlySet<string>,
): Fold {
  const writable = writableViews(views, snapshot, complete);
  const poison: Poison[] = [];
  let events = snapshot.pending.toSorted(inOrder);
  let folded = foldAll(writable, snapshot, events);
  while ("failed" in folded) {
    const { failed } = folded;
    poison.push(failed);
    events = events.filter((event) => event !== failed.event);
    folded = foldAll(writable, snapshot, events);
  }
  const { tenant, entity, key, version, builds } = snapshot;
  const commit: EntityCommit = {
    tenant,
    entity,
    key,
    readVersion: version,
    builds,
    folded: events.map(refOf),
    poisoned: poison.map(({ event }) => refOf(event)),
    states: folded.states,
  };
  return { commit, poison };
}
