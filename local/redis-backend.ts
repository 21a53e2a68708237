/** An error that Redis answered, such as `WRONGTYPE …`; in an answer, not thrown. */
export class RedisError extends Error {
  override readonly name = "RedisError";
}

/** What a command answers. Strings are bytes; a status such as `OK` is one, too. */
export type RedisReply = Buffer | number | null | RedisError | readonly RedisReply[];

/** Whether a reply, or a part of one, is a string. */
export const isBytes = (reply: unknown): reply is Buffer => reply instanceof Uint8Array;

/** A command's name and its arguments. */
export type RedisCommand = readonly string[];

/** A Redis that the façade can stand before: a real server or the embedded one. */
export interface RedisBackend {
  readonly kind: "redis" | "valkey" | "embedded";
  readonly version: string;
  /** Runs the commands in order; each has an answer. Rejects only when Redis is out of reach. */
  run(commands: readonly RedisCommand[]): Promise<readonly RedisReply[]>;
  /** Runs the commands as one transaction: their answers, or the error that kept all from it. */
  transaction(commands: readonly RedisCommand[]): Promise<readonly RedisReply[] | RedisError>;
  close(): Promise<void>;
}
