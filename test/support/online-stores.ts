import { randomUUID } from "node:crypto";
import { openEmbeddedRedis } from "../../local/embedded-redis/open.ts";
import type { Fault } from "../../local/facade-server.ts";
import { openRedis } from "../../local/open-redis.ts";
import type { RedisBackend } from "../../local/redis-backend.ts";
import { startRedisFacade } from "../../local/redis-facade.ts";
import { findRedisServer } from "../../local/redis-server.ts";
import type { OnlineStore } from "../../src/features/online-store.ts";
import { createOnlineStore } from "../../src/platform/upstash/online-store.ts";
import { createMemoryOnlineStore } from "./fakes/memory-online-store.ts";

/** An online store, and what a test does to it past its port. */
export interface OpenedOnlineStore {
  readonly store: OnlineStore;
  /** Puts a text under a Redis key. */
  putText(key: string, text: string): Promise<void>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** An online store in a Redis, with its network. */
export interface RedisOnlineStore extends OpenedOnlineStore {
  readonly url: string;
  readonly token: string;
  command(...command: readonly string[]): Promise<unknown>;
  requests(): number;
  /** What happens to the next requests, in their order. */
  readonly faults: Fault[];
}

export function openMemoryOnlineStore(): OpenedOnlineStore {
  const store = createMemoryOnlineStore();
  return {
    store,
    putText: async (key, text) => void store.texts.set(key, text),
    flush: async () => store.flush(),
    close: async () => undefined,
  };
}

export async function openRedisOnlineStore(backend: RedisBackend): Promise<RedisOnlineStore> {
  const faults: Fault[] = [];
  const token = randomUUID();
  const facade = await startRedisFacade({ backend, token, fault: () => faults.shift() ?? null });
  const { url } = facade;
  const command = async (...words: readonly string[]): Promise<unknown> =>
    (await backend.run([words]))[0];
  return {
    url,
    token,
    faults,
    command,
    store: createOnlineStore({ url, token, readTimeoutMs: 5_000, writeTimeoutMs: 5_000 }),
    requests: () => facade.requests(),
    putText: async (key, text) => void (await command("SET", key, text)),
    flush: async () => void (await command("FLUSHALL")),
    async close() {
      await facade.close();
      await backend.close();
    },
  };
}

type Opener<T> = readonly (readonly [string, () => Promise<T>])[];

/** The Redises that this machine has: a real one where its program is on the PATH. */
export function redises(): Opener<RedisOnlineStore> {
  return [
    ["in the embedded Redis", async () => openRedisOnlineStore(openEmbeddedRedis())],
    ...(findRedisServer() === null
      ? []
      : [
          [
            "in a Redis server",
            async () => openRedisOnlineStore(await openRedis({ find: true })),
          ] as const,
        ]),
  ];
}

export function onlineStores(): Opener<OpenedOnlineStore> {
  return [["in memory", async () => openMemoryOnlineStore()], ...redises()];
}
