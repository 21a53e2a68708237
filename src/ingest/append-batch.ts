import { AppError } from "../errors.ts";
import {
  RejectedByStore,
  type AppendInput,
  type AppendResult,
  type Contribution,
  type EntityRef,
  type EntitySnapshot,
  type EventLog,
  type LogEvent,
  type RowMove,
  type Verdict,
} from "../features/event-log.ts";
import { feedNamesOf } from "../features/feeds.ts";
import type { Registry } from "../features/registry.ts";
import type { WaitingLimits } from "../features/waiting-limits.ts";
import { entitiesOf, loggedEntitiesOf, refText } from "./entity-refs.ts";
import { giveEvents } from "./give-events.ts";
import { isChange, planChanges, type PlannedChanges } from "./plan-changes.ts";
import type { Refused } from "./refused.ts";

export interface AppendContext {
  readonly registry: Registry;
  readonly log: Pick<EventLog, "append" | "readChanges" | "giveMissed">;
  readonly waitingLimits?: WaitingLimits | undefined;
}

const UNSETTLED_ROUNDS = 5;

function appendInput(
  ctx: AppendContext,
  events: readonly LogEvent[],
  moves: readonly RowMove[],
  touched: readonly EntityRef[],
  now: number,
): AppendInput {
  const contributions: Contribution[] = [];
  const all = new Map(touched.map((ref) => [refText(ref), ref]));
  for (const [i, event] of events.entries()) {
    for (const ref of entitiesOf(ctx.registry, event)) {
      contributions.push({ ...ref, event: i });
      all.set(refText(ref), ref);
    }
  }
  const refs = [...all.values()];
  const entities = new Set(refs.map(({ entity }) => entity));
  const stateIds = [...entities].flatMap((entity) =>
    (ctx.registry.viewsByEntity.get(entity) ?? []).map(({ stateId }) => stateId),
  );
  const feeds = feedNamesOf(
    ctx.registry.feedsBySource,
    events.map(({ source }) => source),
  );
  const waiting = ctx.waitingLimits;
  return { events, contributions, moves, touched: refs, stateIds, feeds, waiting, now };
}

/** Entities as they were read, and what must be known to fold them. */
export interface Read {
  readonly snapshots: readonly EntitySnapshot[];
  readonly complete: ReadonlySet<string>;
  readonly newerFor: ReadonlySet<string>;
  readonly setsAside: boolean;
  /** Names the views in use; more than one where they changed between two reads. */
  readonly views: ReadonlySet<string>;
}

/** What an append came to. */
export interface Appended {
  /** `stale`: a change of a row that is further on by now. */
  readonly verdicts: Map<LogEvent, Verdict | "stale">;
  /** By change, the entities of what it makes of its row and of what it takes back. */
  readonly touchedBy: Map<LogEvent, readonly EntityRef[]>;
  readonly entities: Map<string, EntitySnapshot>;
  readonly complete: Set<string>;
  readonly newerFor: Set<string>;
  /** Whether events were set aside, for feeds of which nothing is known here. */
  setsAside: boolean;
  readonly views: Set<string>;
  readonly refused: Refused[];
}

/** A batch as the log takes it: changes of rows as what they come to, and all other events. */
interface Batch {
  readonly changes: readonly LogEvent[];
  readonly planned: PlannedChanges;
  /** In the order of the changes. */
  readonly touchedBy: readonly (readonly EntityRef[])[];
  readonly plain: readonly LogEvent[];
}

async function planBatch(
  ctx: AppendContext,
  sent: readonly LogEvent[],
  now: number,
): Promise<Batch> {
  const changes = sent.filter(isChange);
  const stored = changes.length === 0 ? [] : await ctx.log.readChanges(changes);
  // Whoever missed a row's image is given it before it is taken back.
  const missed = stored.flatMap(({ row }) =>
    row === null || row.image === null || row.missedBy === undefined
      ? []
      : [{ event: row.image, feeds: row.missedBy }],
  );
  if (missed.length > 0) await giveEvents(ctx, missed, now);
  const planned = planChanges(changes, stored);
  const touchedBy = planned.changes.map(({ events }) =>
    events.flatMap((event) => loggedEntitiesOf(ctx.registry, event)),
  );
  return { changes, planned, touchedBy, plain: sent.filter((event) => !isChange(event)) };
}

function takeIn(into: Appended, batch: Batch, { verdicts, moved, ...read }: AppendResult): void {
  const { changes, planned, touchedBy, plain } = batch;
  for (const [i, event] of plain.entries()) {
    into.verdicts.set(event, verdicts[planned.events.length + i] ?? "unsettled");
  }
  for (const [i, change] of changes.entries()) {
    const { verdict = "accepted", move = null, image = null } = planned.changes[i] ?? {};
    const isErased = image !== null && verdicts[image] === "erased";
    const isLost = move !== null && moved[move] !== true;
    into.verdicts.set(change, isLost ? "unsettled" : isErased ? "erased" : verdict);
    into.touchedBy.set(change, touchedBy[i] ?? []);
  }
  for (const snapshot of read.entities) into.entities.set(refText(snapshot), snapshot);
  for (const stateId of read.completeStates) into.complete.add(stateId);
  for (const entity of read.newerFor) into.newerFor.add(entity);
  into.setsAside ||= read.setsAside;
  into.views.add(read.views);
}

/**
 * Appends; where the store refuses the data, halves the batch until the event that it refuses is
 * found, so that one poison event costs its neighbours nothing.
 */
async function appendIsolating(
  ctx: AppendContext,
  sent: readonly LogEvent[],
  touched: readonly EntityRef[],
  now: number,
  into: Appended,
): Promise<void> {
  try {
    const batch = await planBatch(ctx, sent, now);
    const { planned, plain, touchedBy } = batch;
    const events = [...planned.events, ...plain];
    const input = appendInput(ctx, events, planned.moves, [...touched, ...touchedBy.flat()], now);
    takeIn(into, batch, await ctx.log.append(input));
  } catch (error) {
    if (!(error instanceof RejectedByStore) || sent.length === 0) throw error;
    const [only] = sent;
    if (sent.length === 1 && only !== undefined) {
      into.verdicts.delete(only);
      into.refused.push({ event: only, reason: "store_refused", detail: error.message });
      await appendIsolating(ctx, [], touched, now, into);
      return;
    }
    const middle = Math.ceil(sent.length / 2);
    await appendIsolating(ctx, sent.slice(0, middle), touched, now, into);
    await appendIsolating(ctx, sent.slice(middle), touched, now, into);
  }
}

/**
 * Appends events at `now` and reads the entities that they touch, and others. Asks again about events that
 * somebody else was writing at the same moment; throws AppError `dependency_unavailable` when they
 * stay so.
 */
export async function appendBatch(
  ctx: AppendContext,
  events: readonly LogEvent[],
  touched: readonly EntityRef[],
  now: number,
): Promise<Appended> {
  const into: Appended = {
    verdicts: new Map(),
    touchedBy: new Map(),
    entities: new Map(),
    complete: new Set(),
    newerFor: new Set(),
    setsAside: false,
    views: new Set(),
    refused: [],
  };
  await appendIsolating(ctx, events, touched, now, into);
  for (let round = 0; round < UNSETTLED_ROUNDS; round += 1) {
    const open = events.filter((event) => into.verdicts.get(event) === "unsettled");
    if (open.length === 0) return into;
    await appendIsolating(ctx, open, [], now, into);
  }
  throw new AppError("dependency_unavailable", "other writers hold these events; try again");
}

/** Reads entities once more, after somebody else won them. */
export async function readAgain(
  ctx: AppendContext,
  refs: readonly EntityRef[],
  now: number,
): Promise<Read> {
  const { entities, completeStates, newerFor, setsAside, views } = await ctx.log.append(
    appendInput(ctx, [], [], refs, now),
  );
  return {
    snapshots: entities,
    complete: completeStates,
    newerFor,
    setsAside,
    views: new Set([views]),
  };
}
