import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { takeLock, type Lock } from "../../local/lock.ts";
import { StartupError } from "../../local/startup-error.ts";
import { UsageError } from "../args.ts";
import type { Kind } from "../tables/kind.ts";

/** What the spine was found to be. */
export interface Scanned {
  readonly rows: number;
  readonly rejected: number;
  /** The spine's columns, in their order. */
  readonly columns: readonly { readonly name: string; readonly kind: Kind | null }[];
}

/** What a run left behind for the next. */
export interface Manifest {
  /** Everything that decides the result. */
  readonly fingerprint: string;
  /** Epoch ms. */
  readonly startedAt: number;
  readonly partitions: number;
  /** Null until all rows are in partitions. */
  readonly scanned: Scanned | null;
}

/** A directory with the parts of a training set that are done. */
export interface WorkDir {
  readonly manifest: Manifest;
  /** Whether an earlier run began it. */
  readonly resumed: boolean;
  path(name: string): string;
  noteScanned(scanned: Scanned): void;
  /** Removes it, when all is done. */
  finish(): void;
  /** Lets go of it, as it is. */
  close(): void;
}

const MANIFEST = "run.json";
/** What a run leaves behind that was killed before its manifest was there. */
const BEGUN: readonly string[] = ["lock", "lock-journal", "pid", `${MANIFEST}.tmp`];

/** Others' files would be removed in the end. */
function checkOwn(path: string): void {
  if (!existsSync(path) || existsSync(join(path, MANIFEST))) return;
  const other = readdirSync(path).find((name) => !BEGUN.includes(name));
  if (other === undefined) return;
  throw new UsageError(
    `${path} has other files in it, as ${other}: name a directory of its own with --work.`,
  );
}

/** Writes a file as a whole or not at all. */
export function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}

async function lock(path: string): Promise<Lock> {
  try {
    return await takeLock(path);
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    throw new UsageError(`Another run is at work in ${path}.`);
  }
}

/**
 * Opens the work directory of a run, or goes on with what an earlier one left there. Throws a
 * UsageError where that run had other arguments, or is still at work, and for others' directories.
 */
export async function openWorkDir(
  path: string,
  fresh: Pick<Manifest, "fingerprint" | "startedAt" | "partitions">,
): Promise<WorkDir> {
  checkOwn(path);
  mkdirSync(path, { recursive: true });
  const held = await lock(path);
  const manifestPath = join(path, MANIFEST);
  const resumed = existsSync(manifestPath);
  let manifest: Manifest = resumed
    ? (JSON.parse(readFileSync(manifestPath, "utf8")) as Manifest)
    : { ...fresh, scanned: null };
  if (manifest.fingerprint !== fresh.fingerprint) {
    held.release();
    throw new UsageError(
      `${path} holds the parts of another training set: of other arguments, another spine or ` +
        "other definitions. Repeat that command to finish it, or remove the directory.",
    );
  }
  const save = (): void => writeWhole(manifestPath, JSON.stringify(manifest));
  save();
  return {
    get manifest() {
      return manifest;
    },
    resumed,
    path: (name) => join(path, name),
    noteScanned(scanned) {
      manifest = { ...manifest, scanned };
      save();
    },
    finish() {
      held.release();
      rmSync(path, { recursive: true });
    },
    close: () => held.release(),
  };
}
