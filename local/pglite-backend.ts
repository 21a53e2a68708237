import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { Worker } from "node:worker_threads";
import { Pool } from "pg";
import { maintainPglite } from "./maintain-pglite.ts";
import { pgliteStream } from "./pglite-stream.ts";
import type { FromThread, ThreadOptions, ToThread } from "./pglite-thread.ts";
import { poolBackend } from "./pool-backend.ts";
import { readServerVersions } from "./server-versions.ts";
import type { SqlBackend } from "./sql-backend.ts";

function heard(thread: Worker, kind: FromThread["kind"]): Promise<void> {
  return new Promise((resolve, reject) => {
    thread.on("message", (message: FromThread) => message.kind === kind && resolve());
    thread.once("error", reject);
    thread.once("exit", () => reject(new Error("The embedded Postgres has stopped.")));
  });
}

const CACHE = join(import.meta.dirname, "../node_modules/.cache/freshet");

function pgliteVersion(): string {
  const path = join(import.meta.dirname, "../node_modules/@electric-sql/pglite/package.json");
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}

async function startThread(dataDir: string): Promise<Worker> {
  const program = join(import.meta.dirname, "pglite-thread.ts");
  const template = join(CACHE, `pglite-${pgliteVersion()}.tar`);
  const thread = new Worker(program, { workerData: { dataDir, template } satisfies ThreadOptions });
  await heard(thread, "ready");
  return thread;
}

async function stopThread(thread: Worker): Promise<void> {
  const closed = heard(thread, "closed");
  thread.postMessage({ kind: "close" } satisfies ToThread, []);
  await closed;
  await thread.terminate();
}

/** Makes a new cluster beside the place and moves it there: one half made would never open. */
async function initialise(dataDir: string): Promise<void> {
  if (existsSync(dataDir)) return;
  const making = `${dataDir}.new`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(dirname(dataDir), { recursive: true });
  await stopThread(await startThread(making));
  renameSync(making, dataDir);
}

/**
 * Opens the embedded Postgres with pgvector: on `dataDir`, where state survives restarts and
 * kills (the caller holds the lock on it), or in memory. It has one session, so statements run
 * one after the other.
 */
export async function openPglite(
  where: { readonly dataDir: string } | { readonly memory: true },
): Promise<SqlBackend> {
  if ("dataDir" in where) await initialise(where.dataDir);
  const thread = await startThread("dataDir" in where ? where.dataDir : "memory://");
  thread.on("error", () => undefined);
  thread.setMaxListeners(0);

  let connections = 0;
  const pool = new Pool({
    max: 1,
    idleTimeoutMillis: 0,
    stream: () => pgliteStream(thread, ++connections),
    user: "postgres",
    database: "postgres",
  });
  pool.on("error", () => undefined);
  const backend = poolBackend(pool);
  const versions = await backend.withClient(readServerVersions);

  return {
    ...backend,
    kind: "embedded",
    version: versions.version,
    pgvector: versions.pgvector ?? "",
    maintain: () => maintainPglite(pool),
    async close() {
      await pool.end();
      await stopThread(thread);
    },
  };
}
