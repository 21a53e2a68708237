import { glob } from "./glob.ts";
import { OK, type Reply } from "./reply.ts";
import type { RedisStore } from "./store.ts";
import { NodeBuffer } from "../node-buffer.ts";
import { RedisError } from "../redis-backend.ts";

type Args = readonly Buffer[];
type Run = (...args: Buffer[]) => Reply;

/** As in Redis: the number of parts with the name, or minus the least number. */
type Command = readonly [arity: number, run: Run];

const SYNTAX = "ERR syntax error";
const NOT_AN_INTEGER = "ERR value is not an integer or out of range";

const keyOf = (bytes: Buffer): string => bytes.toString("latin1");
const bytesOf = (text: string): Buffer => NodeBuffer.from(text, "latin1");
const wordOf = (bytes: Buffer | undefined): string => bytes?.toString("latin1").toUpperCase() ?? "";

function integer(bytes: Buffer | undefined): number {
  const text = bytes?.toString("latin1") ?? "";
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value)) throw new RedisError(NOT_AN_INTEGER);
  return value;
}

/** The commands over `store`, as one function; it throws RedisError for all that Redis refuses. */
export function redisCommands(
  store: RedisStore,
  now: () => number = Date.now,
): (args: Args) => Reply {
  const string = (key: Buffer): Buffer | null => store.get(keyOf(key), "string") ?? null;
  const set = (key: Buffer): ReadonlySet<string> => store.get(keyOf(key), "set") ?? new Set();
  const hash = (key: Buffer): ReadonlyMap<string, Buffer> =>
    store.get(keyOf(key), "hash") ?? new Map();

  function setCommand(key: Buffer, value: Buffer, ...options: Buffer[]): Reply {
    const held = store.find(keyOf(key));
    let expiresAt: number | null = null;
    let condition = "";
    let returnsOld = false;
    for (let i = 0; i < options.length; i++) {
      const option = wordOf(options[i]);
      if (option === "NX" || option === "XX") condition = option;
      else if (option === "GET") returnsOld = true;
      else if (option === "KEEPTTL") expiresAt = held?.expiresAt ?? null;
      else if (option === "EX" || option === "PX") {
        const time = integer(options[++i]) * (option === "EX" ? 1000 : 1);
        if (time <= 0) throw new RedisError("ERR invalid expire time in 'set' command");
        expiresAt = now() + time;
      } else throw new RedisError(SYNTAX);
    }
    const old = returnsOld ? string(key) : null;
    const refused = (condition === "NX" && held) || (condition === "XX" && !held);
    if (!refused) store.set(keyOf(key), "string", value, expiresAt);
    if (returnsOld) return old;
    return refused ? null : OK;
  }

  function incrementBy(key: Buffer, by: number): number {
    const value = integer(string(key) ?? bytesOf("0")) + by;
    if (!Number.isSafeInteger(value)) throw new RedisError(NOT_AN_INTEGER);
    const expiresAt = store.find(keyOf(key))?.expiresAt ?? null;
    store.set(keyOf(key), "string", bytesOf(String(value)), expiresAt);
    return value;
  }

  function expireAt(key: Buffer, time: number): number {
    const entry = store.find(keyOf(key));
    if (entry === undefined) return 0;
    entry.expiresAt = time;
    return 1;
  }

  function timeToLive(key: Buffer): number {
    const entry = store.find(keyOf(key));
    if (entry === undefined) return -2;
    return entry.expiresAt === null ? -1 : Math.max(0, entry.expiresAt - now());
  }

  /** The set or hash at the key, made if it is not there. */
  function made<K extends "set" | "hash">(key: Buffer, kind: K) {
    if (store.get(keyOf(key), kind) === undefined) {
      if (kind === "set") store.set(keyOf(key), "set", new Set(), null);
      else store.set(keyOf(key), "hash", new Map(), null);
    }
    return store.get(keyOf(key), kind)!;
  }

  /** Removes the parts; an empty set or hash is no key. Answers how many there were. */
  function removeFrom(kind: "set" | "hash", key: Buffer, parts: readonly Buffer[]): number {
    const value = store.get(keyOf(key), kind);
    if (value === undefined) return 0;
    const removed = parts.filter((part) => value.delete(keyOf(part))).length;
    if (value.size === 0) store.delete(keyOf(key));
    return removed;
  }

  function hset(key: Buffer, ...pairs: Buffer[]): number {
    if (pairs.length % 2 !== 0) {
      throw new RedisError("ERR wrong number of arguments for 'hset' command");
    }
    const value = made(key, "hash");
    const before = value.size;
    for (let i = 0; i < pairs.length; i += 2) value.set(keyOf(pairs[i]!), pairs[i + 1]!);
    return value.size - before;
  }

  function scan(cursor: Buffer, ...options: Buffer[]): Reply {
    integer(cursor);
    let pattern = /^/;
    for (let i = 0; i < options.length; i += 2) {
      const option = wordOf(options[i]);
      if (option === "MATCH" && options[i + 1]) pattern = glob(keyOf(options[i + 1]!));
      else if (option === "COUNT") integer(options[i + 1]);
      else throw new RedisError(SYNTAX);
    }
    return [
      bytesOf("0"),
      store
        .keys()
        .filter((key) => pattern.test(key))
        .map(bytesOf),
    ];
  }

  const flush: Run = () => {
    store.clear();
    return OK;
  };
  const remove: Run = (...keys) => keys.filter((key) => store.delete(keyOf(key))).length;

  const commands: Readonly<Record<string, Command>> = {
    PING: [-1, (message) => message ?? { ok: "PONG" }],
    ECHO: [2, (message) => message],
    TIME: [1, () => [bytesOf(`${Math.floor(now() / 1000)}`), bytesOf(`${(now() % 1000) * 1000}`)]],
    GET: [2, (key) => string(key)],
    MGET: [-2, (...keys) => keys.map((key) => asString(store.find(keyOf(key))))],
    SET: [-3, (key, value, ...options) => setCommand(key, value, ...options)],
    STRLEN: [2, (key) => string(key)?.length ?? 0],
    GETRANGE: [4, (key, start, end) => range(string(key), integer(start), integer(end))],
    APPEND: [
      3,
      (key, more) => {
        const value = NodeBuffer.concat([string(key) ?? NodeBuffer.alloc(0), more]);
        store.set(keyOf(key), "string", value, store.find(keyOf(key))?.expiresAt ?? null);
        return value.length;
      },
    ],
    INCR: [2, (key) => incrementBy(key, 1)],
    INCRBY: [3, (key, by) => incrementBy(key, integer(by))],
    DEL: [-2, remove],
    UNLINK: [-2, remove],
    EXISTS: [-2, (...keys) => keys.filter((key) => store.find(keyOf(key))).length],
    TYPE: [2, (key) => ({ ok: store.find(keyOf(key))?.kind ?? "none" })],
    EXPIRE: [3, (key, seconds) => expireAt(key, now() + integer(seconds) * 1000)],
    PEXPIRE: [3, (key, ms) => expireAt(key, now() + integer(ms))],
    PTTL: [2, (key) => timeToLive(key)],
    TTL: [2, (key) => roundUp(timeToLive(key))],
    SADD: [
      -3,
      (key, ...members) => {
        const value = made(key, "set");
        const before = value.size;
        for (const member of members) value.add(keyOf(member));
        return value.size - before;
      },
    ],
    SREM: [-3, (key, ...members) => removeFrom("set", key, members)],
    SCARD: [2, (key) => set(key).size],
    SISMEMBER: [3, (key, member) => Number(set(key).has(keyOf(member)))],
    SMEMBERS: [2, (key) => [...set(key)].map(bytesOf)],
    HSET: [-4, (key, ...pairs) => hset(key, ...pairs)],
    HGET: [3, (key, field) => hash(key).get(keyOf(field)) ?? null],
    HMGET: [-3, (key, ...names) => names.map((name) => hash(key).get(keyOf(name)) ?? null)],
    HGETALL: [2, (key) => [...hash(key)].flatMap(([name, value]) => [bytesOf(name), value])],
    HDEL: [-3, (key, ...names) => removeFrom("hash", key, names)],
    HINCRBY: [
      4,
      (key, name, by) => {
        const value = integer(hash(key).get(keyOf(name)) ?? bytesOf("0")) + integer(by);
        hset(key, name, bytesOf(String(value)));
        return value;
      },
    ],
    KEYS: [
      2,
      (pattern) =>
        store
          .keys()
          .filter((key) => glob(keyOf(pattern)).test(key))
          .map(bytesOf),
    ],
    SCAN: [-2, (cursor, ...options) => scan(cursor, ...options)],
    DBSIZE: [1, () => store.keys().length],
    FLUSHALL: [-1, flush],
    FLUSHDB: [-1, flush],
  };

  return ([name, ...args]) => {
    const command = commands[wordOf(name)];
    const shown = keyOf(name ?? NodeBuffer.alloc(0));
    if (command === undefined) {
      throw new RedisError(`ERR unknown command '${shown}' (the embedded Redis has a few of them)`);
    }
    const [arity, run] = command;
    const parts = args.length + 1;
    if (arity >= 0 ? parts !== arity : parts < -arity) {
      const lower = shown.toLowerCase();
      throw new RedisError(`ERR wrong number of arguments for '${lower}' command`);
    }
    return run(...args);
  };
}

/** MGET answers null, not an error, for a key of another kind. */
const asString = (entry: ReturnType<RedisStore["find"]>): Buffer | null =>
  entry?.kind === "string" ? entry.value : null;

const roundUp = (ms: number): number => (ms < 0 ? ms : Math.ceil(ms / 1000));

/** Pure. The bytes from `start` to `end`, both included, both counted from the end if negative. */
function range(value: Buffer | null, start: number, end: number): Buffer {
  const length = value?.length ?? 0;
  const from = start < 0 ? Math.max(0, length + start) : start;
  const to = end < 0 ? Math.max(0, length + end) : end;
  return value?.subarray(from, Math.max(from, to + 1)) ?? NodeBuffer.alloc(0);
}
