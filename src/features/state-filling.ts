import type { EntityRef } from "./event-log.ts";
import type { Meta } from "./online-store.ts";

/** Where a walk over all entities of a tenant stands; null is the beginning. */
export interface WalkCursor {
  readonly entity: string;
  readonly key: string;
}

export interface StoredState extends EntityRef {
  readonly stateId: string;
  readonly version: number;
  readonly bytes: string;
}

export interface StatePage {
  readonly states: readonly StoredState[];
  /** How many entities it has, those without a state among them. */
  readonly entities: number;
  readonly next: WalkCursor | null;
}

/** Bytes of states after which a page ends: base64 of as many is a request that Upstash takes. */
export const PAGE_BYTES = 4 * 2 ** 20;

/**
 * What filling the online store anew needs of the truth: pages of states in the order of
 * (entity, key), and the meta that belongs to them. One round trip each.
 */
export interface StateArchive {
  /**
   * The states of entities after the cursor: of at most `limit`, and of none after those that have
   * so many bytes (PAGE_BYTES where left out). `next` is null at the end.
   */
  readStates(
    tenant: string,
    after: WalkCursor | null,
    limit: number,
    bytes?: number,
  ): Promise<StatePage>;
  /** The meta as the truth has it, under a new revision. Registers an unknown tenant. */
  nextMeta(tenant: string): Promise<Meta>;
  listTenants(): Promise<readonly string[]>;
}
