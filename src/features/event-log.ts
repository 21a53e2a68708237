/** One entity of one tenant: `key` is its canonical form (features/entity-key.ts). */
export interface EntityRef {
  readonly tenant: string;
  readonly entity: string;
  readonly key: string;
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
  /** Every distinct entity to be returned: those of `contributions` and any others. */
  readonly touched: readonly EntityRef[];
  /** Every state of the touched kinds of entities that the caller keeps up to date. */
  readonly stateIds: readonly string[];
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
  /** All that is waiting to be folded, whoever appended it. */
  readonly pending: readonly LogEvent[];
  readonly erased: boolean;
}

export interface AppendResult {
  /** In the order of `events`. */
  readonly verdicts: readonly Verdict[];
  /** In the order of `touched`. */
  readonly entities: readonly EntitySnapshot[];
  /** Those of `stateIds` that are complete: where such a state is absent, it is empty. A state
   * that is still being built must not be begun by a fold of an entity with history. */
  readonly completeStates: ReadonlySet<string>;
  /**
   * Kinds of touched entities with a registered view that is not among `stateIds`, although all of
   * those are registered: a fold would leave its states behind, and is for a newer deployment to do.
   * (A caller with a view that is not registered is the newest itself, and not applied yet.)
   */
  readonly newerFor: ReadonlySet<string>;
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
  /** Taken from pending without a number, because folding them fails. */
  readonly poisoned: readonly EventRef[];
  /** New state bytes in base64; a state that did not change is left out. */
  readonly states: readonly { readonly stateId: string; readonly bytes: string }[];
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
  /** Stores what is new, adds pending contributions, returns the touched entities. */
  append(input: AppendInput): Promise<AppendResult>;
  /** Compare-and-set of every entity's version and builds; losers change nothing. */
  commit(commits: readonly EntityCommit[], now: number): Promise<CommitResult>;
  /** Forgets outbox rows up to the given versions: their states are visible online. */
  settleOutbox(projected: readonly ProjectedVersion[]): Promise<void>;
  /** Entities whose newest commit may not be online, or with contributions that wait, for a sweep:
   * those changed before `before` (epoch ms), oldest first. */
  findUnfinished(before: number, limit: number): Promise<readonly EntityRef[]>;
}

/** The store refused the data itself (not its availability): somebody's event is poison. */
export class RejectedByStore extends Error {
  override readonly name = "RejectedByStore";
}
