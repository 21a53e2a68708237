import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Meta, OnlineState, StateKey, StateWrite } from "../../src/features/online-store.ts";
import { newTenant } from "../support/log-events.ts";
import { onlineStores, type OpenedOnlineStore } from "../support/online-stores.ts";

const key = (tenant: string, name: string, stateId = "spend@1f"): StateKey => ({
  tenant,
  stateId,
  key: name,
});
const state = (version: number, bytes = "AAEC"): OnlineState => ({ kind: "state", version, bytes });
const meta = (fields: Partial<Meta> = {}): Meta => ({
  generation: "gen_a",
  revision: 1,
  views: { spend: { "1f": 1 } },
  revokedKeys: ["key_1"],
  ...fields,
});

describe.each(onlineStores())("the online store %s", (_name, open) => {
  let opened: OpenedOnlineStore;
  beforeAll(async () => void (opened = await open()));
  afterAll(() => opened.close());

  const read = async (keys: readonly StateKey[]): Promise<readonly (OnlineState | null)[]> =>
    (await opened.store.read(keys[0]?.tenant ?? "nobody", keys)).states;

  async function fill(tenant: string, with_: Meta): Promise<boolean> {
    await opened.store.writeMeta(tenant, "begin", with_);
    return opened.store.writeMeta(tenant, "end", with_);
  }

  it("reads states in the order of the keys, and null where there is none", async () => {
    const tenant = newTenant();
    const [a, b] = [key(tenant, "a"), key(tenant, "a", "visits@2")];
    const writes: StateWrite[] = [
      { ...a, ...state(3) },
      { ...b, kind: "erased", version: 4 },
    ];
    expect(await opened.store.write(writes)).toEqual([true, true]);
    const found = await opened.store.read(tenant, [b, key(tenant, "nobody"), a, a]);
    expect(found).toEqual({
      meta: null,
      states: [{ kind: "erased", version: 4 }, null, state(3), state(3)],
    });
    expect(await opened.store.write([])).toEqual([]);
    expect(await opened.store.read(tenant, [])).toEqual({ meta: null, states: [] });
  });

  it("keeps every key and every byte apart", async () => {
    const tenant = newTenant();
    const names = ["", " ", "a:b", "a", "é", "e\u0301", "🜁", '"\\', "\n", "*", "\u0000", "OK"];
    const keys = names.map((name) => key(tenant, name));
    const bytes = (index: number): string => btoa("\0\u00ff".repeat(index));
    await opened.store.write(keys.map((one, i) => ({ ...one, ...state(i, bytes(i)) })));
    expect(await read(keys)).toEqual(keys.map((_, i) => state(i, bytes(i))));
  });

  it("replaces an older version and refuses one that is not newer", async () => {
    const tenant = newTenant();
    const one = key(tenant, "c1");
    const write = async (next: OnlineState): Promise<boolean> =>
      (await opened.store.write([{ ...one, ...next }]))[0] === true;
    expect(await write(state(9, "AAAA"))).toBe(true);
    expect(await write(state(9, "BBBB"))).toBe(false);
    expect(await write(state(8, "CCCC"))).toBe(false);
    expect(await write(state(10, "DDDD"))).toBe(true);
    expect(await write({ kind: "erased", version: 9 })).toBe(false);
    expect(await read([one])).toEqual([state(10, "DDDD")]);
    expect(await write({ kind: "erased", version: 100 })).toBe(true);
    expect(await write(state(99))).toBe(false);
    expect(await read([one])).toEqual([{ kind: "erased", version: 100 }]);
    expect(await write(state(9_007_199_254_740_990))).toBe(true);
    expect(await write(state(9_007_199_254_740_991, "EEEE"))).toBe(true);
    expect(await read([one])).toEqual([state(9_007_199_254_740_991, "EEEE")]);
  });

  it("replaces what is as new where that is asked for, and never what is newer", async () => {
    const one = key(newTenant(), "c1");
    const replace = (next: OnlineState) => opened.store.write([{ ...one, ...next }], "replace");
    expect(await replace(state(9, "AAAA"))).toEqual([true]);
    expect(await replace(state(9, "BBBB"))).toEqual([true]);
    expect(await replace(state(9, "BBBB"))).toEqual([false]);
    expect(await replace({ kind: "erased", version: 9 })).toEqual([true]);
    expect(await replace(state(9, "BBBB"))).toEqual([true]);
    expect(await replace(state(8, "CCCC"))).toEqual([false]);
    expect(await opened.store.write([{ ...one, ...state(9, "DDDD") }])).toEqual([false]);
    expect(await read([one])).toEqual([state(9, "BBBB")]);
  });

  it("answers for each write of many by itself", async () => {
    const tenant = newTenant();
    const keys = Array.from({ length: 1_201 }, (_, i) => key(tenant, `c${i}`));
    await opened.store.write(
      keys.filter((_, i) => i % 3 === 0).map((one) => ({ ...one, ...state(5) })),
    );
    const written = await opened.store.write(keys.map((one) => ({ ...one, ...state(4, "BBBB") })));
    expect(written).toEqual(keys.map((_, i) => i % 3 !== 0));
    const states = await read(keys);
    expect(states).toEqual(keys.map((_, i) => (i % 3 === 0 ? state(5) : state(4, "BBBB"))));
  });

  it("takes the last of two writes to one key when it is newer", async () => {
    const one = key(newTenant(), "c1");
    const writes = [state(2, "AAAA"), state(3, "BBBB"), state(1, "CCCC")];
    expect(await opened.store.write(writes.map((next) => ({ ...one, ...next })))).toEqual([
      true,
      true,
      false,
    ]);
    expect(await read([one])).toEqual([state(3, "BBBB")]);
  });

  it.each([
    "",
    "1",
    "1:",
    "1:y",
    "x:sAAAA",
    "01:sAAAA",
    "-1:sAAAA",
    "1:sAAA",
    "1:xA",
    "1.5:sAAAA",
    "null",
  ])("says that a state is unreadable rather than missing (%s)", async (text) => {
    const one = key(newTenant(), "c1");
    await opened.putText(`fr:${one.tenant}:s:${one.stateId}:${one.key}`, text);
    await expect(read([one])).rejects.toMatchObject({ code: "dependency_unavailable" });
  });

  it.each([
    "",
    "{",
    "null",
    "[]",
    "7",
    '"x"',
    '{"revision":1}',
    '{"revision":"1","generation":"g"}',
  ])("says that a meta is unreadable rather than missing (%s)", async (text) => {
    const tenant = newTenant();
    await opened.putText(`fr:${tenant}:meta`, text);
    const found = opened.store.read(tenant, []);
    await expect(found).rejects.toMatchObject({ code: "dependency_unavailable" });
  });

  it("shows a meta only when its filling has ended", async () => {
    const tenant = newTenant();
    const metaOf = async (): Promise<Meta | null> => (await opened.store.read(tenant, [])).meta;
    expect(await opened.store.writeMeta(tenant, "begin", meta())).toBe(true);
    expect(await metaOf()).toBeNull();
    expect(await opened.store.writeMeta(tenant, "end", meta())).toBe(true);
    expect(await metaOf()).toEqual(meta());
    expect(await opened.store.writeMeta(tenant, "end", meta({ revision: 2 }))).toBe(false);
  });

  it("does not end a filling that a flush or a later filling overtook", async () => {
    const tenant = newTenant();
    await opened.store.writeMeta(tenant, "begin", meta());
    await opened.flush();
    expect(await opened.store.writeMeta(tenant, "end", meta())).toBe(false);

    await opened.store.writeMeta(tenant, "begin", meta());
    await opened.store.writeMeta(tenant, "begin", meta({ generation: "gen_b" }));
    expect(await opened.store.writeMeta(tenant, "end", meta({ revision: 7 }))).toBe(false);
    const last = meta({ generation: "gen_b", revision: 2 });
    expect(await opened.store.writeMeta(tenant, "end", last)).toBe(true);
    expect((await opened.store.read(tenant, [])).meta).toEqual(last);
  });

  it("refreshes a meta that is there, with a higher revision alone", async () => {
    const tenant = newTenant();
    const refresh = (revision: number): Promise<boolean> =>
      opened.store.writeMeta(
        tenant,
        "refresh",
        meta({ revision, revokedKeys: [`key_${revision}`] }),
      );
    expect(await refresh(5)).toBe(false);
    expect((await opened.store.read(tenant, [])).meta).toBeNull();
    expect(await fill(tenant, meta({ revision: 9 }))).toBe(true);
    expect(await refresh(9)).toBe(false);
    expect(await refresh(10)).toBe(true);
    expect(await refresh(8)).toBe(false);
    expect((await opened.store.read(tenant, [])).meta?.revokedKeys).toEqual(["key_10"]);
    expect(await fill(tenant, meta({ revision: 10 }))).toBe(false);
  });

  it("takes a meta away until a filling ends, and leaves the states", async () => {
    const one = key(newTenant(), "c1");
    await opened.store.write([{ ...one, ...state(3) }]);
    await fill(one.tenant, meta());
    await opened.store.writeMeta(one.tenant, "begin", meta({ generation: "gen_b" }));
    await opened.store.dropMeta(one.tenant);
    await opened.store.dropMeta(one.tenant);
    expect(await opened.store.read(one.tenant, [one])).toEqual({ meta: null, states: [state(3)] });
    const next = meta({ revision: 2, generation: "gen_b" });
    expect(await opened.store.writeMeta(one.tenant, "refresh", next)).toBe(false);
    expect(await opened.store.writeMeta(one.tenant, "end", next)).toBe(true);
    expect((await opened.store.read(one.tenant, [])).meta).toEqual(next);
  });

  it("forgets everything when it is flushed", async () => {
    const one = key(newTenant(), "c1");
    await opened.store.write([{ ...one, ...state(3) }]);
    await fill(one.tenant, meta());
    await opened.flush();
    expect(await opened.store.read(one.tenant, [one])).toEqual({ meta: null, states: [null] });
    expect(await opened.store.write([{ ...one, ...state(1) }])).toEqual([true]);
  });

  it("counts the distinct parts of a waiting request that are visible", async () => {
    const [tenant, neighbour] = [newTenant(), newTenant()];
    expect(await opened.store.countApplied(tenant, "req_1")).toBe(0);
    await opened.store.markApplied([
      { tenant, token: "req_1", part: 0 },
      { tenant, token: "req_1", part: 10 },
      { tenant, token: "req_2", part: 1 },
      { tenant: neighbour, token: "req_1", part: 1 },
    ]);
    await opened.store.markApplied([{ tenant, token: "req_1", part: 10 }]);
    await opened.store.markApplied([]);
    expect(await opened.store.countApplied(tenant, "req_1")).toBe(2);
    expect(await opened.store.countApplied(tenant, "req_2")).toBe(1);
    expect(await opened.store.countApplied(neighbour, "req_2")).toBe(0);
  });
});
