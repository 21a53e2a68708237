import { RedisError } from "../redis-backend.ts";

interface Values {
  readonly string: Buffer;
  readonly set: Set<string>;
  readonly hash: Map<string, Buffer>;
}

export type Kind = keyof Values;

type Entry = {
  [K in Kind]: { readonly kind: K; readonly value: Values[K]; expiresAt: number | null };
}[Kind];

/** The embedded Redis' data. Keys, members and fields are bytes as latin1 text. */
export interface RedisStore {
  /** The live entry of any kind. */
  find(key: string): Entry | undefined;
  /** The live value of `kind`; throws WRONGTYPE when another kind is there. */
  get<K extends Kind>(key: string, kind: K): Values[K] | undefined;
  /** Replaces whatever is there, and its expiry. */
  set<K extends Kind>(key: string, kind: K, value: Values[K], expiresAt: number | null): void;
  delete(key: string): boolean;
  keys(): readonly string[];
  clear(): void;
}

/** An empty store that looks at the clock to see what has expired. */
export function createRedisStore(now: () => number = Date.now): RedisStore {
  const entries = new Map<string, Entry>();

  function find(key: string): Entry | undefined {
    const entry = entries.get(key);
    if (entry === undefined || entry.expiresAt === null || entry.expiresAt > now()) return entry;
    entries.delete(key);
    return undefined;
  }

  return {
    find,
    get(key, kind) {
      const entry = find(key);
      if (entry === undefined) return undefined;
      if (entry.kind !== kind) {
        throw new RedisError("WRONGTYPE Operation against a key holding the wrong kind of value");
      }
      return entry.value as Values[typeof kind];
    },
    set: (key, kind, value, expiresAt) =>
      void entries.set(key, { kind, value, expiresAt } as Entry),
    delete: (key) => find(key) !== undefined && entries.delete(key),
    keys: () => [...entries.keys()].filter((key) => find(key) !== undefined),
    clear: () => entries.clear(),
  };
}
