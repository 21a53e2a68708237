// fengari, a Lua virtual machine in JavaScript, has no types of its own: these are of the parts
// that the embedded Redis uses. Lua's strings are bytes.
declare module "fengari" {
  export interface LuaState {
    readonly luaState: unique symbol;
  }
  type LuaFunction = (L: LuaState) => number;

  export const lua: {
    readonly LUA_OK: number;
    readonly LUA_TNIL: number;
    readonly LUA_TBOOLEAN: number;
    readonly LUA_TNUMBER: number;
    readonly LUA_TSTRING: number;
    readonly LUA_TTABLE: number;
    readonly LUA_REGISTRYINDEX: number;
    lua_absindex(L: LuaState, index: number): number;
    lua_checkstack(L: LuaState, slots: number): boolean;
    lua_createtable(L: LuaState, array: number, record: number): void;
    lua_error(L: LuaState): never;
    lua_getfield(L: LuaState, index: number, name: Uint8Array): number;
    lua_gettop(L: LuaState): number;
    lua_pcall(L: LuaState, args: number, results: number, handler: number): number;
    lua_pop(L: LuaState, count: number): void;
    lua_pushboolean(L: LuaState, value: boolean): void;
    lua_pushcfunction(L: LuaState, f: LuaFunction): void;
    lua_pushinteger(L: LuaState, value: number): void;
    lua_pushlstring(L: LuaState, bytes: Uint8Array, length: number): void;
    lua_pushnumber(L: LuaState, value: number): void;
    lua_rawgeti(L: LuaState, index: number, n: number): number;
    lua_rawset(L: LuaState, index: number): void;
    lua_rawseti(L: LuaState, index: number, n: number): void;
    lua_pushglobaltable(L: LuaState): void;
    lua_setfield(L: LuaState, index: number, name: Uint8Array): void;
    lua_settop(L: LuaState, index: number): void;
    lua_toboolean(L: LuaState, index: number): boolean;
    lua_tonumber(L: LuaState, index: number): number;
    lua_tostring(L: LuaState, index: number): Uint8Array | null;
    lua_type(L: LuaState, index: number): number;
  };
  export const lauxlib: {
    luaL_loadbuffer(L: LuaState, chunk: Uint8Array, size: number, name: Uint8Array): number;
    luaL_newstate(): LuaState;
    luaL_ref(L: LuaState, table: number): number;
    luaL_requiref(L: LuaState, name: Uint8Array, open: LuaFunction, global: boolean): void;
  };
  export const lualib: {
    readonly luaopen_base: LuaFunction;
    readonly luaopen_math: LuaFunction;
    readonly luaopen_string: LuaFunction;
    readonly luaopen_table: LuaFunction;
  };
  export function to_luastring(text: string): Uint8Array;
}
