import { NodeBuffer } from "../node-buffer.ts";
import { isBytes, type RedisReply } from "../redis-backend.ts";

/** A status such as `OK`, which a Lua script tells from a string. */
export interface Status {
  readonly ok: string;
}

/** What a command of the embedded Redis answers; errors are thrown. */
export type Reply = Buffer | number | null | Status | readonly Reply[];

export const OK: Status = { ok: "OK" };

export const isStatus = (reply: Reply): reply is Status =>
  typeof reply === "object" && reply !== null && "ok" in reply;

/** Pure. The reply as a client sees it: a status is a string. */
export function asReply(reply: Reply): RedisReply {
  if (reply === null || typeof reply === "number" || isBytes(reply)) return reply;
  return isStatus(reply) ? NodeBuffer.from(reply.ok) : reply.map(asReply);
}
