import type { EntityRef, EventRef, LogEvent } from "./event-log.ts";

/** A view version as registered: immutable, numbered from 1 per view name. */
export interface RegisteredView {
  readonly name: string;
  readonly version: number;
  /** `name@hash`: names the states of this version everywhere. */
  readonly stateId: string;
  readonly specHash: string;
  /** Canonical JSON of everything that decides its values. */
  readonly spec: string;
  readonly entity: string;
  /** Whether every entity's state is built, and it is not withdrawn: metas list it, unless retired. */
  readonly complete: boolean;
  /** Whether it is out of use: nobody needs to fold into its states. */
  readonly retired: boolean;
  /** Of a view of pairs, the JoinPlan of those as JSON. */
  readonly joinPlan: string | null;
}

export interface ViewToRegister {
  readonly name: string;
  readonly stateId: string;
  readonly specHash: string;
  readonly spec: string;
  readonly entity: string;
  readonly joinPlan?: string | null;
}

export interface EntityVersion extends EntityRef {
  readonly version: number;
}

/** An event of an entity's history, and which version it made. */
export interface NumberedEvent extends LogEvent {
  readonly version: number;
}

/** An entity's whole folded history at one version, in the order of the versions. */
export interface EntityHistory extends EntityVersion {
  readonly events: readonly NumberedEvent[];
}

export interface HistoryPage {
  readonly histories: readonly EntityHistory[];
  /** The first entity, where its history alone is more than a page: then there are none. */
  readonly tooLarge: EntityVersion | null;
}

/** How much an answer may hold; `bytes` are those of the events' bodies. */
export interface PageLimits {
  readonly entities: number;
  readonly events: number;
  readonly bytes: number;
}

export interface VersionsRead {
  /** The entity's version; 0 where it is not there. */
  readonly head: number;
  /** How many of the versions that were asked for were looked up: one at least. */
  readonly covered: number;
  /** Of these, what there is, in the order asked. */
  readonly events: readonly NumberedEvent[];
}

export type BuiltState = EntityVersion & { readonly stateId: string; readonly bytes: string };

/** An event of the log that an entity should have been given. */
export interface MissedContribution extends EntityRef, EventRef {
  /** Since when the entity knows it, epoch ms; null: what the event says, or from its commit on. */
  readonly knownAt: number | null;
}

/** A way in which events are given to entities (features/feeds.ts), as it is registered. */
export interface FeedToRegister {
  readonly name: string;
  readonly source: string;
  /** Whether past events were not given by it. */
  readonly isNew: boolean;
}

/** The registry of applied definitions, and what building a view from the log needs. */
export interface DefinitionStore {
  listViews(): Promise<readonly RegisteredView[]>;
  /**
   * Registers the feeds of a deployment before past events are given by them: whatever is stored
   * from now on is given by them or set aside (event-log.ts). Answers the names of those by which
   * past events are to be given: the new ones, and those of an earlier call that was not completed.
   */
  registerFeeds(feeds: readonly FeedToRegister[]): Promise<readonly string[]>;
  /** Declares that these feeds were given all past events, and forgets all others. */
  completeFeeds(names: readonly string[]): Promise<void>;
  /**
   * Withdraws views in use that are not among these: from now on no meta lists them, though all that
   * fold must go on to fold into their states. Answers how many these are, withdrawn before or not.
   */
  withdrawViews(kept: readonly string[]): Promise<number>;
  /**
   * Retires views that are not among these: nobody needs to fold into their states any more. They are
   * withdrawn first, and the metas written: what lists a retired view answers what is behind.
   */
  retireViews(kept: readonly string[], now: number): Promise<void>;
  /**
   * Registers all views of a deployment, and retires all others: what is not there yet under the next
   * version number, complete at once where no event was ever folded for that kind of entity. None of
   * them is withdrawn from then on. A view that was retired is incomplete when it returns, without
   * states, since nobody folded into them meanwhile. No commit is made meanwhile, and none later by a
   * fold that began before. What waits for a join that no view reads any more is forgotten: should it
   * return, it is given its past anew.
   * Idempotent, safe when run twice at once.
   */
  registerViews(views: readonly ViewToRegister[], now: number): Promise<readonly RegisteredView[]>;
  /**
   * Whole histories of one kind of entity, all tenants, in the order of (tenant, key): as many as
   * the limits allow in all.
   */
  readHistories(
    entity: string,
    after: { readonly tenant: string; readonly key: string } | null,
    most: PageLimits,
  ): Promise<HistoryPage>;
  /** Versions of one entity's history, in whatever order: as many as have so many bytes, or one. */
  readVersions(
    entity: EntityRef,
    versions: readonly number[],
    bytes: number,
  ): Promise<VersionsRead>;
  /** Writes built states, each only if the entity still is at that version; answers in order. */
  putBuiltStates(states: readonly BuiltState[]): Promise<readonly boolean[]>;
  markComplete(stateId: string): Promise<void>;
  /** Events of a source in the order of their ids, whenever they were accepted. */
  readEvents(
    tenant: string,
    source: string,
    afterEventId: string | null,
    limit: number,
  ): Promise<readonly LogEvent[]>;
  /**
   * Makes pending what is neither pending nor folded for its entity yet, nor erased; answers how
   * many that were. Not to be run twice at once: apply is.
   */
  addContributions(missed: readonly MissedContribution[], now: number): Promise<number>;
}
