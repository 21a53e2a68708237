import { spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Sees to it that no child outlives this process, however it ends: a shell waits for the end of a
 * pipe that only this process holds open and then kills what the file names. A child killed with
 * `kill -9 <us>` would otherwise keep its port.
 */
export interface OrphanGuard {
  /** A temporary directory for the children's files, which goes when they do. */
  readonly directory: string;
  /** The file of process ids, one a line; a child may add its own. */
  readonly pidFile: string;
  add(pid: number): void;
  /** Ends the watch; the children are the caller's again. */
  release(): void;
}

const WAIT_THEN_KILL = `cat >/dev/null
while read -r pid; do
  case "$(ps -o args= -p "$pid" 2>/dev/null || cat "/proc/$pid/cmdline" 2>/dev/null)" in *workerd*|*redis*|*valkey*) kill -9 "$pid" ;; esac
done <"$1" && rm -rf "$(dirname "$1")"`;

/** Starts the watch. On Windows, which has no such shell, it only keeps the list. */
export function startOrphanGuard(): OrphanGuard {
  const directory = mkdtempSync(join(tmpdir(), "freshet-"));
  const pidFile = join(directory, "pids");
  appendFileSync(pidFile, "");
  const guard =
    process.platform === "win32"
      ? null
      : // In a session of its own, so that Ctrl-C and `kill -9 -<group>` do not reach it.
        spawn("/bin/sh", ["-c", WAIT_THEN_KILL, "sh", pidFile], {
          detached: true,
          stdio: ["pipe", "ignore", "ignore"],
        });
  guard?.unref();
  (guard?.stdin as Socket | undefined)?.unref();
  guard?.on("error", () => undefined);
  return {
    directory,
    pidFile,
    add: (pid) => appendFileSync(pidFile, `${pid}\n`),
    release() {
      rmSync(directory, { recursive: true, force: true });
      guard?.stdin?.end();
    },
  };
}
