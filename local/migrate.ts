import { drizzle } from "drizzle-orm/node-postgres";
import { migrate as applyMigrations } from "drizzle-orm/node-postgres/migrator";
import { join } from "node:path";
import type { ClientBase } from "pg";
import type { SqlBackend } from "./sql-backend.ts";
import { StartupError } from "./startup-error.ts";

const MIGRATIONS = join(import.meta.dirname, "../migrations");

/** Any number, as long as everyone who migrates takes the same. */
const ADVISORY_LOCK = 7_319_027;

async function countApplied(client: ClientBase): Promise<number> {
  const table = "drizzle.__drizzle_migrations";
  const { rows } = await client.query<{ known: boolean }>(
    `SELECT to_regclass('${table}') IS NOT NULL AS known`,
  );
  if (rows[0]?.known !== true) return 0;
  const counted = await client.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`);
  return counted.rows[0]?.n ?? 0;
}

/** Drizzle's message holds the whole statement; Postgres' is its cause. */
function failure(error: unknown): StartupError {
  const reason = error instanceof Error ? (error.cause ?? error) : error;
  const why = reason instanceof Error ? reason.message : String(reason);
  return new StartupError(`The migrations failed and changed nothing: ${why}.`, { cause: error });
}

/**
 * Applies the migrations in `folder` that the database has not had, all in one transaction, and
 * answers how many those were. Whoever migrates at the same time waits for the other.
 *
 * @throws StartupError with Postgres' words when they do not fit what is there.
 */
export function migrate(backend: SqlBackend, folder: string = MIGRATIONS): Promise<number> {
  return backend.withClient(async (client) => {
    await client.query("SET client_min_messages = warning");
    await client.query("SELECT pg_advisory_lock($1)", [ADVISORY_LOCK]);
    try {
      const before = await countApplied(client);
      try {
        await applyMigrations(drizzle(client), { migrationsFolder: folder });
      } catch (error) {
        throw failure(error);
      }
      return (await countApplied(client)) - before;
    } finally {
      await client.query("SELECT pg_advisory_unlock($1)", [ADVISORY_LOCK]);
      await client.query("DISCARD ALL");
    }
  });
}
