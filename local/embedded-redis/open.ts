import { openRedisLua } from "./lua.ts";
import { redisCommands } from "./commands.ts";
import { createRedisStore } from "./store.ts";
import { NodeBuffer } from "../node-buffer.ts";
import {
  RedisError,
  type RedisBackend,
  type RedisCommand,
  type RedisReply,
} from "../redis-backend.ts";
import { asReply, type Reply } from "./reply.ts";

/**
 * A Redis inside this process, for machines that have none: the commands in
 * `commands.ts` and Lua scripts, on data that is gone when the process is. It
 * refuses what it does not know; nothing is ever half done, since each command runs to its end.
 */
export function openEmbeddedRedis(): RedisBackend {
  const store = createRedisStore();
  const commands = redisCommands(store);
  const scripts = openRedisLua((args) => commands(args));

  function execute(args: readonly Buffer[]): Reply {
    const name = args[0]?.toString("latin1").toUpperCase() ?? "";
    switch (name) {
      case "EVAL":
      case "EVALSHA":
      case "SCRIPT":
        return scripts(args);
      default:
        return commands(args);
    }
  }

  const run = async (list: readonly RedisCommand[]): Promise<readonly RedisReply[]> =>
    list.map((command) => {
      try {
        return asReply(execute(command.map((part) => NodeBuffer.from(part))));
      } catch (error) {
        if (error instanceof RedisError) return error;
        throw error;
      }
    });

  return { kind: "embedded", version: "", run, transaction: run, close: async () => store.clear() };
}
