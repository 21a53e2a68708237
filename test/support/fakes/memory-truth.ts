import { AppError } from "../../../src/errors.ts";
import type { MissedContribution, RegisteredView } from "../../../src/features/definition-store.ts";
import { RejectedByStore, type EntityRef, type LogEvent } from "../../../src/features/event-log.ts";
import type { ServedAnswer } from "../../../src/features/served-answers.ts";
import type { RegisteredDefinition } from "../../../src/planning/definition-history.ts";
import type { Lease } from "../../../src/planning/lease-store.ts";
import type { QuarantineItem } from "../../../src/ingest/quarantine-store.ts";

export interface Numbered {
  readonly source: string;
  readonly eventId: string;
  readonly knownAt: number;
  /** Whether the entity is one where sources meet. */
  readonly isMet: boolean;
  /** Whether `knownAt` is when it was committed, and nobody said it. */
  readonly isLive: boolean;
}

/** Everything that is kept of one entity. */
export interface EntityRecord extends EntityRef {
  version: number;
  builds: number;
  readonly states: Map<string, { readonly version: number; readonly bytes: string }>;
  /** By event key. */
  readonly pending: Map<
    string,
    { readonly event: LogEvent; readonly since: number; readonly knownAt: number | null }
  >;
  /** Version 1 first. */
  readonly log: Numbered[];
  outbox: { version: number; since: number; changedAt: number } | null;
  erasedAt: number | null;
}

/** A row of the table of profiles. */
export interface KeptProfile {
  readonly tenant: string;
  readonly stateId: string;
  readonly hour: number;
  readonly takenAt: number;
  readonly profile: string;
}

/** What the fakes of the truth's ports share, as the real ones share a database. */
export interface MemoryTruth {
  readonly events: Map<string, LogEvent>;
  /** Rows of tables by eventKey of (tenant, source, row key). */
  readonly rows: Map<string, { readonly order: string; readonly imageId: string | null }>;
  readonly entities: Map<string, EntityRecord>;
  readonly views: RegisteredView[];
  /** State ids of views that the deployment does not have any more. */
  readonly retired: Set<string>;
  /** State ids of views that no meta lists any more. */
  readonly withdrawn: Set<string>;
  /** Registered feeds, by name. */
  readonly feeds: Map<string, { readonly source: string; readonly complete: boolean }>;
  /** Events that were set aside, by event key, and the feeds for which. */
  readonly missed: Map<string, readonly string[]>;
  readonly definitions: RegisteredDefinition[];
  readonly leases: Map<string, Lease>;
  readonly quarantine: Map<string, QuarantineItem>;
  readonly servedAnswers: Map<string, ServedAnswer>;
  readonly tenants: Map<string, { readonly generation: string; revision: number }>;
  readonly revokedKeys: Map<string, Set<string>>;
  readonly profiles: KeptProfile[];
  /** Event keys that "somebody else is writing now": their append answers `unsettled`. */
  readonly beingWritten: Set<string>;
}

export function createMemoryTruth(): MemoryTruth {
  return {
    events: new Map(),
    rows: new Map(),
    entities: new Map(),
    views: [],
    retired: new Set(),
    withdrawn: new Set(),
    feeds: new Map(),
    missed: new Map(),
    definitions: [],
    leases: new Map(),
    quarantine: new Map(),
    servedAnswers: new Map(),
    tenants: new Map(),
    revokedKeys: new Map(),
    profiles: [],
    beingWritten: new Set(),
  };
}

/** Pure. Sorts as the database sorts (tenant, source, event id). */
export const eventKey = (event: Pick<LogEvent, "tenant" | "source" | "eventId">): string =>
  [event.tenant, event.source, event.eventId].join("\0");

/** Pure. Sorts as the database sorts (tenant, entity, key). */
export const entityKey = ({ tenant, entity, key }: EntityRef): string =>
  [tenant, entity, key].join("\0");

/** The record of an entity, made where there is none. */
export function entityRecord(truth: MemoryTruth, ref: EntityRef): EntityRecord {
  const { tenant, entity, key } = ref;
  const record = truth.entities.get(entityKey(ref)) ?? {
    tenant,
    entity,
    key,
    version: 0,
    builds: 0,
    outbox: null,
    erasedAt: null,
    states: new Map(),
    pending: new Map(),
    log: [],
  };
  truth.entities.set(entityKey(ref), record);
  return record;
}

/** Makes pending what is neither pending nor folded yet, nor erased; answers how many that were. */
export function contribute(
  truth: MemoryTruth,
  missed: readonly MissedContribution[],
  now: number,
): number {
  const added = missed.filter((ref) => {
    const event = truth.events.get(eventKey(ref));
    const record = entityRecord(truth, ref);
    const folded = record.log.some(
      ({ source, eventId }) => source === ref.source && eventId === ref.eventId,
    );
    const erased = record.erasedAt !== null && (event?.ingestTime ?? 0) <= record.erasedAt;
    if (event === undefined || folded || erased || record.pending.has(eventKey(ref))) return false;
    const { knownAt } = ref;
    record.pending.set(eventKey(ref), { event: { ...event }, since: now, knownAt });
    return true;
  });
  return added.length;
}

/** Pure. Entities, or those of a kind, in the order of their keys, byte by byte. */
export const entitiesInOrder = (truth: MemoryTruth, kind?: string): readonly EntityRecord[] =>
  [...truth.entities.values()]
    .filter(({ entity }) => kind === undefined || entity === kind)
    .toSorted((a, b) => compareBytes(entityKey(a), entityKey(b)));

/** Pure. Orders texts by their UTF-8 bytes, which is by code point. */
export function compareBytes(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)];
  const at = left.findIndex((character, index) => character !== right[index]);
  if (at === -1) return left.length - right.length;
  return (left[at]?.codePointAt(0) ?? -1) - (right[at]?.codePointAt(0) ?? -1);
}

const MAX_KEY_BYTES = 2_600;

/** Refuses what Postgres refuses, anywhere in the value: before anything is changed. */
export function checkStorable(value: unknown): void {
  if (typeof value === "string" && (!value.isWellFormed() || value.includes("\0"))) {
    throw new RejectedByStore("A text holds what a database cannot keep.");
  }
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new RejectedByStore("A number is not whole.");
  }
  if (typeof value === "object" && value !== null) Object.values(value).forEach(checkStorable);
}

/** Refuses what no index row can hold. */
export function checkIndexable(...parts: readonly string[]): void {
  if (new TextEncoder().encode(parts.join("")).byteLength > MAX_KEY_BYTES) {
    throw new RejectedByStore("A key is too long.");
  }
}

/** Fails as a statement does that is wrong in itself. */
export function checkDistinct(keys: readonly string[]): void {
  if (new Set(keys).size !== keys.length) {
    throw new AppError("internal", "The database could not run the statement.");
  }
}
