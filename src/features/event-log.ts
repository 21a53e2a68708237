import type { MetAnswer, MetQuery } from "./met-events.ts";
import type { WaitingLimits } from "./waiting-limits.ts";

/** One entity of one tenant: `key` is its canonical form (features/entity-key.ts). */
export interface EntityRef {
  readonly tenant: string;
  readonly entity: string;
  readonly key: string;
}

/** Which row of a table a change is of, and its place among that row's changes. */
export interface RowChange {
  /** The row's key in canonical form (entity-key.ts). */
  readonly key: string;
  /** Order-preserving text; a delete comes after whatever else has the same order. */
  readonly order: string;
}

/** An accepted event as the log keeps it; times are epoch milliseconds. */
export interface LogEvent {
  readonly tenant: string;
  readonly source: string;
  readonly eventId: string;
  readonly eventTime: number;
  /** What the sender said, where it was up to five minutes ahead and was clamped. */
  readonly originalEventTime: number | null;
  readonly ingestTime: number;
  /** Orders events of equal time: an order-preserving text, by default the event id. */
  readonly orderKey: string;
  /** +1, or −1 for the before-image of an update or delete. */
  readonly sign: 1 | -1;
  /** Canonical JSON of the masked record: sorted keys, every number as a decimal string. */
  readonly body: string;
  /** 128 bits of SHA-256 over the canonical record, hex: tells a repeat from a conflict. */
  readonly bodyHash: string;
  /** When it was known, for imports; null means "when it is committed". */
  readonly knownAt: number | null;
  /**
   * Of a change of a table's row, until it is known what the row was: `sign` −1 then is a delete.
   * What the log keeps of a change are the row as it becomes (+1) and as it was (−1).
   */
  readonly row?: RowChange;
}

/** A row of a table as the log has it. */
export interface StoredRow {
  /** The order of its latest change. */
  readonly order: string;
  /** The event that is its image; null where it is deleted, or its image was erased. */
  readonly image: LogEvent | null;
  /** The feeds for which the image is set aside; left out where it is not. */
  readonly missedBy?: readonly string[];
}

/** What the log has of a change and its row. */
export interface StoredChange {
  /** Null where no change of the row was ever taken. */
  readonly row: StoredRow | null;
  /** The event with the change's own id, where it was taken already. */
  readonly taken: LogEvent | null;
  /** What the change took back when it was taken: the event with its retraction id. */
  readonly tookBack: LogEvent | null;
}

/** A row moves from one of its changes to a later one. */
export interface RowMove {
  readonly tenant: string;
  readonly source: string;
  readonly key: string;
  /** The order that was read; null where the row was not known. */
  readonly from: string | null;
  readonly to: string;
  /** The event that is its image from now on; null where it is deleted. */
  readonly imageId: string | null;
  /** Positions of the events that are stored only if the row still is where it was. */
  readonly events: readonly number[];
}

/** What an append says of one event. `unsettled`: somebody else is writing it now; ask again. */
export type Verdict = "accepted" | "duplicate" | "conflict" | "erased" | "unsettled";

/** An entity that an event touches, by the event's position in the batch. */
export interface Contribution extends EntityRef {
  readonly event: number;
}

export interface AppendInput {
  /** Distinct by (tenant, source, event id). */
  readonly events: readonly LogEvent[];
  readonly contributions: readonly Contribution[];
  /** At most one for each row; none where left out. */
  readonly moves?: readonly RowMove[];
  /** Every distinct entity to be returned: those of `contributions` and any others. */
  readonly touched: readonly EntityRef[];
  /** Every state of the touched kinds of entities that the caller keeps up to date. */
  readonly stateIds: readonly string[];
  /**
   * Names of the feeds by which the caller gives events of these sources (features/feeds.ts). What is
   * accepted although others are registered is set aside for whoever knows those.
   */
  readonly feeds?: readonly string[];
  /** Those of a Worker where nothing is said. */
  readonly waiting?: WaitingLimits | undefined;
  readonly now: number;
}

/** An entity as it stood in one snapshot. */
export interface EntitySnapshot extends EntityRef {
  /** 0 where nothing was ever folded. */
  readonly version: number;
  /** How often a state was built for it beside its commits (features/build-view.ts). */
  readonly builds: number;
  /** State bytes in base64 by state id; absent where the entity has no such state. */
  readonly states: ReadonlyMap<string, string>;
  /**
   * What is waiting to be folded, whoever appended it: the first by source and id, and what was just
   * added. Where `hasMore`, there is more, and what was just added is left out if any of it takes
   * something back. So what takes something back is never without that, unless that is folded: their
   * ids sort so (row-events.ts, pairs.ts). `knownAt` is the contribution's own where it was added
   * later than its event.
   */
  readonly pending: readonly LogEvent[];
  /** When that was appended, and what was just added: the distinct times, epoch ms. */
  readonly waitingSince: readonly number[];
  readonly hasMore?: boolean;
  readonly erased: boolean;
}

export interface AppendResult {
  /** In the order of `events`; "unsettled" for those of a move that somebody else forestalled. */
  readonly verdicts: readonly Verdict[];
  /** In the order of `moves`: whether the row was where it was read, and moved. */
  readonly moved: readonly boolean[];
  /** In the order of `touched`. */
  readonly entities: readonly EntitySnapshot[];
  /** Those of `stateIds` that are complete: where such a state is absent, it is empty. A state
   * that is still being built must not be begun by a fold of an entity with history. */
  readonly completeStates: ReadonlySet<string>;
  /**
   * Kinds of touched entities with a view in use that is not among `stateIds`: a fold would leave its
   * states behind, and is for whoever knows that view.
   */
  readonly newerFor: ReadonlySet<string>;
  /** Whether it set events aside, for feeds that are not among `feeds`. */
  readonly setsAside: boolean;
  /** Names the set of all views in use, for the commit. */
  readonly views: string;
}

export interface EventRef {
  readonly source: string;
  readonly eventId: string;
}

/** One entity's fold: all or nothing, and only if version and builds are still those read. */
export interface EntityCommit extends EntityRef {
  readonly readVersion: number;
  /** As the snapshot had them. */
  readonly builds: number;
  /** In the order of their version numbers, from readVersion + 1 without gaps. */
  readonly folded: readonly EventRef[];
  /** Taken from pending without a number, because their records cannot be read. */
  readonly poisoned: readonly EventRef[];
  /** New state bytes in base64; a state that did not change is left out. */
  readonly states: readonly { readonly stateId: string; readonly bytes: string }[];
  /**
   * Of an entity where sources meet: the events that follow from this fold (pairs), which its commit
   * stores and makes pending. Such an entity has no states, and its commits leave nothing to project.
   */
  readonly derived?: readonly DerivedEvent[];
}

/** An entity to which an event is given; one that two feeds name is there twice. */
export interface GivenEntity extends EntityRef {
  /** By which feed (features/feeds.ts). Where it is left out, that never misses anything. */
  readonly feed?: string;
}

/** An event that a fold makes, and the entities to which it is given. */
export interface DerivedEvent {
  /** Of the commit's tenant. Not stored where an entity was erased after it was ingested. */
  readonly event: LogEvent;
  readonly entities: readonly GivenEntity[];
  /** Id of the event without which it is not stored either: a pair that it takes back. */
  readonly follows: string | null;
}

/** An event that was not given to the entities of these feeds: whoever stored it did not know them. */
export interface MissedEvent {
  readonly event: LogEvent;
  readonly feeds: readonly string[];
}

export interface CommitResult {
  /** In the order of the commits: whether it won its compare-and-set. */
  readonly won: readonly boolean[];
}

/** An entity version that is visible online. */
export interface ProjectedVersion extends EntityRef {
  readonly version: number;
}

/**
 * The truth: events, what is pending, versions, states. Each method is one statement and one
 * round trip; all throw AppError `dependency_unavailable` when the store is down or too slow
 * (nothing was said about whether it committed), and RejectedByStore when a value is refused.
 */
export interface EventLog {
  /** What the log has of changes (events with a `row`) and their rows, in their order. */
  readChanges(changes: readonly LogEvent[]): Promise<readonly StoredChange[]>;
  /** Stores what is new, adds pending contributions, returns the touched entities. */
  append(input: AppendInput): Promise<AppendResult>;
  /**
   * Compare-and-set of every entity's version and builds; losers change nothing. `feeds` is for the
   * derived events what it is for those of an append. All lose where the views in use are others than
   * `views`, which the append saw: one that has come since may lack what these folds add.
   */
  commit(
    commits: readonly EntityCommit[],
    now: number,
    feeds?: readonly string[],
    views?: string,
  ): Promise<CommitResult>;
  /**
   * Some events that were set aside, with those of these feeds that missed them and were given all past
   * events; by the events' ids, so that none comes before what it takes back.
   */
  findMissed(feeds: readonly string[], limit: number): Promise<readonly MissedEvent[]>;
  /**
   * Sets these events aside no longer for the feeds that are named with them, and makes contributions
   * by these pending that are neither pending nor folded yet, nor erased: but only where the event
   * still is set aside for the feed, and that was given all past events.
   */
  giveMissed(
    missed: readonly MissedEvent[],
    contributions: readonly (Required<GivenEntity> & EventRef)[],
    now: number,
  ): Promise<void>;
  /** What was folded into entities where sources meet, as far as it is wanted. */
  readMet(queries: readonly MetQuery[]): Promise<readonly MetAnswer[]>;
  /** Those of these events that the log holds, in no order. */
  readLogged(tenant: string, events: readonly EventRef[]): Promise<readonly LogEvent[]>;
  /** For each entity, when what is pending was appended: the distinct times, epoch ms. */
  readWaiting(entities: readonly EntityRef[]): Promise<readonly (readonly number[])[]>;
  /** Forgets outbox rows up to the given versions: their states are visible online. */
  settleOutbox(projected: readonly ProjectedVersion[]): Promise<void>;
  /**
   * Entities whose newest commit may not be online, or with contributions that wait, for a sweep:
   * those changed before `before` (epoch ms), oldest first. Where `joins` is given, kinds of entities
   * where sources meet (their names hold an `@`) are left out that are not among these. With a `seed`,
   * a whole number, in an order that only the seed decides: each has its chance to be among the first.
   */
  findUnfinished(
    before: number,
    limit: number,
    joins?: readonly string[],
    seed?: number,
  ): Promise<readonly EntityRef[]>;
}

/** The store refused the data itself (not its availability): somebody's event is poison. */
export class RejectedByStore extends Error {
  override readonly name = "RejectedByStore";
}
