import { AppError } from "../../errors.ts";
import type { OnlineStore } from "../../features/online-store.ts";
import {
  appliedKey,
  decodeMeta,
  decodeOnlineState,
  encodeMeta,
  encodeOnlineState,
  fillingKey,
  metaKey,
  stateKey,
} from "./online-values.ts";
import { createRedisClient, type RedisClientOptions } from "./redis-client.ts";
import { END_FILLING, MARK_APPLIED, REFRESH_META, WRITE_STATES } from "./scripts.ts";

export interface OnlineStoreOptions extends Omit<RedisClientOptions, "timeoutMs"> {
  readonly readTimeoutMs: number;
  readonly writeTimeoutMs: number;
}

/** A script keeps everybody else waiting, so that many keys go in several, in one request. */
const KEYS_PER_SCRIPT = 500;

/**
 * The online store in Upstash's Redis. Scripts are sent as text: they are shorter than a state,
 * and a hash that the server does not know would cost a second round trip.
 */
export function createOnlineStore(options: OnlineStoreOptions): OnlineStore {
  const { readTimeoutMs, writeTimeoutMs, ...connection } = options;
  const reader = createRedisClient({ ...connection, timeoutMs: readTimeoutMs });
  const writer = createRedisClient({ ...connection, timeoutMs: writeTimeoutMs });

  return {
    async read(tenant, keys) {
      const all = [metaKey(tenant), ...keys.map(stateKey)];
      const values = listOf(await reader.run((redis) => redis.mget<unknown[]>(...all)), all.length);
      const [meta, ...states] = values.map((value) => value ?? null);
      return {
        meta: meta === null ? null : decodeMeta(meta),
        states: states.map((value) => (value === null ? null : decodeOnlineState(value))),
      };
    },

    async write(writes, ties = "keep") {
      if (writes.length === 0) return [];
      const answers = await writer.run((redis) => {
        const pipeline = redis.pipeline();
        for (let start = 0; start < writes.length; start += KEYS_PER_SCRIPT) {
          const chunk = writes.slice(start, start + KEYS_PER_SCRIPT);
          const values = [...chunk.map(encodeOnlineState), ties === "replace" ? "1" : "0"];
          pipeline.eval(WRITE_STATES, chunk.map(stateKey), values);
        }
        return pipeline.exec<unknown[]>();
      });
      return listOf(answers.flat(), writes.length).map((written) => Number(written) === 1);
    },

    async writeMeta(tenant, step, meta) {
      const { generation, revision } = meta;
      const args = [encodeMeta(meta), String(revision), generation];
      const answer = await writer.run<unknown>((redis) => {
        if (step === "begin") return redis.set(fillingKey(tenant), generation);
        if (step === "refresh") return redis.eval(REFRESH_META, [metaKey(tenant)], args);
        return redis.eval(END_FILLING, [metaKey(tenant), fillingKey(tenant)], args);
      });
      return step === "begin" || Number(answer) === 1;
    },

    async dropMeta(tenant) {
      await writer.run((redis) => redis.del(metaKey(tenant)));
    },

    async markApplied(marks) {
      const parts = new Map<string, number[]>();
      for (const { tenant, token, part } of marks) {
        const key = appliedKey(tenant, token);
        parts.set(key, [...(parts.get(key) ?? []), part]);
      }
      if (parts.size === 0) return;
      const args = [...parts.values()].map((numbers) => numbers.join(","));
      await writer.run((redis) => redis.eval(MARK_APPLIED, [...parts.keys()], args));
    },

    async countApplied(tenant, token) {
      return await reader.run((redis) => redis.scard(appliedKey(tenant, token)));
    },
  };
}

function listOf(value: unknown, length: number): readonly unknown[] {
  if (Array.isArray(value) && value.length === length) return value as unknown[];
  throw new AppError("dependency_unavailable", "The online store answered something else.");
}
