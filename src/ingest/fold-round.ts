import { AppError } from "../errors.ts";
import type { EntityCommit, EntityRef, EntitySnapshot, EventLog } from "../features/event-log.ts";
import type { HistoryLog } from "../features/history/history-log.ts";
import { feedNamesOf, isJoinId } from "../features/feeds.ts";
import { stateWrite, type StateWrite } from "../features/online-store.ts";
import type { Registry } from "../features/registry.ts";
import type { Read } from "./append-batch.ts";
import { distinctRefs, refOf } from "./entity-refs.ts";
import type { JoinLimits } from "./join-limits.ts";
import { foldJoins } from "./fold-joins.ts";
import { foldEntity, type Fold, type Poison } from "./fold.ts";
import { finishFold, isOpen, type OpenFold } from "./open-fold.ts";
import type { Refused } from "./refused.ts";

export interface FoldContext {
  readonly registry: Registry;
  readonly log: Pick<EventLog, "commit" | "readMet">;
  readonly joinLimits?: JoinLimits | undefined;
  /** Read for folds that need the past of their entity. */
  readonly history: Pick<HistoryLog, "readEvents">;
  readonly now: () => number;
  /** Keeps refused events; idempotent, since a batch may be applied again. */
  readonly refuse: (refused: readonly Refused[]) => Promise<void>;
}

/** An entity whose states can be projected. */
export interface Round {
  readonly ref: EntityRef;
  readonly writes: readonly StateWrite[];
  readonly version: number;
}

/** What the online store should hold of an entity: every state, under the entity's version. */
function writesOf(
  snapshot: EntitySnapshot,
  version: number,
  changed: EntityCommit["states"],
): readonly StateWrite[] {
  const states = new Map(snapshot.states);
  for (const { stateId, bytes } of changed) states.set(stateId, bytes);
  const { tenant, key } = snapshot;
  return [...states].map(([stateId, bytes]) =>
    stateWrite({ tenant, stateId, key, version, bytes }),
  );
}

/** What one round of folding came to. */
export interface RoundOutcome {
  readonly done: readonly Round[];
  readonly lost: readonly EntityRef[];
  readonly left: readonly EntityRef[];
  /** How many of these have a view in use that this deployment does not have. */
  readonly foreign: number;
  /** Those with more pending than one round takes. */
  readonly more: readonly EntityRef[];
  /** Joins that made pairs, and to whom these were given. */
  readonly made: readonly { readonly by: EntityRef; readonly entities: readonly EntityRef[] }[];
  readonly folded: number;
  readonly refused: number;
}

const poisonous = ({ event, detail }: Poison): Refused => ({
  event,
  reason: "fold_failed",
  detail,
});

/**
 * The fold of an entity; null where it must be left pending: a state is damaged (it harms nobody but
 * its own entity).
 */
function foldOrLeave(
  { registry }: FoldContext,
  { complete }: Read,
  snapshot: EntitySnapshot,
): Fold | OpenFold | null {
  try {
    return foldEntity(registry.viewsByEntity.get(snapshot.entity) ?? [], snapshot, complete);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

interface Folding {
  readonly snapshot: EntitySnapshot;
  readonly fold: Fold | OpenFold;
}

interface Folded {
  readonly snapshot: EntitySnapshot;
  readonly fold: Fold;
  readonly hasMore: boolean;
}

/** Entities whose past is read at once: of each, memory holds a page of its log. */
const READ_AT_ONCE = 4;

/**
 * Finishes the folds that need the past of their entities. One whose past cannot be read is left out:
 * it harms nobody but its own entity, and the commit of the others tells whether the store is down.
 */
async function finishAll(
  { history }: FoldContext,
  folding: readonly Folding[],
): Promise<readonly Folded[]> {
  const folded = new Map<number, Folded>();
  const waiting = folding.entries();
  const work = async (): Promise<void> => {
    for (const [i, { snapshot, fold }] of waiting) {
      const finished = isOpen(fold) ? await finishOrLeave(history, snapshot, fold) : fold;
      const hasMore = snapshot.hasMore === true;
      if (finished !== null) folded.set(i, { snapshot, fold: finished, hasMore });
    }
  };
  await Promise.all(Array.from({ length: READ_AT_ONCE }, work));
  return folding.flatMap((_, i) => folded.get(i) ?? []);
}

async function finishOrLeave(
  history: FoldContext["history"],
  snapshot: EntitySnapshot,
  fold: OpenFold,
): Promise<Fold | null> {
  try {
    return await finishFold(history, snapshot, fold);
  } catch (error) {
    if (error instanceof AppError || error instanceof RangeError) return null;
    throw error;
  }
}

/**
 * Folds and commits once. Answers who can be projected and who was lost to somebody else. A join of
 * another deployment is that one's to fold: here nothing waits for it.
 */
export async function foldRound(ctx: FoldContext, read: Read): Promise<RoundOutcome> {
  const { joinsByEntity } = ctx.registry;
  const snapshots = read.snapshots.map((one) =>
    isJoinId(one.entity) && !joinsByEntity.has(one.entity)
      ? { ...one, pending: [], hasMore: false }
      : one,
  );
  const done: Round[] = [];
  const lost: EntityRef[] = [];
  const left: EntityRef[] = [];
  const foreign: EntityRef[] = [];
  const folding: Folding[] = [];
  for (const snapshot of snapshots) {
    if (snapshot.pending.length === 0 || joinsByEntity.has(snapshot.entity)) continue;
    if (read.newerFor.has(snapshot.entity)) {
      foreign.push(refOf(snapshot));
      continue;
    }
    const fold = foldOrLeave(ctx, read, snapshot);
    if (fold === null) left.push(refOf(snapshot));
    else folding.push({ snapshot, fold });
  }
  const more: EntityRef[] = [];
  for (const snapshot of snapshots) {
    if (snapshot.pending.length > 0) continue;
    if (read.newerFor.has(snapshot.entity)) {
      // Its outbox row stays for whoever projects all of its states.
      left.push(refOf(snapshot));
      continue;
    }
    const { version } = snapshot;
    if (snapshot.hasMore === true) more.push(refOf(snapshot));
    else done.push({ ref: snapshot, version, writes: writesOf(snapshot, version, []) });
  }
  const joins = snapshots.flatMap((snapshot) => {
    const join = joinsByEntity.get(snapshot.entity);
    return join === undefined || snapshot.pending.length === 0 ? [] : [{ snapshot, join }];
  });
  const now = ctx.now();
  const joined = await foldJoins(ctx, joins, now);
  const finished = await finishAll(ctx, folding);
  const isFinished = new Set(finished.map(({ snapshot }) => snapshot));
  const unfinished = folding.filter(({ snapshot }) => !isFinished.has(snapshot));
  left.push(...[...unfinished.map(({ snapshot }) => snapshot), ...joined.stuck].map(refOf));
  left.push(...foreign);
  const folds = [...finished, ...joined.folds];
  more.push(...joined.later.map(refOf));
  const made: RoundOutcome["made"][number][] = [];
  const outcome = { done, lost, left, foreign: foreign.length, more, made };
  if (folds.length === 0) return { ...outcome, folded: 0, refused: 0 };
  const poison = folds.flatMap(({ fold }) => fold.poison);
  // Kept before the commit takes it from pending, so that no crash can lose it.
  if (poison.length > 0) await ctx.refuse(poison.map(poisonous));
  const { won } = await ctx.log.commit(
    folds.map(({ fold }) => fold.commit),
    now,
    feedNamesOf(ctx.registry.feedsBySource, joinsByEntity.keys()),
    // Of more than one, this is none.
    [...read.views].join(" "),
  );
  let folded = 0;
  for (const [i, { snapshot, fold, hasMore }] of folds.entries()) {
    const { commit } = fold;
    if (won[i] !== true) {
      lost.push(refOf(snapshot));
      continue;
    }
    folded += commit.folded.length;
    const given = (commit.derived ?? []).flatMap((one) => one.entities);
    const entities = distinctRefs(given.map(refOf));
    if (entities.length > 0) made.push({ by: refOf(snapshot), entities });
    // A part is visible before the rest is folded: there may always be more.
    if (hasMore) more.push(refOf(snapshot));
    const version = snapshot.version + commit.folded.length;
    done.push({ ref: snapshot, version, writes: writesOf(snapshot, version, commit.states) });
  }
  return { ...outcome, folded, refused: poison.length };
}
