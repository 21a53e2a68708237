import { randomBytes } from "node:crypto";
import type { TestProject } from "vitest/node";
import { openEmbeddedRedis } from "../../local/embedded-redis/open.ts";
import { migrate } from "../../local/migrate.ts";
import { openPglite } from "../../local/pglite-backend.ts";
import { startRedisFacade } from "../../local/redis-facade.ts";
import { startSqlFacade } from "../../local/sql-facade.ts";

const secret = (): string => randomBytes(32).toString("base64");

/** Starts empty stores for the tests in workerd, and says where they are. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const postgres = await openPglite({ memory: true });
  await migrate(postgres);
  const backend = openEmbeddedRedis();
  const sql = await startSqlFacade({ backend: postgres });
  const redis = await startRedisFacade({ backend, token: secret() });
  provide("workerBindings", {
    DATABASE_URL: sql.connectionString,
    NEON_FETCH_ENDPOINT: sql.sqlUrl,
    UPSTASH_REDIS_REST_URL: redis.url,
    UPSTASH_REDIS_REST_TOKEN: redis.token,
    KEY_SIGNING_SECRET: secret(),
    ENCRYPTION_SECRET: secret(),
    PAYMENTS_WEBHOOK_SECRET: `hooked:whsec_${secret()}`,
    // Every answer, so that no run differs from another by chance.
    SKEW_SAMPLE: "1",
  });
  return async () => {
    await sql.close();
    await redis.close();
    await postgres.close();
    await backend.close();
  };
}
