import type {
  DerivedEvent,
  EntityCommit,
  EntitySnapshot,
  EventRef,
} from "../features/event-log.ts";
import type { Side } from "../features/pair-changes.ts";
import { pairEvent, readingRecords } from "../features/pairs.ts";
import type { Registry } from "../features/registry.ts";
import { givenOf } from "./entity-refs.ts";
import { beginPairs, fitPairs, type Fitting, type JoinContext, type Meeting } from "./fit-pairs.ts";
import { JOIN_LIMITS, type JoinLimits, type Room } from "./join-limits.ts";
import type { Fold, Poison } from "./fold.ts";

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
  /** Those whose past cannot be read, since the store failed. They hold up nobody. */
  readonly stuck: readonly EntitySnapshot[];
}

/** Entities whose events are held in memory at once. */
const AT_ONCE = 50;

const eventRef = ({ event: { source, eventId } }: Side): EventRef => ({ source, eventId });

/**
 * Folds entities at which sources meet: what is pending for them becomes the pairs that it makes with
 * what was folded before. A round makes about 2,000 pairs; what goes beyond stays pending. A single
 * event that makes more than a commit takes is refused. `now` is the time of the commit.
 */
export async function foldJoins(
  ctx: JoinContext & { readonly registry: Registry },
  open: readonly Meeting[],
  now: number,
): Promise<FoldedJoins> {
  const { registry, log, joinLimits: limits = JOIN_LIMITS } = ctx;
  const folds: JoinFold[] = [];
  const stuck: EntitySnapshot[] = [];
  let room = limits.round;
  let at = 0;
  for (; at < open.length && room.pairs > 0; at += AT_ONCE) {
    const page = await beginPairs(log, open.slice(at, at + AT_ONCE), now, limits);
    for (const [i, begun] of page.entries()) {
      const { snapshot, join } = begun;
      const fit = room.pairs > 0 ? await fitPairs(log, begun, room, limits) : undefined;
      if (fit === null) {
        stuck.push(snapshot);
        continue;
      }
      // An event that makes more pairs than a round does has a round of its own.
      if (fit === undefined || (!fit.isTooMuch && isOver(fit, room) && room !== limits.round)) {
        return { folds, stuck, later: open.slice(at + i).map((one) => one.snapshot) };
      }
      const hasMore = fit.taken.length < snapshot.pending.length || snapshot.hasMore === true;
      if (fit.isTooMuch) {
        folds.push({ snapshot, fold: refusalOf({ snapshot, join }, fit, limits), hasMore });
        continue;
      }
      const { pairs, chars } = fit.size;
      if (pairs > 0) room = { pairs: room.pairs - pairs, chars: room.chars - chars };
      const commit = commitOf(registry, { snapshot, join }, fit);
      folds.push({ snapshot, fold: { commit, poison: [] }, hasMore });
    }
  }
  return { folds, stuck, later: open.slice(at).map((one) => one.snapshot) };
}

const isOver = ({ size }: Fitting, room: Room): boolean =>
  size.pairs > room.pairs || size.chars > room.chars;

function commitOf(registry: Registry, { snapshot, join }: Meeting, fit: Fitting): EntityCommit {
  const recordOf = readingRecords();
  const derived = fit.changes.map((change): DerivedEvent => {
    const made = pairEvent(join, change, recordOf);
    return { ...made, entities: givenOf(registry, made.event) };
  });
  return { ...emptyCommit(snapshot), folded: fit.taken.map(eventRef), derived };
}

const emptyCommit = ({ tenant, entity, key, version, builds }: EntitySnapshot) => ({
  tenant,
  entity,
  key,
  readVersion: version,
  builds,
  folded: [],
  poisoned: [],
  states: [],
  derived: [],
});

/** Leaves an event out that cannot be folded in part. */
function refusalOf({ snapshot, join }: Meeting, fit: Fitting, { event: most }: JoinLimits): Fold {
  const megabytes = most.chars / 1e6;
  const detail =
    `its pairs in "${join.name}" are more than one commit takes (${most.pairs}, or about ` +
    `${megabytes} MB): give the join a shorter "within" or more columns in "on"`;
  const poison = fit.taken.map(({ event }): Poison => ({ event, detail }));
  return { commit: { ...emptyCommit(snapshot), poisoned: fit.taken.map(eventRef) }, poison };
}
