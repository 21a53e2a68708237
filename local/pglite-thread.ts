import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { PGlite, protocol } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";

// A thread of its own: a statement that takes 20 ms must not hold up the façades' other requests.

/** What the thread is asked: bytes of one connection, a new connection, or to end. */
export type ToThread =
  | { readonly kind: "connect"; readonly connection: number }
  | { readonly kind: "bytes"; readonly connection: number; readonly bytes: Uint8Array }
  | { readonly kind: "close" };

/** What the thread says. */
export type FromThread =
  | { readonly kind: "ready" }
  | { readonly kind: "bytes"; readonly connection: number; readonly bytes: Uint8Array }
  | { readonly kind: "closed" };

/** What the thread is started with. */
export interface ThreadOptions {
  /** A directory, or `memory://`. */
  readonly dataDir: string;
  /** Where an empty cluster is kept for the next time, since making one takes seconds. */
  readonly template: string;
}

const port = parentPort;
if (port === null) throw new Error("This file runs as a worker thread.");
const say = (message: FromThread): void => port.postMessage(message);

/** Bytes that own their buffer, so that they can be moved to another thread instead of copied. */
const owned = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);

async function open({ dataDir, template }: ThreadOptions): Promise<PGlite> {
  const options = { dataDir, extensions: { vector } };
  if (existsSync(dataDir)) return PGlite.create(options);
  if (existsSync(template)) {
    const loadDataDir = new Blob([readFileSync(template)]);
    return PGlite.create({ ...options, loadDataDir });
  }
  const pg = await PGlite.create(options);
  const dump = await pg.dumpDataDir("none");
  mkdirSync(dirname(template), { recursive: true });
  const making = `${template}.${process.pid}.${performance.now()}`;
  try {
    writeFileSync(making, new Uint8Array(await dump.arrayBuffer()));
    renameSync(making, template);
  } finally {
    rmSync(making, { force: true });
  }
  return pg;
}

const pg = await open(workerData as ThreadOptions);

async function handle(message: ToThread): Promise<void> {
  switch (message.kind) {
    case "connect":
      // There is one session: a new connection must not inherit the last one's transaction.
      await pg.execProtocolRaw(protocol.serialize.query("ROLLBACK"));
      await pg.execProtocolRaw(protocol.serialize.query("DISCARD ALL"));
      return;
    case "bytes": {
      const bytes = owned(await pg.execProtocolRaw(message.bytes));
      const answer: FromThread = { kind: "bytes", connection: message.connection, bytes };
      port?.postMessage(answer, [bytes.buffer]);
      return;
    }
    case "close":
      await pg.close();
      say({ kind: "closed" });
      port?.close();
  }
}

let last: Promise<void> = Promise.resolve();
port.on("message", (message: ToThread) => {
  last = last.then(() => handle(message));
});
say({ kind: "ready" });
