import type { EntityRef, EventLog, LogEvent, ProjectedVersion } from "../features/event-log.ts";
import type { OnlineStore } from "../features/online-store.ts";
import {
  appendBatch,
  readAgain,
  type AppendContext,
  type Appended,
  type Read,
} from "./append-batch.ts";
import { idText } from "./entity-refs.ts";
import { AwaitedPairs, metWaits } from "./awaited-pairs.ts";
import type { MetWait } from "./envelope.ts";
import { ApplyProgress } from "./apply-progress.ts";
import { foldRound, type FoldContext, type Round, type RoundOutcome } from "./fold-round.ts";
import { conflict, prepareBatch } from "./prepare-batch.ts";
import type { Refused } from "./refused.ts";
import { Turns } from "./turns.ts";
import { readWithAll, type ViewsInUse } from "./views-in-use.ts";

export type ApplyContext = AppendContext &
  FoldContext & {
    readonly log: Pick<EventLog, "readWaiting" | "readLogged">;
    readonly online: Pick<OnlineStore, "write">;
    /** Where it is left out, entities wait that have a view in use of which nothing is known here. */
    readonly inUse?: ViewsInUse | undefined;
    readonly sleep: (ms: number) => Promise<void>;
    /** From 0 to 1. */
    readonly random: () => number;
  };

/** What somebody waits to see online. */
export interface Awaited {
  /** Among the events that are applied. */
  readonly events: ReadonlySet<LogEvent>;
  /** Among the entities that are folded as well. */
  readonly entities: readonly EntityRef[];
  /** Events that were applied before, whose pairs are awaited. */
  readonly met: readonly MetWait[];
}

const NOBODY: Awaited = { events: new Set(), entities: [], met: [] };

export interface Applied {
  /** Entities whose every event of this batch is visible online, by refText. */
  readonly visible: ReadonlySet<string>;
  /** Entities that others kept winning, or with more to fold: durable, but left to a later fold. */
  readonly unfinished: readonly EntityRef[];
  /** Those of them, by refText, with which nothing can be done here now: soon is not soon enough. */
  readonly stuck: ReadonlySet<string>;
  /** What the online store has now: their outbox rows can be forgotten. */
  readonly projected: readonly ProjectedVersion[];
  /** Per event of the input, the entities it touches. */
  readonly touchedBy: readonly (readonly EntityRef[])[];
  /** By refText of a join's entity, those to which it gave pairs. */
  readonly gaveTo: ReadonlyMap<string, readonly EntityRef[]>;
  /** Why the online store could not be written, if so; everything is durable even then. */
  readonly projectionError: unknown;
  readonly figures: ApplyFigures;
}

/** Counts of one batch, for logs and metrics. */
export interface ApplyFigures {
  accepted: number;
  duplicates: number;
  erased: number;
  /** Changes of rows that were further on already. */
  stale: number;
  folded: number;
  /** Compare-and-sets that somebody else won. */
  lost: number;
  /** Events that went to quarantine. */
  refused: number;
  /** Entities left pending, for another deployment or because a state of theirs is damaged. */
  left: number;
  /** Of these, those with a view in use that this deployment does not have. */
  foreign: number;
  /** Entities that another consumer was at, and was left to fold. */
  yielded: number;
}

/** Figures of nothing yet. */
export const noFigures = (): ApplyFigures => ({
  accepted: 0,
  duplicates: 0,
  erased: 0,
  stale: 0,
  folded: 0,
  lost: 0,
  refused: 0,
  left: 0,
  foreign: 0,
  yielded: 0,
});

/** Rounds in all: a join that goes on making pairs leaves the rest to a later fold. */
const MAX_ROUNDS = 24;

/** Between looks at what others fold: about as long as they take. */
const LOOK_MS = { least: 5, most: 15 };

/**
 * Append, fold, commit, project: applies events, and whatever else is pending for the entities they
 * touch or that are named. Pairs that this makes are folded in the rounds that follow. Where another
 * consumer folds what was appended here, that one projects it too, unless somebody waits for it.
 *
 * Safe with any repetition, order and concurrency, and when it dies at any step: what was appended
 * stays pending, what was committed stays in the outbox. Throws AppError when the truth cannot be
 * reached; the whole batch may then simply be applied again.
 */
export async function applyEvents(
  ctx: ApplyContext,
  events: readonly LogEvent[],
  alsoFold: readonly EntityRef[],
  awaited: Awaited = NOBODY,
): Promise<Applied> {
  const prepared = prepareBatch(ctx.registry, events);
  const since = ctx.now();
  const also = [...alsoFold, ...prepared.touchedBy.flat()];
  const appended = await appendBatch(ctx, prepared.events, also, since);
  const figures = noFigures();
  const refused: Refused[] = [...prepared.refused, ...appended.refused];
  for (const [event, verdict] of appended.verdicts) {
    if (verdict === "accepted") figures.accepted += 1;
    if (verdict === "duplicate") figures.duplicates += 1;
    if (verdict === "erased") figures.erased += 1;
    if (verdict === "stale") figures.stale += 1;
    if (verdict === "conflict") refused.push(conflict(event));
  }
  if (refused.length > 0) await ctx.refuse(refused);
  figures.refused = refused.length;
  const touchedBy = withRows(events, prepared.touchedBy, appended.touchedBy);
  const touchedOf = (i: number): readonly EntityRef[] => touchedBy[i] ?? [];
  const own = [...events.entries()].filter(([, event]) => awaited.events.has(event));
  const progress = new ApplyProgress([...awaited.entities, ...own.flatMap(([i]) => touchedOf(i))]);
  const pairs = new AwaitedPairs([
    ...awaited.met,
    ...own.flatMap(([i, event]) => metWaits(ctx.registry, event, touchedOf(i))),
  ]);
  await foldAll(ctx, appended, { since, progress, pairs, figures });
  return { ...progress.result(), touchedBy, figures };
}

interface Folding {
  /** When the events were appended. */
  readonly since: number;
  readonly progress: ApplyProgress;
  readonly pairs: AwaitedPairs;
  readonly figures: ApplyFigures;
}

/** Folds and projects what an append found pending, round by round. */
async function foldAll(
  given: ApplyContext,
  appended: Appended,
  { since, progress, pairs, figures }: Folding,
): Promise<void> {
  const turns = new Turns(since);
  let ctx = given;
  const snapshots = [...appended.entities.values()].filter((one) => !turns.yields(one));
  const isRead = snapshots.length > 0 || appended.setsAside;
  let read: Read | null = isRead ? { ...appended, snapshots } : null;
  for (let round = 0; read !== null || turns.open.length > 0; round += 1) {
    if (read !== null) {
      ({ ctx, read } = await readWithAll(ctx, read, since));
      const found = await pairs.find(ctx, read.snapshots);
      const folded: RoundOutcome = await foldRound(ctx, read);
      const outcome = { ...folded, made: [...found, ...folded.made] };
      figures.folded += outcome.folded;
      figures.refused += outcome.refused;
      figures.lost += outcome.lost.length;
      figures.left += outcome.left.length;
      figures.foreign += outcome.foreign;
      progress.take(outcome, await project(ctx, outcome.done, progress.projectionError));
    } else {
      await ctx.sleep(LOOK_MS.least + (LOOK_MS.most - LOOK_MS.least) * ctx.random());
    }
    if (turns.open.length > 0) {
      const seen = turns.see(await ctx.log.readWaiting(turns.open));
      figures.yielded += seen.folded.length;
      progress.takeTurns(seen.next, seen.folded);
    }
    // The last round's losers are not read again: the winner folds, or a later fold does.
    const next: readonly EntityRef[] = round + 1 < MAX_ROUNDS ? progress.next() : [];
    read = next.length > 0 ? progress.left(await readAgain(ctx, next, since), turns) : null;
  }
}

/** What changes of rows took back touches entities too; a repeat's are those of the first. */
function withRows(
  events: readonly LogEvent[],
  touchedBy: Applied["touchedBy"],
  ofChanges: ReadonlyMap<LogEvent, readonly EntityRef[]>,
): Applied["touchedBy"] {
  if (ofChanges.size === 0) return touchedBy;
  const byId = new Map([...ofChanges].map(([event, refs]) => [idText(event), refs]));
  return touchedBy.map((refs, i) => {
    const event = events[i];
    return event === undefined ? refs : [...refs, ...(byId.get(idText(event)) ?? [])];
  });
}

/** Null when every state is online; else why not. The outbox keeps what failed. */
async function project(
  ctx: ApplyContext,
  done: readonly Round[],
  failedBefore: unknown,
): Promise<unknown> {
  const writes = done.flatMap((round) => round.writes);
  if (writes.length === 0 || failedBefore !== null) return failedBefore;
  try {
    await ctx.online.write(writes);
    return null;
  } catch (error) {
    return error ?? new Error("the online store could not be written");
  }
}
