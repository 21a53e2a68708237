import { Duplex } from "node:stream";
import type { Worker } from "node:worker_threads";
import { NodeBuffer } from "./node-buffer.ts";
import type { FromThread, ToThread } from "./pglite-thread.ts";

/** The first byte of the message by which a client says goodbye. */
const TERMINATE = 0x58;

/** The parts of a socket that pg's connection calls before it writes. */
interface SocketLike extends Duplex {
  connect(): void;
  setNoDelay(): void;
  setKeepAlive(): void;
  ref(): void;
  unref(): void;
}

/**
 * A stream that pg takes for its socket and that leads to the embedded Postgres in `thread`.
 * Everything pg writes at once arrives there as one piece, so a statement is one hop each way.
 */
export function pgliteStream(thread: Worker, connection: number): SocketLike {
  const send = (written: Uint8Array): void => {
    if (written[0] === TERMINATE) return;
    const bytes = new Uint8Array(written);
    const message: ToThread = { kind: "bytes", connection, bytes };
    thread.postMessage(message, [bytes.buffer]);
  };
  const stream = new Duplex({
    read() {},
    write(bytes: Buffer, _encoding, done) {
      send(bytes);
      done();
    },
    writev(pieces, done) {
      send(NodeBuffer.concat(pieces.map((piece) => piece.chunk as Buffer)));
      done();
    },
    destroy(error, done) {
      thread.off("message", hear);
      thread.off("error", fail);
      thread.off("exit", gone);
      done(error);
    },
  });
  const hear = (message: FromThread): void => {
    if (message.kind === "bytes" && message.connection === connection) {
      stream.push(message.bytes);
    }
  };
  const fail = (error: unknown): void => void stream.destroy(error as Error);
  const gone = (): void => void stream.destroy(new Error("The embedded Postgres has stopped."));
  thread.on("message", hear);
  thread.on("error", fail);
  thread.on("exit", gone);

  return Object.assign(stream, {
    connect() {
      thread.postMessage({ kind: "connect", connection } satisfies ToThread, []);
      process.nextTick(() => stream.emit("connect"));
    },
    setNoDelay() {},
    setKeepAlive() {},
    ref() {},
    unref() {},
  });
}
