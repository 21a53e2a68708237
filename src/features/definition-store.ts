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
  /** Whether every entity's state is built. */
  readonly complete: boolean;
  /** Whether the deployment has another version of it, or none. */
  readonly retired: boolean;
}

export interface ViewToRegister {
  readonly name: string;
  readonly stateId: string;
  readonly specHash: string;
  readonly spec: string;
  readonly entity: string;
}

/** An entity's whole folded history at one version, in the order of the versions. */
export interface EntityHistory extends EntityRef {
  readonly version: number;
  readonly events: readonly LogEvent[];
}

/** An event of the log that an entity should have been given. */
export interface MissedContribution extends EntityRef, EventRef {
  /** Since when the entity knows it, epoch ms; null: what the event says, or from its commit on. */
  readonly knownAt: number | null;
}

/** The registry of applied definitions, and what building a view from the log needs. */
export interface DefinitionStore {
  listViews(): Promise<readonly RegisteredView[]>;
  /**
   * Registers all views of a deployment: what is not there yet under the next version number,
   * complete at once where no event was ever folded for that kind of entity. A view that was left
   * out by an earlier call is incomplete when it returns, without states, since nobody folded into
   * them meanwhile. Idempotent, safe when run twice at once.
   */
  registerViews(views: readonly ViewToRegister[], now: number): Promise<readonly RegisteredView[]>;
  /**
   * Histories of one kind of entity, all tenants, in the order of (tenant, key): so many entities
   * with so many events in all at most, but one where there is one.
   */
  readHistories(
    entity: string,
    after: { readonly tenant: string; readonly key: string } | null,
    most: { readonly entities: number; readonly events: number },
  ): Promise<readonly EntityHistory[]>;
  /** Writes built states, each only if the entity still is at that version; answers in order. */
  putBuiltStates(
    states: readonly (EntityRef & {
      readonly version: number;
      readonly stateId: string;
      readonly bytes: string;
    })[],
  ): Promise<readonly boolean[]>;
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
