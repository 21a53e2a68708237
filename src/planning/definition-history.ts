import type { DefinitionRecord } from "./definition-record.ts";

/** A definition as registered: immutable, numbered from 1 per kind and name. */
export interface RegisteredDefinition extends DefinitionRecord {
  readonly version: number;
  /** Whether the deployment has another version of it, or none. */
  readonly retired: boolean;
}

/** Port: what was applied, of every kind but views, whose versions the DefinitionStore keeps. */
export interface DefinitionHistory {
  /** In the order of kind, name and version. */
  list(): Promise<readonly RegisteredDefinition[]>;
  /**
   * Registers all definitions of a deployment: what is not there yet under its next version; one
   * that returns has its old version again. Retires the others. Idempotent; not to be run twice at
   * once (apply is not).
   */
  register(definitions: readonly DefinitionRecord[], now: number): Promise<void>;
}
