// Run as a process of its own by stores.ts: stores and façades, as `npm start` runs them beside
// the Worker. Ends, and drops what it made, when its parent lets go of it.
import { randomBytes } from "node:crypto";
import { migrate } from "../../local/migrate.ts";
import { openRedis } from "../../local/open-redis.ts";
import { openPg } from "../../local/pg-backend.ts";
import { openPglite } from "../../local/pglite-backend.ts";
import { startRedisFacade } from "../../local/redis-facade.ts";
import type { SqlBackend } from "../../local/sql-backend.ts";
import { startSqlFacade } from "../../local/sql-facade.ts";
import { makeDatabase } from "./database.ts";
import { describeStores } from "./describe.ts";
import type { FromStores, Meters, ToStores } from "./stores.ts";

async function openSql(): Promise<{ sql: SqlBackend; close: () => Promise<void> }> {
  const database = await makeDatabase();
  try {
    const sql =
      database.url === undefined ? await openPglite({ memory: true }) : await openPg(database.url);
    await migrate(sql);
    const close = async (): Promise<void> => {
      await sql.close();
      await database.drop();
    };
    return { sql, close };
  } catch (error) {
    await database.drop();
    throw error;
  }
}

async function serve(): Promise<void> {
  const { sql, close } = await openSql();
  // Never the server of REDIS_URL: a benchmark would share it with what is already there.
  const redis = await openRedis({ find: true });
  let delayMs = 0;
  const fault = () => ({ delayMs });
  const sqlFacade = await startSqlFacade({ backend: sql, fault });
  const token = randomBytes(16).toString("hex");
  const redisFacade = await startRedisFacade({ backend: redis, token, fault });
  const meters = (): Meters => {
    const { user, system } = process.cpuUsage();
    const requests = { postgres: sqlFacade.requests(), redis: redisFacade.requests() };
    return { requests, cpuUs: user + system };
  };
  process.on("message", (message: ToStores) => {
    if (message.kind === "delay") delayMs = message.ms;
    tell({ kind: "meters", meters: meters() });
  });
  process.on("disconnect", () => {
    const end = async (): Promise<void> => {
      await sqlFacade.close();
      await redisFacade.close();
      await redis.close();
      await close();
    };
    void end().finally(() => process.exit());
  });
  tell({
    kind: "ready",
    connectionString: sqlFacade.connectionString,
    sqlUrl: sqlFacade.sqlUrl,
    redisUrl: redisFacade.url,
    redisToken: token,
    isServer: sql.kind === "server",
    description: describeStores(sql, redis),
  });
}

function tell(message: FromStores): void {
  process.send?.(message);
}

await serve().catch((error: unknown) => {
  tell({ kind: "failed", why: error instanceof Error ? error.message : String(error) });
  process.exit(1);
});
