import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startOrphanGuard } from "./orphan-guard.ts";

export interface RedisServer {
  /** The path of the Unix socket it listens on; it listens on nothing else. */
  readonly socket: string;
  stop(): Promise<void>;
}

const NAMES = ["redis-server", "valkey-server"];
const START_TIMEOUT_MS = 10_000;

/** The first server on the PATH, or null. */
export function findRedisServer(path = process.env["PATH"] ?? ""): string | null {
  const directories = path.split(delimiter).filter((directory) => directory !== "");
  const candidates = NAMES.flatMap((name) => directories.map((dir) => join(dir, name)));
  return candidates.find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function accepts(socket: string): Promise<boolean> {
  const connection = connect(socket);
  try {
    await once(connection, "connect");
    return true;
  } catch {
    return false;
  } finally {
    connection.destroy();
  }
}

async function listens(server: ChildProcess, socket: string): Promise<boolean> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline) {
    if (server.exitCode !== null || server.signalCode !== null) return false;
    if (await accepts(socket)) return true;
    await sleep(10);
  }
  return false;
}

/**
 * Starts a Redis or Valkey server of our own that keeps nothing on disk; null when there is none
 * on the PATH or it does not start. It ends with this process, even when that is killed.
 */
export async function spawnRedisServer(): Promise<RedisServer | null> {
  const program = findRedisServer();
  if (program === null || process.platform === "win32") return null;
  const guard = startOrphanGuard();
  const { directory } = guard;
  const socket = join(directory, "socket");
  const server = spawn(
    program,
    ["--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", directory],
    // In a session of its own: Ctrl-C is for us, who still need it to drain.
    { detached: true, stdio: "ignore" },
  );
  const exited = once(server, "exit").catch(() => undefined);
  if (server.pid !== undefined) guard.add(server.pid);
  server.unref();

  const stop = async (): Promise<void> => {
    server.ref();
    if (server.pid !== undefined && server.exitCode === null) server.kill("SIGKILL");
    if (server.pid !== undefined) await exited;
    guard.release();
  };
  if (await listens(server, socket)) return { socket, stop };
  await stop();
  return null;
}
