import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  EVERY_MINUTE,
  openRunningShop,
  paymentOf,
  underLoad,
  type RunningShop,
} from "../support/running-shop.ts";

const CUSTOMERS = Array.from({ length: 8 }, (_, i) => `loaded-${i}`);
const BEFORE = 3;

describe("the running stack, while its stores fail", () => {
  let shop: RunningShop;
  beforeAll(async () => void (shop = await openRunningShop()), 120_000);
  afterAll(() => shop.close());

  it("takes events with 202 while Postgres is down, and applies them when it is back", async () => {
    const sent = [1, 2, 3].map((n) => paymentOf("down-postgres", n));
    shop.faults.postgres = "error";
    expect(await shop.send(sent)).toMatchObject({ status: 202, body: { accepted: 3 } });
    // Reads need no Postgres.
    expect((await shop.read("down-postgres")).status).toBe(200);
    shop.faults.postgres = null;
    await expect.poll(() => shop.countOf("down-postgres"), { timeout: 30_000 }).toBe(3);
    await shop.expectRight("down-postgres", sent);
  });

  it("takes events while Redis is down, says so to readers, and catches up by the sweep", async () => {
    const sent = [1, 2].map((n) => paymentOf("down-redis", n));
    shop.faults.redis = "error";
    expect(await shop.send(sent)).toMatchObject({ status: 202, body: { accepted: 2 } });
    expect(await shop.read("down-redis")).toMatchObject({
      status: 503,
      body: { code: "dependency_unavailable" },
    });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    shop.faults.redis = null;
    await expect
      .poll(
        async () => {
          await shop.stack.scheduled(EVERY_MINUTE, Date.now());
          return shop.countOf("down-redis");
        },
        { timeout: 30_000, interval: 1_000 },
      )
      .toBe(2);
    await shop.expectRight("down-redis", sent);
  });

  it("loses nothing when answers of both stores are lost", async () => {
    const sent = Array.from({ length: 20 }, (_, n) => paymentOf("lost-answers", n + 1));
    shop.faults.postgres = "lose";
    expect((await shop.send(sent)).status).toBe(202);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    shop.faults.postgres = null;
    shop.faults.redis = "lose";
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    shop.faults.redis = null;
    await expect
      .poll(
        async () => {
          await shop.stack.scheduled(EVERY_MINUTE, Date.now());
          return shop.countOf("lost-answers");
        },
        { timeout: 30_000, interval: 1_000 },
      )
      .toBe(20);
    await shop.expectRight("lost-answers", sent);
  });

  it("answers 503, never a zero, from a flushed Redis until it is filled again", async () => {
    const sent = [1, 2, 3, 4].map((n) => paymentOf("flushed", n));
    expect((await shop.send(sent, true)).body.applied).toBe(true);
    await shop.expectRight("flushed", sent);
    await shop.flushRedis();
    expect((await shop.read("flushed")).status).toBe(503);
    await shop.stack.scheduled(EVERY_MINUTE, Date.now());
    await expect
      .poll(async () => (await shop.read("flushed")).status, { timeout: 30_000 })
      .toBe(200);
    await shop.expectRight("flushed", sent);
  });

  it("is rebuilt by one command under load, and never answers a zero meanwhile", async () => {
    const { sent, heard } = await underLoad(shop, CUSTOMERS, BEFORE, async () => {
      await shop.flushRedis();
      await expect.poll(async () => (await shop.read("loaded-0")).status).toBe(503);
      const { entities, written } = await shop.rebuild();
      expect(entities).toBeGreaterThan(CUSTOMERS.length);
      expect(written).toBeGreaterThan(0);
      expect((await shop.read("loaded-0")).status).toBe(200);
      // Of a store that is whole, too.
      await shop.rebuild();
    });
    const answered = heard.filter(({ status }) => status === 200);
    const refused = heard.filter(({ status }) => status === 503);
    expect(answered.length + refused.length).toBe(heard.length);
    expect(refused.length).toBeGreaterThan(0);
    for (const { count } of answered) expect(count).toBeGreaterThanOrEqual(BEFORE);
    for (const [customer, payments] of sent) {
      await expect.poll(() => shop.countOf(customer), { timeout: 30_000 }).toBe(payments.length);
      await shop.expectRight(customer, payments);
    }
  });
});

describe("the running stack, where Postgres answers in place of Redis", () => {
  let shop: RunningShop;
  beforeAll(
    async () => void (shop = await openRunningShop({ ON_INCOMPLETE_STORE: "postgres" })),
    120_000,
  );
  afterAll(() => shop.close());

  it("answers right while Redis is flushed and rebuilt under load, and says so", async () => {
    const { sent, heard } = await underLoad(shop, CUSTOMERS, BEFORE, async () => {
      await shop.flushRedis();
      await expect
        .poll(async () => (await shop.read("loaded-0")).body.degraded)
        .toEqual(["online_store_bypassed"]);
      await shop.rebuild();
      expect((await shop.read("loaded-0")).body).not.toHaveProperty("degraded");
    });
    expect(new Set(heard.map(({ status }) => status))).toEqual(new Set([200]));
    expect(heard.some(({ degraded }) => degraded.length > 0)).toBe(true);
    for (const { count } of heard) expect(count).toBeGreaterThanOrEqual(BEFORE);
    for (const [customer, payments] of sent) {
      await expect.poll(() => shop.countOf(customer), { timeout: 30_000 }).toBe(payments.length);
      await shop.expectRight(customer, payments);
    }
  });

  it("answers while Redis fails, and within its deadline while Redis hangs", async () => {
    const sent = [1, 2, 3].map((n) => paymentOf("hanging", n));
    expect((await shop.send(sent, true)).body.applied).toBe(true);
    for (const fault of ["error", "drop", { delayMs: 9_000 }] as const) {
      shop.faults.redis = fault;
      const began = performance.now();
      await shop.expectRight("hanging", sent);
      expect(performance.now() - began).toBeLessThan(8_000);
      shop.faults.redis = null;
    }
    await shop.expectRight("hanging", sent);
  });
});
