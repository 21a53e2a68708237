import type { RedisBackend } from "../../local/redis-backend.ts";
import type { SqlBackend } from "../../local/sql-backend.ts";

/** Pure. A sentence that says which stores the numbers are for. */
export function describeStores(
  sql: Pick<SqlBackend, "kind" | "version">,
  redis: Pick<RedisBackend, "kind" | "version">,
): string {
  const postgres =
    sql.kind === "server"
      ? `Postgres ${sql.version}`
      : `the embedded Postgres ${sql.version}, which runs one statement at a time (name a real one ` +
        "in DATABASE_URL)";
  const store =
    redis.kind === "embedded"
      ? "the embedded Redis (put redis-server on the PATH for a real one)"
      : `${redis.kind} ${redis.version}`;
  return `These numbers are for ${postgres} and ${store}, on this machine.`;
}
