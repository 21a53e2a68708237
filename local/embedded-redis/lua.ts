import { createHash } from "node:crypto";
import { lauxlib, lua, lualib, to_luastring, type LuaState } from "fengari";
import { isStatus, OK, type Reply } from "./reply.ts";
import { NodeBuffer } from "../node-buffer.ts";
import { isBytes, RedisError } from "../redis-backend.ts";

type Args = readonly Buffer[];

/** Reply scripts nest no deeper than this in sane use; Lua's stack is made ready for it. */
const STACK_SLOTS = 64;

/** Lua 5.1's `unpack` and Redis' rule that a script leaves no globals behind. */
const PRELUDE = `unpack = table.unpack
redis.status_reply = function(text) return { ok = text } end
redis.error_reply = function(text)
  if string.sub(text, 1, 1) == '-' then text = string.sub(text, 2) end
  if not string.find(text, ' ', 1, true) then text = 'ERR ' .. text end
  return { err = text }
end
dofile, load, loadfile, print, require, collectgarbage = nil
setmetatable(_G, {
  __newindex = function(_, name)
    error("Attempt to create global variable '" .. tostring(name) .. "'", 2)
  end,
  __index = function(_, name)
    error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
  end,
})`;

const sha1 = (bytes: Uint8Array): string => createHash("sha1").update(bytes).digest("hex");

const pushBytes = (L: LuaState, bytes: Uint8Array): void =>
  lua.lua_pushlstring(L, bytes, bytes.length);

/** Pushes a table of one field, the shape that statuses and errors have in Lua. */
function pushRecord(L: LuaState, name: "ok" | "err", text: string): void {
  lua.lua_createtable(L, 0, 1);
  pushBytes(L, to_luastring(text));
  lua.lua_setfield(L, -2, to_luastring(name));
}

function pushReply(L: LuaState, reply: Reply): void {
  if (reply === null) lua.lua_pushboolean(L, false);
  else if (typeof reply === "number") lua.lua_pushinteger(L, reply);
  else if (isBytes(reply)) pushBytes(L, reply);
  else if (isStatus(reply)) pushRecord(L, "ok", reply.ok);
  else {
    lua.lua_createtable(L, reply.length, 0);
    for (const [i, element] of reply.entries()) {
      pushReply(L, element);
      lua.lua_rawseti(L, -2, i + 1);
    }
  }
}

/** The text of a field of the table at `index`, or null; a raw look, as the table may be a script's. */
function fieldText(L: LuaState, index: number, name: "ok" | "err"): string | null {
  const type = lua.lua_getfield(L, index, to_luastring(name));
  const text = type === lua.LUA_TSTRING ? lua.lua_tostring(L, -1) : null;
  lua.lua_pop(L, 1);
  return text === null ? null : NodeBuffer.from(text).toString();
}

/** What a script's value means as a reply; throws the RedisError that it stands for. */
function toReply(L: LuaState, at: number): Reply {
  const index = lua.lua_absindex(L, at);
  switch (lua.lua_type(L, index)) {
    case lua.LUA_TNUMBER:
      return Math.trunc(lua.lua_tonumber(L, index));
    case lua.LUA_TSTRING:
      return NodeBuffer.from(lua.lua_tostring(L, index) ?? []);
    case lua.LUA_TBOOLEAN:
      return lua.lua_toboolean(L, index) ? 1 : null;
    case lua.LUA_TTABLE:
      return tableToReply(L, index);
    default:
      return null;
  }
}

function tableToReply(L: LuaState, index: number): Reply {
  const err = fieldText(L, index, "err");
  if (err !== null) throw new RedisError(err);
  const ok = fieldText(L, index, "ok");
  if (ok !== null) return { ok };
  const elements: Reply[] = [];
  while (lua.lua_rawgeti(L, index, elements.length + 1) !== lua.LUA_TNIL) {
    elements.push(toReply(L, -1));
    lua.lua_pop(L, 1);
  }
  lua.lua_pop(L, 1);
  return elements;
}

/** An argument of redis.call as Redis would send it. */
function argument(L: LuaState, index: number): Buffer {
  const type = lua.lua_type(L, index);
  // Lua 5.3 would write the float 2 as "2.0"; Redis has Lua 5.1, which knows one kind of number.
  if (type === lua.LUA_TNUMBER) return NodeBuffer.from(String(lua.lua_tonumber(L, index)));
  const bytes = type === lua.LUA_TSTRING ? lua.lua_tostring(L, index) : null;
  if (bytes === null) {
    throw new RedisError("ERR Lua redis lib command arguments must be strings or integers");
  }
  return NodeBuffer.from(bytes);
}

function openState(call: (args: Args) => Reply): LuaState {
  const L = lauxlib.luaL_newstate();
  const libraries = [
    ["_G", lualib.luaopen_base],
    ["table", lualib.luaopen_table],
    ["string", lualib.luaopen_string],
    ["math", lualib.luaopen_math],
  ] as const;
  for (const [name, open] of libraries) {
    lauxlib.luaL_requiref(L, to_luastring(name), open, true);
    lua.lua_pop(L, 1);
  }

  const calling = (raises: boolean) => (state: LuaState) => {
    let failure: RedisError;
    try {
      const count = lua.lua_gettop(state);
      const args = Array.from({ length: count }, (_, i) => argument(state, i + 1));
      lua.lua_checkstack(state, STACK_SLOTS);
      pushReply(state, call(args));
      return 1;
    } catch (error) {
      if (!(error instanceof RedisError)) throw error;
      failure = error;
    }
    pushRecord(state, "err", failure.message);
    return raises ? lua.lua_error(state) : 1;
  };
  const functions = {
    call: calling(true),
    pcall: calling(false),
    log: () => 0,
    sha1hex: (state: LuaState) => {
      pushBytes(state, to_luastring(sha1(lua.lua_tostring(state, 1) ?? new Uint8Array())));
      return 1;
    },
  };
  lua.lua_pushglobaltable(L);
  lua.lua_createtable(L, 0, 6);
  for (const [name, f] of Object.entries(functions)) {
    lua.lua_pushcfunction(L, f);
    lua.lua_setfield(L, -2, to_luastring(name));
  }
  lua.lua_setfield(L, -2, to_luastring("redis"));
  const prelude = to_luastring(PRELUDE);
  lauxlib.luaL_loadbuffer(L, prelude, prelude.length, to_luastring("@prelude"));
  if (lua.lua_pcall(L, 0, 0, 0) !== lua.LUA_OK) throw scriptError(L, "prelude");
  lua.lua_settop(L, 0);
  return L;
}

/** The error on top of the stack, which it takes away. */
function scriptError(L: LuaState, sha: string): RedisError {
  const err = lua.lua_type(L, -1) === lua.LUA_TTABLE ? fieldText(L, -1, "err") : null;
  const text = err ?? `ERR ${NodeBuffer.from(lua.lua_tostring(L, -1) ?? []).toString()}`;
  lua.lua_settop(L, 0);
  return new RedisError(`${text} script: ${sha}, on @user_script.`);
}

function setGlobal(L: LuaState, name: string, values: Args): void {
  lua.lua_pushglobaltable(L);
  pushBytes(L, to_luastring(name));
  pushReply(L, values);
  lua.lua_rawset(L, -3);
  lua.lua_pop(L, 1);
}

/**
 * EVAL, EVALSHA and SCRIPT for the embedded Redis: Lua over `call`, one script at a time. The
 * machine is Lua 5.3 where Redis has 5.1, without cjson, cmsgpack, struct and bit.
 */
export function openRedisLua(call: (args: Args) => Reply): (args: Args) => Reply {
  const L = openState(call);
  const scripts = new Map<string, number>();

  function load(script: Buffer): string {
    const sha = sha1(script);
    if (scripts.has(sha)) return sha;
    if (lauxlib.luaL_loadbuffer(L, script, script.length, to_luastring("@user_script"))) {
      throw scriptError(L, sha);
    }
    scripts.set(sha, lauxlib.luaL_ref(L, lua.LUA_REGISTRYINDEX));
    return sha;
  }

  function run(sha: string, args: Args): Reply {
    const script = scripts.get(sha);
    if (script === undefined) throw new RedisError("NOSCRIPT No matching script. Please use EVAL.");
    const keys = Number(args[0]?.toString() ?? Number.NaN);
    if (!Number.isInteger(keys)) {
      throw new RedisError("ERR value is not an integer or out of range");
    }
    if (keys < 0) throw new RedisError("ERR Number of keys can't be negative");
    if (keys > args.length - 1) {
      throw new RedisError("ERR Number of keys can't be greater than number of args");
    }
    setGlobal(L, "KEYS", args.slice(1, 1 + keys));
    setGlobal(L, "ARGV", args.slice(1 + keys));
    lua.lua_rawgeti(L, lua.LUA_REGISTRYINDEX, script);
    if (lua.lua_pcall(L, 0, 1, 0) !== lua.LUA_OK) throw scriptError(L, sha);
    try {
      return toReply(L, -1);
    } finally {
      lua.lua_settop(L, 0);
    }
  }

  function manage(subcommand: string, shas: Args): Reply {
    switch (subcommand) {
      case "LOAD":
        return NodeBuffer.from(load(shas[0] ?? NodeBuffer.alloc(0)));
      case "EXISTS":
        return shas.map((sha) => Number(scripts.has(sha.toString().toLowerCase())));
      case "FLUSH":
        scripts.clear();
        return OK;
      default:
        throw new RedisError(`ERR unknown subcommand '${subcommand}'.`);
    }
  }

  return ([name, first, ...rest]) => {
    const command = name?.toString().toUpperCase() ?? "";
    if (first === undefined) {
      const lower = command.toLowerCase();
      throw new RedisError(`ERR wrong number of arguments for '${lower}' command`);
    }
    if (command === "SCRIPT") return manage(first.toString().toUpperCase(), rest);
    return run(command === "EVAL" ? load(first) : first.toString().toLowerCase(), rest);
  };
}
