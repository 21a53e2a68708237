import type { EntityCommit, EntityRef, EntitySnapshot, EventLog } from "../features/event-log.ts";
import type { HistoryLog } from "../features/history/history-log.ts";
import { stateWrite, type StateWrite } from "../features/online-store.ts";
import type { Registry } from "../features/registry.ts";
import type { Read } from "./append-batch.ts";
import { refOf } from "./entity-refs.ts";
import { foldEntity, type Fold, type Poison } from "./fold.ts";
import { finishFold, isOpen, type OpenFold } from "./open-fold.ts";
import type { Refused } from "./refused.ts";

export interface FoldContext {
  readonly registry: Registry;
  readonly log: Pick<EventLog, "commit">;
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
  readonly folded: number;
  readonly refused: number;
}

const poisonous = ({ event, detail }: Poison): Refused => ({
  event,
  reason: "fold_failed",
  detail,
});

/**
 * The fold of an entity; null where it must be left pending: a newer deployment keeps states that
 * this one does not know, or a state is damaged (it harms nobody but its own entity).
 */
function foldOrLeave(
  { registry }: FoldContext,
  { complete, newerFor }: Read,
  snapshot: EntitySnapshot,
): Fold | OpenFold | null {
  if (newerFor.has(snapshot.entity)) return null;
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
}

/** Entities whose past is read at once: of each, memory holds a page of its log. */
const READ_AT_ONCE = 4;

/** Finishes the folds that need the past of their entities. */
async function finishAll(
  { history }: FoldContext,
  folding: readonly Folding[],
): Promise<readonly Folded[]> {
  const folded: Folded[] = [];
  const waiting = folding.entries();
  const work = async (): Promise<void> => {
    for (const [i, { snapshot, fold }] of waiting) {
      const finished = isOpen(fold) ? await finishFold(history, snapshot, fold) : fold;
      folded[i] = { snapshot, fold: finished };
    }
  };
  await Promise.all(Array.from({ length: READ_AT_ONCE }, work));
  return folded;
}

/** Folds and commits once. Answers who can be projected and who was lost to somebody else. */
export async function foldRound(ctx: FoldContext, read: Read): Promise<RoundOutcome> {
  const { snapshots } = read;
  const done: Round[] = [];
  const lost: EntityRef[] = [];
  const left: EntityRef[] = [];
  const folding: Folding[] = [];
  for (const snapshot of snapshots) {
    if (snapshot.pending.length === 0) continue;
    const fold = foldOrLeave(ctx, read, snapshot);
    if (fold === null) left.push(refOf(snapshot));
    else folding.push({ snapshot, fold });
  }
  for (const snapshot of snapshots) {
    if (snapshot.pending.length > 0) continue;
    const { version } = snapshot;
    done.push({ ref: snapshot, version, writes: writesOf(snapshot, version, []) });
  }
  if (folding.length === 0) return { done, lost, left, folded: 0, refused: 0 };
  const folds = await finishAll(ctx, folding);
  const poison = folds.flatMap(({ fold }) => fold.poison);
  // Kept before the commit takes it from pending, so that no crash can lose it.
  if (poison.length > 0) await ctx.refuse(poison.map(poisonous));
  const { won } = await ctx.log.commit(
    folds.map(({ fold }) => fold.commit),
    ctx.now(),
  );
  let folded = 0;
  for (const [i, { snapshot, fold }] of folds.entries()) {
    const { commit } = fold;
    if (won[i] !== true) {
      lost.push(refOf(snapshot));
      continue;
    }
    folded += commit.folded.length;
    const version = snapshot.version + commit.folded.length;
    done.push({ ref: snapshot, version, writes: writesOf(snapshot, version, commit.states) });
  }
  return { done, lost, left, folded, refused: poison.length };
}
