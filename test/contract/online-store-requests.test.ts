import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Meta, OnlineState, StateKey } from "../../src/features/online-store.ts";
import { createOnlineStore } from "../../src/platform/upstash/online-store.ts";
import { newTenant } from "../support/log-events.ts";
import { redises, type RedisOnlineStore } from "../support/online-stores.ts";

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

describe.each(redises())("the online store's requests %s", (_name, open) => {
  let opened: RedisOnlineStore;
  beforeAll(async () => void (opened = await open()));
  afterAll(() => opened.close());

  it("makes one request a call, and none for nothing", async () => {
    const tenant = newTenant();
    const many = Array.from({ length: 2_500 }, (_, i) => key(tenant, `c${i}`));
    const { store } = opened;
    const calls: readonly (readonly [number, () => Promise<unknown>])[] = [
      [1, () => store.read(tenant, many)],
      [1, () => store.write(many.map((one) => ({ ...one, ...state(1) })))],
      [0, () => store.write([])],
      [1, () => store.writeMeta(tenant, "begin", meta())],
      [1, () => store.writeMeta(tenant, "end", meta())],
      [1, () => store.writeMeta(tenant, "refresh", meta())],
      [1, () => store.markApplied(["a", "b"].map((token) => ({ tenant, token, part: 1 })))],
      [0, () => store.markApplied([])],
      [1, () => store.countApplied(tenant, "a")],
    ];
    for (const [expected, call] of calls) {
      const before = opened.requests();
      await call();
      expect(opened.requests() - before).toBe(expected);
    }
  });

  it("reports each request before it is made", async () => {
    let trips = 0;
    const { url, token } = opened;
    const timeouts = { readTimeoutMs: 5_000, writeTimeoutMs: 5_000 };
    const onRoundTrip = (): void => void (trips += 1);
    const store = createOnlineStore({ url, token, ...timeouts, onRoundTrip });
    await store.read(newTenant(), []);
    await store.write([{ ...key(newTenant(), "c"), ...state(1) }]);
    expect(trips).toBe(2);
  });

  it("keeps marks for a minute", async () => {
    const tenant = newTenant();
    await opened.store.markApplied([{ tenant, token: "req_1", part: 0 }]);
    const ttl = Number(await opened.command("TTL", `fr:${tenant}:applied:req_1`));
    expect(ttl).toBeGreaterThan(50);
    expect(ttl).toBeLessThanOrEqual(60);
  });

  it.each([["drop" as const], ["lose" as const], ["error" as const]])(
    "throws, and asks once, when Redis does not answer (%s)",
    async (fault) => {
      const one = key(newTenant(), "secret-customer");
      const calls: readonly (() => Promise<unknown>)[] = [
        () => opened.store.read(one.tenant, [one]),
        () => opened.store.write([{ ...one, ...state(1) }]),
        () => opened.store.writeMeta(one.tenant, "refresh", meta()),
        () => opened.store.markApplied([{ tenant: one.tenant, token: "t", part: 1 }]),
        () => opened.store.countApplied(one.tenant, "t"),
      ];
      for (const call of calls) {
        const before = opened.requests();
        opened.faults.push(fault);
        const error: unknown = await call().catch((reason: unknown) => reason);
        expect(error).toMatchObject({ name: "AppError", code: "dependency_unavailable" });
        const { message, cause } = error as Error;
        expect(`${message} ${String(cause)}`).not.toMatch(/secret-customer|fr:/);
        expect(opened.requests() - before).toBe(1);
      }
    },
  );

  it("says timeout, and not that there is no state, at its deadline", async () => {
    const one = key(newTenant(), "c1");
    await opened.store.write([{ ...one, ...state(1) }]);
    const { url, token } = opened;
    const slow = createOnlineStore({ url, token, readTimeoutMs: 40, writeTimeoutMs: 60 });
    const calls: readonly (() => Promise<unknown>)[] = [
      () => slow.read(one.tenant, [one]),
      () => slow.countApplied(one.tenant, "t"),
      () => slow.write([{ ...one, ...state(2) }]),
    ];
    for (const call of calls) {
      opened.faults.push({ delayMs: 500 });
      await expect(call()).rejects.toMatchObject({ code: "timeout" });
    }
    expect((await opened.store.read(one.tenant, [one])).states).not.toContain(null);
  });

  it("does not repeat the command of a refused one", async () => {
    const one = key(newTenant(), "secret-customer");
    await opened.command("SADD", `fr:${one.tenant}:s:${one.stateId}:${one.key}`, "member");
    const error: unknown = await opened.store
      .write([{ ...one, ...state(1, "c2VjcmV0") }])
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "dependency_unavailable" });
    const { message, cause } = error as Error;
    expect(`${message} ${String(cause)}`).not.toMatch(/secret|c2Vj|fr:/);
  });

  it("says dependency_unavailable to a wrong token", async () => {
    const timeouts = { readTimeoutMs: 5_000, writeTimeoutMs: 5_000 };
    const stranger = createOnlineStore({ url: opened.url, token: "wrong", ...timeouts });
    const found = stranger.read(newTenant(), []);
    await expect(found).rejects.toMatchObject({ code: "dependency_unavailable" });
  });
});
