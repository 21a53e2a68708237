import { Redis, type RedisConfigCloudflare } from "@upstash/redis/cloudflare";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Fault } from "../../local/facade-server.ts";
import { openRedis } from "../../local/open-redis.ts";
import type { RedisBackend } from "../../local/redis-backend.ts";
import { startRedisFacade, type RedisFacade } from "../../local/redis-facade.ts";
import { findRedisServer } from "../../local/redis-server.ts";

const backends: readonly (readonly [string, boolean])[] = [
  ["the embedded Redis", false],
  ...(findRedisServer() === null ? [] : [["a Redis server", true] as const]),
];

/** Writes what is newer, as the projection does. */
const WRITE_NEWER = `local written = 0
for i, key in ipairs(KEYS) do
  local held = tonumber(string.match(redis.call('GETRANGE', key, 0, 16), '^(%d+):'))
  if not held or held < tonumber(string.match(ARGV[i], '^(%d+):')) then
    redis.call('SET', key, ARGV[i])
    written = written + 1
  end
end
return written`;

describe.each(backends)("the Redis façade before %s", (_which, find) => {
  const faults: Fault[] = [];
  let backend: RedisBackend;
  let facade: RedisFacade;
  let redis: Redis;

  const connect = (options: Partial<RedisConfigCloudflare> = {}): Redis =>
    new Redis({
      url: facade.url,
      token: facade.token,
      automaticDeserialization: false,
      enableAutoPipelining: false,
      enableTelemetry: false,
      retry: { retries: 0 },
      ...options,
    });

  async function post(body: unknown, headers: Record<string, string> = {}, path = "/") {
    const response = await fetch(`${facade.url}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${facade.token}`, ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    const json: unknown = await response.json();
    return { status: response.status, json, headers: response.headers };
  }

  const command = async (...words: (string | number)[]): Promise<unknown> =>
    (await post(words)).json;

  beforeAll(async () => {
    backend = await openRedis({ find });
    const fault = (): Fault => faults.shift() ?? null;
    facade = await startRedisFacade({ backend, token: "a-token", fault });
    redis = connect();
  });
  beforeEach(async () => void (await command("FLUSHALL")));
  afterAll(async () => {
    await facade.close();
    await backend.close();
  });

  it("stands before what was asked for", () => {
    expect(backend.kind === "embedded").toBe(!find);
  });

  it.each([["base64" as const], [false as const]])(
    "carries any text, with responseEncoding %s",
    async (responseEncoding) => {
      const client = connect({ responseEncoding });
      const texts = [
        "",
        "OK",
        "true",
        "1.0",
        "null",
        'naïve 東京 \u0000 "quoted"',
        "a".repeat(70_000),
      ];
      for (const [i, text] of texts.entries()) expect(await client.set(`t:${i}`, text)).toBe("OK");
      expect(await client.mget(...texts.keys().map((i) => `t:${i}`))).toEqual(texts);
      for (const [i, text] of texts.entries()) expect(await client.get(`t:${i}`)).toBe(text);
      expect(await client.get("t:none")).toBeNull();
    },
  );

  it("keeps keys of any text apart", async () => {
    await redis.set("k:é", "composed");
    await redis.set("k:e\u0301", "decomposed");
    expect(await redis.mget("k:é", "k:e\u0301")).toEqual(["composed", "decomposed"]);
  });

  it("encodes where that is asked for, and only then", async () => {
    await command("SET", "k", "OK!");
    expect((await post(["GET", "k"])).json).toEqual({ result: "OK!" });
    const encoded = { "upstash-encoding": "base64" };
    expect((await post(["GET", "k"], encoded)).json).toEqual({ result: "T0sh" });
    expect((await post(["SET", "k", "1"], encoded)).json).toEqual({ result: "OK" });
    expect((await post(["MGET", "k", "none"], encoded)).json).toEqual({ result: ["MQ==", null] });
  });

  it("gives a token for reading one's own writes", async () => {
    expect((await post(["PING"])).headers.get("upstash-sync-token")).toMatch(/./);
  });

  it("refuses a request without its token", async () => {
    const { status, json } = await post(["PING"], { authorization: "Bearer guess" });
    expect(status).toBe(401);
    expect(json).toEqual({ error: "WRONGPASS invalid or missing auth token" });
    await expect(connect({ token: "guess" }).ping()).rejects.toThrow("WRONGPASS");
  });

  it.each([["not json"], [[]], [{}], ["{"]])(
    "refuses a body that is no command: %j",
    async (body) => {
      expect((await post(body)).status).toBe(400);
      expect((await post(body, {}, "/pipeline")).status).toBe(400);
    },
  );

  it("answers what Redis answers about strings", async () => {
    expect(await command("SET", "k", "abc", "NX", "EX", 60)).toEqual({ result: "OK" });
    expect(await command("SET", "k", "x", "NX")).toEqual({ result: null });
    expect(await command("TTL", "k")).toEqual({ result: 60 });
    expect(await command("APPEND", "k", "def")).toEqual({ result: 6 });
    expect(await command("STRLEN", "k")).toEqual({ result: 6 });
    expect(await command("GETRANGE", "k", 1, -2)).toEqual({ result: "bcde" });
    expect(await command("GETRANGE", "k", 4, 99)).toEqual({ result: "ef" });
    expect(await command("SET", "k", "y", "XX", "GET")).toEqual({ result: "abcdef" });
    expect(await command("TTL", "k")).toEqual({ result: -1 });
    expect(await command("INCR", "n")).toEqual({ result: 1 });
    expect(await command("EXISTS", "k", "n", "none")).toEqual({ result: 2 });
    expect(await command("DEL", "k", "none")).toEqual({ result: 1 });
    expect(await command("TTL", "k")).toEqual({ result: -2 });
    expect(await command("DBSIZE")).toEqual({ result: 1 });
  });

  it("forgets what has expired", async () => {
    await command("SET", "k", "v", "PX", 30);
    await command("SADD", "s", "a");
    await command("PEXPIRE", "s", 30);
    expect(await command("GET", "k")).toEqual({ result: "v" });
    await expect.poll(() => command("EXISTS", "k", "s")).toEqual({ result: 0 });
    expect(await command("SCARD", "s")).toEqual({ result: 0 });
  });

  it("answers what Redis answers about sets and hashes", async () => {
    expect(await command("SADD", "s", 1, 2, 2)).toEqual({ result: 2 });
    expect(await command("SCARD", "s")).toEqual({ result: 2 });
    expect(await redis.smembers("s")).toEqual(expect.arrayContaining(["1", "2"]));
    expect(await command("HSET", "h", "f", "OK", "g", "2")).toEqual({ result: 2 });
    expect(await command("HSET", "h", "f", "new")).toEqual({ result: 0 });
    expect(await command("HGETALL", "h")).toEqual({ result: ["f", "new", "g", "2"] });
    expect(await command("HMGET", "h", "g", "none")).toEqual({ result: ["2", null] });
    expect(await command("HGET", "h", "none")).toEqual({ result: null });
    expect(await command("TYPE", "s")).toEqual({ result: "set" });
    expect(await command("MGET", "s", "none")).toEqual({ result: [null, null] });
  });

  it("finds keys by a pattern", async () => {
    for (const key of ["fr:a:1", "fr:a:2", "fr:b:1", "fr:[x]"]) await command("SET", key, "v");
    expect(await redis.keys("fr:a:?")).toHaveLength(2);
    expect(await redis.keys("fr:[ab]:1")).toHaveLength(2);
    expect(await redis.keys("fr:\\[x\\]")).toEqual(["fr:[x]"]);
    const found = new Set<string>();
    let cursor = "0";
    do {
      const [next, keys] = await redis.scan(cursor, { match: "fr:*", count: 1 });
      for (const key of keys) found.add(key);
      cursor = next;
    } while (cursor !== "0");
    expect(found.size).toBe(4);
  });

  it.each([
    ["the wrong kind", ["HSET", "k", "f", "1"], /^WRONGTYPE /],
    ["a text that is no number", ["INCR", "k"], /^ERR value is not an integer/],
    ["too few parts", ["GET"], /^ERR wrong number of arguments for 'get' command$/],
    ["an unknown command", ["NONSENSE", "1"], /^ERR unknown command 'NONSENSE'/],
    ["an option that there is not", ["SET", "k", "v", "ZZ"], /^ERR syntax error$/],
    ["a script that is not known", ["EVALSHA", "0".repeat(40), "0"], /^NOSCRIPT /],
    ["a script that does not compile", ["EVAL", "return (", "0"], /^ERR /],
    ["a script that makes a global", ["EVAL", "x = 1", "0"], /^ERR /],
    ["a script that reads a global that is not", ["EVAL", "return x", "0"], /nonexistent global/],
    ["a script that fails", ["EVAL", "error('boom')", "0"], /boom/],
    ["a script's own error", ["EVAL", "return redis.error_reply('MINE x')", "0"], /^MINE x$/],
    ["a script's call", ["EVAL", "return redis.call('INCR', KEYS[1])", "1", "k"], /^ERR value is/],
    ["more keys than there are", ["EVAL", "return 1", "2", "k"], /^ERR Number of keys/],
  ] as const)("refuses %s", async (_name, words, expected) => {
    await command("SET", "k", "text");
    const { status, json } = await post(words);
    expect(status).toBe(400);
    expect((json as { error: string }).error).toMatch(expected);
    expect(await command("GET", "k")).toEqual({ result: "text" });
  });

  it.each([
    ["return {1, 'a', false, true, {2, {'é'}}}", [1, "a", null, 1, [2, ["é"]]]],
    ["return {1.9, nil, 3}", [1]],
    ["return redis.status_reply('FINE')", "FINE"],
    ["return redis.call('SET', 'k', 3 / 1).ok .. redis.call('GET', 'k')", "OK3"],
    ["return redis.pcall('HGET', KEYS[1], 'f').err and 'caught'", "caught"],
    ["if redis.call('GET', 'none') == false then return 'false' end", "false"],
    ["return redis.sha1hex('x')", "11f6ad8ec52a2984abaafd7c3b516503785c2072"],
    ["return {#KEYS, #ARGV, ARGV[1]}", [1, 2, "naïve"]],
    ["local n = 0 for part in string.gmatch('1 22', '%d+') do n = n + part end return n", 23],
    ["return unpack({7, 8})", 7],
    ["return redis.call('MGET', KEYS[1], 'none')", ["text", null]],
    ["return", null],
  ])("runs the script %s", async (script, expected) => {
    await command("SET", "s", "text");
    expect(await command("EVAL", script, "1", "s", "naïve", "2")).toEqual({ result: expected });
  });

  it("runs a script that it was given before", async () => {
    const { result } = (await command("SCRIPT", "LOAD", "return ARGV[1]")) as { result: string };
    expect(await redis.evalsha(result, [], ["x"])).toBe("x");
    expect(await command("SCRIPT", "EXISTS", result, "none")).toEqual({ result: [1, 0] });
  });

  it("writes and reads three hundred states in one request each", async () => {
    const keys = Array.from({ length: 300 }, (_, i) => `fr:t:s:view@1:${i}`);
    const states = (version: number): string[] =>
      keys.map(() => `${version}:s${"x".repeat(2_000)}`);
    const before = facade.requests();
    expect(await redis.eval(WRITE_NEWER, keys, states(2))).toBe(300);
    expect(await redis.eval(WRITE_NEWER, keys, states(1))).toBe(0);
    expect(await redis.mget(...keys)).toEqual(states(2));
    expect(facade.requests() - before).toBe(3);
  });

  it("runs a pipeline, each command with an answer of its own", async () => {
    const pipeline = redis.pipeline().set("k", "v").hget("k", "f").get("k");
    expect(await pipeline.exec({ keepErrors: true })).toEqual([
      { result: "OK" },
      { error: expect.stringMatching(/^WRONGTYPE/) as string },
      { result: "v" },
    ]);
  });

  it("runs a transaction", async () => {
    expect(await redis.multi().set("k", "v").get("k").exec()).toEqual(["OK", "v"]);
    const pairs = await Promise.all(
      Array.from({ length: 50 }, () => redis.multi().incr("n").incr("n").exec<[number, number]>()),
    );
    expect(pairs.every(([a, b]) => b === a + 1)).toBe(true);
  });

  it.each([["SUBSCRIBE", "c"], ["MONITOR"], ["SELECT", "1"], ["BLPOP", "l", "0"], ["QUIT"]])(
    "refuses %s, which is about a connection",
    async (...words) => {
      expect(await command(...words)).toEqual({ error: expect.stringMatching(/^ERR /) as string });
      expect(await command("PING")).toEqual({ result: "PONG" });
    },
  );

  it.each([
    ["does nothing for a request that is dropped", "drop", null],
    ["has done what it was asked when its answer is lost", "lose", "v"],
    ["does nothing where an error is injected", "error", null],
  ] as const)("%s", async (_name, fault, held) => {
    faults.push(fault);
    await expect(redis.set("k", "v")).rejects.toThrow(/fetch failed|injected/);
    await expect.poll(() => facade.active()).toBe(0);
    expect(await redis.get("k")).toBe(held);
  });
});
