/** One packed state online: per tenant, view version (state id) and entity. */
export interface StateKey {
  readonly tenant: string;
  readonly stateId: string;
  readonly key: string;
}

export type OnlineState =
  | { readonly kind: "state"; readonly version: number; readonly bytes: string }
  | { readonly kind: "erased"; readonly version: number };

export type StateWrite = StateKey & OnlineState;

/** Pure. The write of a state, of whatever else is known of it. */
export const stateWrite = (
  state: StateKey & { readonly version: number; readonly bytes: string },
): StateWrite => {
  const { tenant, stateId, key, version, bytes } = state;
  return { tenant, stateId, key, kind: "state", version, bytes };
};

/** What every read of a tenant needs, in one key of its own. */
export interface Meta {
  /** Which filling of the online store this is; absent from a flushed store. */
  readonly generation: string;
  /** Orders writes of this key; a lower one never replaces a higher one. */
  readonly revision: number;
  /** View name → specification hash → version number. */
  readonly views: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Ids of revoked API keys. */
  readonly revokedKeys: readonly string[];
}

export interface OnlineRead {
  /** Null: the store does not hold this tenant (flushed, restored, or never filled). */
  readonly meta: Meta | null;
  /** In the order of the keys; null where the entity has no state. */
  readonly states: readonly (OnlineState | null)[];
}

/** What a read asks for states: the online store, or the truth in its place. One round trip. */
export interface StateReader {
  read(tenant: string, keys: readonly StateKey[]): Promise<OnlineRead>;
}

/**
 * The projection of entity states that reads are served from. Every method is one round trip and
 * throws AppError `dependency_unavailable` or `timeout`; an error is never an empty answer.
 */
export interface OnlineStore extends StateReader {
  /**
   * Writes what is newer than what is there, and with `ties` "replace" what is as new and not the
   * same; answers in order whether each was written.
   */
  write(writes: readonly StateWrite[], ties?: "keep" | "replace"): Promise<readonly boolean[]>;
  /**
   * Writes the metas of tenants. `fill` begins or ends a filling: `begin` sets a marker that a
   * flush would remove, `end` writes the meta only if that marker is still there; `refresh`
   * replaces a meta only where one is. Answers whether each was written.
   */
  writeMeta(tenant: string, step: "begin" | "end" | "refresh", meta: Meta): Promise<boolean>;
  /** Takes the meta away: from now on the store is as good as flushed, until a filling ends. */
  dropMeta(tenant: string): Promise<void>;
  /** Notes for waiting requests that parts of them are visible; kept for a minute. */
  markApplied(marks: readonly AppliedMark[]): Promise<void>;
  /** How many distinct parts of a waiting request are visible. */
  countApplied(tenant: string, token: string): Promise<number>;
}

/** Part number `part` of the ingest request that waits under `token`. */
export interface AppliedMark {
  readonly tenant: string;
  readonly token: string;
  readonly part: number;
}
