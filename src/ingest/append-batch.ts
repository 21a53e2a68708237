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
  type Verdict,
} from "../features/event-log.ts";
import type { Registry } from "../features/registry.ts";
import { entitiesOf, refText } from "./entity-refs.ts";
import type { Refused } from "./refused.ts";

export interface AppendContext {
  readonly registry: Registry;
  readonly log: Pick<EventLog, "append">;
  readonly now: () => number;
}

const UNSETTLED_ROUNDS = 5;

function appendInput(
  ctx: AppendContext,
  events: readonly LogEvent[],
  touched: readonly EntityRef[],
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
  return { events, contributions, touched: refs, stateIds, now: ctx.now() };
}

/** Entities as they were read, and what must be known to fold them. */
export interface Read {
  readonly snapshots: readonly EntitySnapshot[];
  readonly complete: ReadonlySet<string>;
  readonly newerFor: ReadonlySet<string>;
}

/** What an append came to. */
export interface Appended {
  readonly verdicts: Map<LogEvent, Verdict>;
  readonly entities: Map<string, EntitySnapshot>;
  readonly complete: Set<string>;
  readonly newerFor: Set<string>;
  readonly refused: Refused[];
}

function takeIn(into: Appended, events: readonly LogEvent[], result: AppendResult): void {
  for (const [i, event] of events.entries()) {
    into.verdicts.set(event, result.verdicts[i] ?? "unsettled");
  }
  for (const snapshot of result.entities) into.entities.set(refText(snapshot), snapshot);
  for (const stateId of result.completeStates) into.complete.add(stateId);
  for (const entity of result.newerFor) into.newerFor.add(entity);
}

/**
 * Appends; where the store refuses the data, halves the batch until the event that it refuses is
 * found, so that one poison event costs its neighbours nothing.
 */
async function appendIsolating(
  ctx: AppendContext,
  events: readonly LogEvent[],
  touched: readonly EntityRef[],
  into: Appended,
): Promise<void> {
  try {
    takeIn(into, events, await ctx.log.append(appendInput(ctx, events, touched)));
  } catch (error) {
    if (!(error instanceof RejectedByStore) || events.length === 0) throw error;
    const [only] = events;
    if (events.length === 1 && only !== undefined) {
      into.refused.push({ event: only, reason: "store_refused", detail: error.message });
      await appendIsolating(ctx, [], touched, into);
      return;
    }
    const middle = Math.ceil(events.length / 2);
    await appendIsolating(ctx, events.slice(0, middle), touched, into);
    await appendIsolating(ctx, events.slice(middle), touched, into);
  }
}

/**
 * Appends events and reads the entities that they touch, and others. Asks again about events that
 * somebody else was writing at the same moment; throws AppError `dependency_unavailable` when they
 * stay so.
 */
export async function appendBatch(
  ctx: AppendContext,
  events: readonly LogEvent[],
  touched: readonly EntityRef[],
): Promise<Appended> {
  const into: Appended = {
    verdicts: new Map(),
    entities: new Map(),
    complete: new Set(),
    newerFor: new Set(),
    refused: [],
  };
  await appendIsolating(ctx, events, touched, into);
  for (let round = 0; round < UNSETTLED_ROUNDS; round += 1) {
    const open = events.filter((event) => into.verdicts.get(event) === "unsettled");
    if (open.length === 0) return into;
    await appendIsolating(ctx, open, [], into);
  }
  throw new AppError("dependency_unavailable", "other writers hold these events; try again");
}

/** Reads entities once more, after somebody else won them. */
export async function readAgain(ctx: AppendContext, refs: readonly EntityRef[]): Promise<Read> {
  const { entities, completeStates, newerFor } = await ctx.log.append(appendInput(ctx, [], refs));
  return { snapshots: entities, complete: completeStates, newerFor };
}
