import { metaKey, stateKey } from "../../../src/platform/upstash/online-values.ts";
import { createRedisClient } from "../../../src/platform/upstash/redis-client.ts";

interface BareEnv {
  readonly UPSTASH_REDIS_REST_URL: string;
  readonly UPSTASH_REDIS_REST_TOKEN: string;
  readonly TENANT: string;
  /** JSON: the state ids to read, and the key column of each. */
  readonly STATES: string;
}

interface Asked {
  readonly entities: readonly Readonly<Record<string, string>>[];
}

/**
 * The least that a Worker can do with the same request: one MGET of the same keys with the same
 * client, answered with how many characters came. It checks nothing and computes nothing.
 */
// oxlint-disable-next-line import/no-default-export -- the runtime asks for it
export default {
  async fetch(request, env) {
    const { entities } = await request.json<Asked>();
    const states = JSON.parse(env.STATES) as readonly (readonly [string, string])[];
    const keys = states.flatMap(([stateId, column]) =>
      entities.map((row) => stateKey({ tenant: env.TENANT, stateId, key: row[column] ?? "" })),
    );
    const client = createRedisClient({
      url: env.UPSTASH_REDIS_REST_URL,
      token: env.UPSTASH_REDIS_REST_TOKEN,
      timeoutMs: 2_000,
    });
    const values = await client.run((redis) =>
      redis.mget<(string | null)[]>(metaKey(env.TENANT), ...keys),
    );
    const characters = values.reduce((sum, value) => sum + (value?.length ?? 0), 0);
    return Response.json({ keys: keys.length, characters });
  },
} satisfies ExportedHandler<BareEnv>;
