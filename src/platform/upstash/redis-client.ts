import { Redis } from "@upstash/redis/cloudflare";
import { AppError } from "../../errors.ts";
import { createBoundedCache } from "../../governance/bounded-cache.ts";

export interface RedisClientOptions {
  readonly url: string;
  readonly token: string;
  /** Deadline of each request. */
  readonly timeoutMs: number;
  /** Called before each request. */
  readonly onRoundTrip?: () => void;
}

export interface RedisClient {
  /**
   * Runs `command`, which makes one request. Throws AppError `timeout`, or
   * `dependency_unavailable` for every other failure: the vendor's message holds the command.
   */
  run<T>(command: (redis: Redis) => Promise<T>): Promise<T>;
}

/**
 * To make a client takes longer than to use it (it binds two hundred commands). It keeps no state
 * and no connection, so that requests may share one.
 */
const clients = createBoundedCache<Redis>(8);

function clientFor({ url, token, timeoutMs }: RedisClientOptions): Redis {
  const name = JSON.stringify([url, token, timeoutMs]);
  const known = clients.get(name);
  if (known !== undefined) return known;
  const redis = new Redis({
    url,
    token,
    signal: () => AbortSignal.timeout(timeoutMs),
    retry: { retries: 0 },
    automaticDeserialization: false,
    enableAutoPipelining: false,
    enableTelemetry: false,
    readYourWrites: false,
    // Base64 on the wire is for values that are no text; ours are ASCII.
    responseEncoding: false,
  });
  clients.set(name, redis);
  return redis;
}

/**
 * Upstash's REST client with everything off that guesses: values stay text, each call is one
 * request, sent once. The signal is a function because a plain one makes timeouts look like misses.
 */
export function createRedisClient(options: RedisClientOptions): RedisClient {
  const { onRoundTrip } = options;
  const redis = clientFor(options);
  return {
    async run(command) {
      onRoundTrip?.();
      try {
        return await command(redis);
      } catch (error) {
        const name = error instanceof Error ? error.name : typeof error;
        const cause = new Error(`Redis: ${name}`);
        if (name === "TimeoutError") {
          throw new AppError("timeout", "The online store took too long.", { cause });
        }
        throw new AppError("dependency_unavailable", "The online store does not answer.", {
          cause,
        });
      }
    },
  };
}
