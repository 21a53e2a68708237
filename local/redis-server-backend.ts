import type { Redis } from "ioredis";
import {
  RedisError,
  type RedisBackend,
  type RedisCommand,
  type RedisReply,
} from "./redis-backend.ts";

/** Commands that belong to one connection, which the façade's callers share. */
const NOT_OVER_HTTP = new Set(
  (
    "AUTH BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN CLIENT DISCARD EXEC HELLO " +
    "MONITOR MULTI PSUBSCRIBE PUNSUBSCRIBE QUIT RESET SELECT SHUTDOWN SSUBSCRIBE SUBSCRIBE " +
    "SUNSUBSCRIBE UNSUBSCRIBE UNWATCH WAIT WATCH"
  ).split(" "),
);

const isReplyError = (value: unknown): value is Error & { readonly name: "ReplyError" } =>
  value instanceof Error && value.name === "ReplyError";

function asReply(value: unknown): RedisReply {
  if (isReplyError(value)) return new RedisError(value.message);
  if (Array.isArray(value)) return value.map(asReply);
  return value as Buffer | number | null;
}

/** Upper case, because ioredis reshapes the answers of commands whose names it recognises. */
const nameOf = (command: RedisCommand): string => (command[0] ?? "").toUpperCase();

const refusal = (command: RedisCommand): RedisError | null =>
  NOT_OVER_HTTP.has(nameOf(command))
    ? new RedisError(`ERR Command is not available: '${command[0]}'`)
    : null;

async function pipeline(
  redis: Redis,
  commands: readonly RedisCommand[],
): Promise<readonly RedisReply[]> {
  const sent = redis.pipeline();
  for (const command of commands) sent.callBuffer(nameOf(command), ...command.slice(1));
  const answers = (await sent.exec()) ?? [];
  return answers.map(([error, value]) => {
    if (error === null) return asReply(value);
    if (isReplyError(error)) return new RedisError(error.message);
    throw new Error(error.message, { cause: error });
  });
}

/** What the façade needs of a connection to a real server. */
export function redisServerBackend(redis: Redis): Pick<RedisBackend, "run" | "transaction"> {
  return {
    async run(commands) {
      const refusals = commands.map(refusal);
      const allowed = commands.filter((_, i) => refusals[i] === null);
      const answers = allowed.length === 0 ? [] : await pipeline(redis, allowed);
      let next = 0;
      return refusals.map((refused) => refused ?? answers[next++] ?? null);
    },

    async transaction(commands) {
      const refused = commands.map(refusal).find((error) => error !== null);
      if (refused !== undefined) return refused;
      const answers = await pipeline(redis, [["MULTI"], ...commands, ["EXEC"]]);
      const results = answers.at(-1);
      if (results instanceof RedisError) return results;
      return Array.isArray(results) ? (results as readonly RedisReply[]) : [];
    },
  };
}
