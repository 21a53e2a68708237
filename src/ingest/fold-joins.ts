import { AppError } from "../errors.ts";
import type {
  DerivedEvent,
  EntityCommit,
  EntitySnapshot,
  EventLog,
  EventRef,
  FoldedRange,
  LogEvent,
  MetEvent,
} from "../features/event-log.ts";
import { inOrder, pairChanges, type PairChange, type Side } from "../features/pair-changes.ts";
import { pairEvent, readingRecords } from "../features/pairs.ts";
import type { Registry } from "../features/registry.ts";
import type { JoinPlan } from "../features/source-plan.ts";
import { entitiesOf } from "./entity-refs.ts";
import type { Fold } from "./fold.ts";

export interface JoinFold {
  readonly snapshot: EntitySnapshot;
  readonly fold: Fold;
  /** Whether more is pending than this fold takes. */
  readonly hasMore: boolean;
}

export interface FoldedJoins {
  readonly folds: readonly JoinFold[];
  /** Those for which there was no room any more. */
  readonly later: readonly EntitySnapshot[];
  /** Those whose past cannot be read: it is too much, or the store failed. They hold up nobody. */
  readonly stuck: readonly EntitySnapshot[];
}

/** The most pairs that one round of folds makes, but for those of a single event. */
const MAX_PAIRS = 2_000;
/** Entities whose events are held in memory at once. */
const AT_ONCE = 50;
/** The most events of one entity within reach of those that are pending: some megabytes. */
const MAX_MET = 10_000;

interface Open {
  readonly snapshot: EntitySnapshot;
  readonly join: JoinPlan;
}

/** What of its log an entity's fold needs: whatever a pending event can be paired with, or displace. */
function reachOf({ snapshot, join }: Open): readonly FoldedRange[] {
  const { tenant, entity, key, version: upTo, pending } = snapshot;
  if (upTo === 0) return [];
  const times = pending.map(({ eventTime }) => eventTime).toSorted((a, b) => a - b);
  const ranges: FoldedRange[] = [];
  for (const time of times) {
    const [from, before] = [time - join.withinMs, time + join.withinMs + 1];
    const last = ranges.at(-1);
    if (last === undefined || from > last.before) {
      ranges.push({ tenant, entity, key, upTo, from, before });
    } else {
      ranges[ranges.length - 1] = { ...last, before };
    }
  }
  return ranges;
}

const freshSide = (event: LogEvent, now: number): Side => ({
  event,
  known: Math.min(event.knownAt ?? now, now),
  isFresh: true,
  isLive: event.knownAt === null,
});

const loggedSide = ({ event, loggedAt }: MetEvent): Side => ({
  event,
  known: loggedAt,
  isFresh: false,
  // A past event that was given to the join later is known since it was ingested.
  isLive: event.knownAt === null && loggedAt !== event.ingestTime,
});

/** Reads what the folds need of the log, in one round trip; null where that cannot be had. */
async function readSides(
  log: Pick<EventLog, "readMet">,
  open: readonly Open[],
): Promise<readonly (readonly Side[] | null)[]> {
  const reaches = open.map(reachOf);
  const ranges = reaches.flat();
  const met = ranges.length === 0 ? [] : await readMet(log, ranges);
  let next = 0;
  return reaches.map((own) => {
    const events = met.slice(next, (next += own.length)).map((one) => one?.map(loggedSide) ?? null);
    const all = events.flatMap((one) => one ?? []);
    return events.includes(null) || all.length > MAX_MET ? null : all;
  });
}

/** A store that fails has nothing: the commit of the other folds tells whether it is down. */
async function readMet(log: Pick<EventLog, "readMet">, ranges: readonly FoldedRange[]) {
  try {
    return await log.readMet(ranges, MAX_MET);
  } catch (error) {
    if (error instanceof AppError) return ranges.map(() => null);
    throw error;
  }
}

interface Fitting {
  readonly taken: readonly Side[];
  readonly changes: readonly PairChange[];
}

/** As many pending events as make no more than so many pairs; one where none fits. */
function takeFitting(
  join: JoinPlan,
  logged: readonly Side[],
  fresh: readonly Side[],
  room: number,
): Fitting {
  let taken = fresh;
  for (;;) {
    const changes = pairChanges(join, [...logged, ...taken]);
    if (changes.length <= room || taken.length <= 1) return { taken, changes };
    taken = taken.slice(0, Math.ceil(taken.length / 2));
  }
}

const eventRef = ({ event: { source, eventId } }: Side): EventRef => ({ source, eventId });

/**
 * Folds entities at which sources meet: what is pending for them becomes the pairs that it makes with
 * what was folded before. A round makes about 2,000 pairs; what goes beyond stays pending. `now` is
 * the time of the commit.
 */
export async function foldJoins(
  ctx: { readonly registry: Registry; readonly log: Pick<EventLog, "readMet"> },
  open: readonly Open[],
  now: number,
): Promise<FoldedJoins> {
  const folds: JoinFold[] = [];
  const stuck: EntitySnapshot[] = [];
  let room = MAX_PAIRS;
  let at = 0;
  for (; at < open.length && room > 0; at += AT_ONCE) {
    const page = open.slice(at, at + AT_ONCE);
    const sides = await readSides(ctx.log, page);
    for (const [i, { snapshot, join }] of page.entries()) {
      const logged = sides[i] ?? null;
      if (logged === null) {
        stuck.push(snapshot);
        continue;
      }
      const fresh = snapshot.pending.map((event) => freshSide(event, now)).toSorted(inOrder);
      const fit = room > 0 ? takeFitting(join, logged, fresh, room) : null;
      // An event that makes more pairs than a round does has a round of its own.
      if (fit === null || (fit.changes.length > room && room < MAX_PAIRS)) {
        return { folds, stuck, later: open.slice(at + i).map((one) => one.snapshot) };
      }
      room -= fit.changes.length;
      const hasMore = fit.taken.length < fresh.length;
      const commit = commitOf(ctx.registry, { snapshot, join }, fit);
      folds.push({ snapshot, fold: { commit, poison: [] }, hasMore });
    }
  }
  return { folds, stuck, later: open.slice(at).map((one) => one.snapshot) };
}

function commitOf(
  registry: Registry,
  { snapshot, join }: Open,
  { taken, changes }: Fitting,
): EntityCommit {
  const { tenant, entity, key, version, builds } = snapshot;
  const recordOf = readingRecords();
  const derived = changes.map((change): DerivedEvent => {
    const made = pairEvent(join, change, recordOf);
    return { ...made, entities: entitiesOf(registry, made.event) };
  });
  return {
    tenant,
    entity,
    key,
    readVersion: version,
    builds,
    folded: taken.map(eventRef),
    poisoned: [],
    states: [],
    derived,
  };
}
