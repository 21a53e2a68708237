import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { StartupError } from "./startup-error.ts";

export interface Lock {
  release(): void;
}

const SQLITE_BUSY = 5;

/** Loads node:sqlite without its notice that it is experimental, which is about its interface. */
async function openDatabase(path: string): Promise<DatabaseSync> {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    const { DatabaseSync } = await import("node:sqlite");
    return new DatabaseSync(path);
  } finally {
    process.emitWarning = emitWarning;
  }
}

function holderOf(directory: string): string {
  try {
    return `process ${readFileSync(join(directory, "pid"), "utf8").trim()}`;
  } catch {
    return "another process";
  }
}

/**
 * Takes the exclusive lock on a data directory, which it makes when it is not there. The lock is
 * the operating system's, on an SQLite file: it ends with the process that holds it, however that
 * ends, so there is none to clean up and no process id to mistake for another's.
 *
 * @throws StartupError that names the process which holds it.
 */
export async function takeLock(directory: string): Promise<Lock> {
  mkdirSync(directory, { recursive: true });
  const database = await openDatabase(join(directory, "lock"));
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    if ((cause as { errcode?: number }).errcode !== SQLITE_BUSY) throw cause;
    const holder = holderOf(directory);
    throw new StartupError(
      `${directory} is in use by ${holder}. Stop that first (Ctrl-C in its terminal), or start ` +
        "on another directory: npm start -- --data-dir .freshet-2 --port 8788",
      { cause },
    );
  }
  writeFileSync(join(directory, "pid"), `${process.pid}\n`);
  return {
    release() {
      rmSync(join(directory, "pid"), { force: true });
      database.close();
    },
  };
}
