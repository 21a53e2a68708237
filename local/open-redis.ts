import { Redis } from "ioredis";
import { openEmbeddedRedis } from "./embedded-redis/open.ts";
import type { RedisBackend } from "./redis-backend.ts";
import { redisServerBackend } from "./redis-server-backend.ts";
import { spawnRedisServer } from "./redis-server.ts";
import { withoutPassword } from "./pg-backend.ts";
import { StartupError } from "./startup-error.ts";

/** The kind and version that a server states in INFO. */
async function identify(redis: Redis): Promise<Pick<RedisBackend, "kind" | "version">> {
  const info = await redis.info("server");
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}:(.*)\r?$`, "m").exec(info)?.[1]?.trim();
  const valkey = field("valkey_version");
  return valkey === undefined
    ? { kind: "redis", version: field("redis_version") ?? "" }
    : { kind: "valkey", version: valkey };
}

async function connect(target: string): Promise<Redis> {
  const redis = new Redis(target, {
    lazyConnect: true,
    connectTimeout: 3_000,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(50 * attempt, 1_000),
  });
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    return redis;
  } catch (error) {
    redis.disconnect();
    throw error;
  }
}

/**
 * Opens the Redis at `url`; with `find`, a server of our own where `redis-server` or
 * `valkey-server` is on the PATH; otherwise the embedded one. A server of our own keeps nothing on
 * disk and ends with us: Redis is a projection.
 *
 * @throws StartupError when `url` names a server that does not answer.
 */
export async function openRedis(
  options: { readonly url?: string | undefined; readonly find?: boolean } = {},
): Promise<RedisBackend> {
  const { url, find = false } = options;
  if (url !== undefined) {
    try {
      const redis = await connect(url);
      const named = await identify(redis);
      return { ...named, ...redisServerBackend(redis), close: async () => redis.disconnect() };
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new StartupError(
        `Cannot use the Redis at ${withoutPassword(url)}: ${why}. Start it, correct REDIS_URL, ` +
          "or unset REDIS_URL to run on one of our own.",
        { cause },
      );
    }
  }
  const server = find ? await spawnRedisServer() : null;
  if (server === null) return openEmbeddedRedis();
  const redis = await connect(server.socket);
  const named = await identify(redis);
  return {
    ...named,
    ...redisServerBackend(redis),
    async close() {
      redis.disconnect();
      await server.stop();
    },
  };
}
