import type { QuarantineEntry } from "./envelope.ts";

export interface QuarantineItem extends QuarantineEntry {
  /** Epoch ms; null while it waits. */
  readonly replayedAt: number | null;
}

/** Events that could not be taken, until somebody replays or drops them. */
export interface QuarantineStore {
  /** Idempotent by id; an entry that was replayed waits once more. */
  add(entries: readonly QuarantineEntry[]): Promise<void>;
  list(
    tenant: string,
    page: {
      readonly limit: number;
      readonly cursor: string | null;
      readonly source: string | null;
    },
  ): Promise<{ readonly items: readonly QuarantineItem[]; readonly cursor: string | null }>;
  /** Those of the ids that are there and wait. */
  take(tenant: string, ids: readonly string[]): Promise<readonly QuarantineItem[]>;
  markReplayed(tenant: string, ids: readonly string[], now: number): Promise<void>;
}

/** Where dead letters go while the truth is down: an object store. */
export interface DeadLetterArchive {
  put(key: string, body: string): Promise<void>;
  list(limit: number): Promise<readonly string[]>;
  get(key: string): Promise<string | null>;
  remove(key: string): Promise<void>;
}
