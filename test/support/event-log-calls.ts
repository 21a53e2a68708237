import type {
  AppendInput,
  AppendResult,
  EntityCommit,
  EntityRef,
  EntitySnapshot,
  EventLog,
  EventRef,
  LogEvent,
} from "../../src/features/event-log.ts";
import { contributionsOf } from "./log-events.ts";

export const customer = (tenant: string, key = "c1"): EntityRef => ({
  tenant,
  entity: "customer",
  key,
});

export const merchant = (tenant: string, key = "m1"): EntityRef => ({
  tenant,
  entity: "merchant",
  key,
});

export const refs = (events: readonly LogEvent[]): readonly EventRef[] =>
  events.map(({ source, eventId }) => ({ source, eventId }));

/** The one element of a list that has one. */
export function only<T>(list: readonly T[]): T {
  const [first] = list;
  if (first === undefined || list.length > 1) throw new Error(`expected one, got ${list.length}`);
  return first;
}

/** Every event contributes to every entity. */
export function append(
  log: EventLog,
  events: readonly LogEvent[],
  touched: readonly EntityRef[],
  options: Partial<Pick<AppendInput, "now" | "stateIds" | "waiting">> = {},
): Promise<AppendResult> {
  const { now = 5_000, stateIds = ["spend@1", "visits@1"], waiting } = options;
  const contributions = contributionsOf(events, touched);
  return log.append({ events, contributions, touched, stateIds, waiting, now });
}

/** The entity as it stands. */
export async function look(
  log: EventLog,
  entity: EntityRef,
  stateIds?: readonly string[],
): Promise<EntitySnapshot> {
  const options = stateIds === undefined ? {} : { stateIds };
  return only((await append(log, [], [entity], options)).entities);
}

/** Numbers all that waits, with some state. */
export function foldOf(snapshot: EntitySnapshot, fields: Partial<EntityCommit> = {}): EntityCommit {
  const { tenant, entity, key, version, builds, pending } = snapshot;
  return {
    tenant,
    entity,
    key,
    readVersion: version,
    builds,
    folded: refs(pending),
    poisoned: [],
    states: [{ stateId: "spend@1", bytes: "AAEC" }],
    ...fields,
  };
}

export async function commitAll(log: EventLog, entity: EntityRef, now = 6_000): Promise<void> {
  await log.commit([foldOf(await look(log, entity))], now);
}

/** A tenant's entities with work left since before `before`, oldest first. */
export async function unfinished(
  log: EventLog,
  tenant: string,
  before = 1e15,
): Promise<readonly string[]> {
  const found = await log.findUnfinished(before, 100_000);
  return found.filter((ref) => ref.tenant === tenant).map(({ entity, key }) => `${entity}:${key}`);
}
