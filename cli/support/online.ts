import type { OnlineStore } from "../../src/features/online-store.ts";
import { createOnlineStore } from "../../src/platform/upstash/online-store.ts";
import { UsageError } from "../args.ts";
import { readIn, type Surroundings } from "./secrets.ts";

interface Stack {
  readonly redisUrl: string;
  readonly redisToken: string;
}

const TIMEOUT_MS = 15_000;

/**
 * The online store that a command works on: that of UPSTASH_REDIS_REST_URL and _TOKEN in the
 * environment, or that of the local stack. Throws a UsageError where there is neither.
 */
export async function connectOnline({ env, root }: Surroundings): Promise<OnlineStore> {
  const [url, token] = [env["UPSTASH_REDIS_REST_URL"], env["UPSTASH_REDIS_REST_TOKEN"]];
  const timeouts = { readTimeoutMs: TIMEOUT_MS, writeTimeoutMs: TIMEOUT_MS };
  if (url && token) return createOnlineStore({ url, token, ...timeouts });
  const stack = await readIn(root, ".freshet/stack.json", (text) => JSON.parse(text) as Stack);
  if (stack === undefined) {
    throw new UsageError(
      "No online store: start the local stack (npm start), or set UPSTASH_REDIS_REST_URL and " +
        "UPSTASH_REDIS_REST_TOKEN.",
    );
  }
  return createOnlineStore({ url: stack.redisUrl, token: stack.redisToken, ...timeouts });
}
