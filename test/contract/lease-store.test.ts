import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newTenant } from "../support/log-events.ts";
import { truths, type Truth } from "../support/stores.ts";

const LONG = 60_000;

describe.each(truths())("the lease store %s", (_name, open) => {
  let truth: Truth;
  beforeAll(async () => void (truth = await open()));
  afterAll(() => truth.close());

  it("gives a lease to one, and tells everyone else who that is", async () => {
    const { leaseStore: leases } = truth;
    const name = newTenant();
    const mine = await leases.take(name, "t1", "ann", LONG);
    expect(mine).toMatchObject({ token: "t1", holder: "ann" });
    expect(mine.expiresAt - mine.takenAt).toBe(LONG);
    expect(Math.abs(mine.takenAt - Date.now())).toBeLessThan(60_000);
    expect(await leases.take(name, "t2", "ben", LONG)).toEqual(mine);
    expect(await leases.take(`${name}x`, "t2", "ben", LONG)).toMatchObject({ holder: "ben" });
  });

  it("takes a lease again for its holder, who may not have had the answer", async () => {
    const name = newTenant();
    await truth.leaseStore.take(name, "t1", "ann", LONG);
    expect(await truth.leaseStore.take(name, "t1", "ann", LONG)).toMatchObject({ token: "t1" });
  });

  it("gives a lease to exactly one of many at once", async () => {
    const name = newTenant();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => truth.leaseStore.take(name, `t${i}`, `h${i}`, LONG)),
    );
    expect(new Set(answers.map(({ token }) => token)).size).toBe(1);
  });

  it("renews and gives back what is one's own, and nothing else", async () => {
    const { leaseStore: leases } = truth;
    const name = newTenant();
    const before = await leases.take(name, "t1", "ann", LONG);
    expect(await leases.renew(name, "t2", LONG)).toBe(false);
    await leases.release(name, "t2");
    await sleep(5);
    expect(await leases.renew(name, "t1", 2 * LONG)).toBe(true);
    const seen = await leases.take(name, "t2", "ben", LONG);
    expect(seen).toMatchObject({ token: "t1", takenAt: before.takenAt });
    expect(seen.renewedAt).toBeGreaterThan(before.renewedAt);
    expect(seen.expiresAt - seen.renewedAt).toBe(2 * LONG);
    await leases.release(name, "t1");
    expect(await leases.take(name, "t2", "ben", LONG)).toMatchObject({ token: "t2" });
    expect(await leases.renew(name, "t1", LONG)).toBe(false);
  });

  it("takes a lease from a holder who was not heard of for too long", async () => {
    const { leaseStore: leases } = truth;
    const name = newTenant();
    await leases.take(name, "t1", "ann", 20);
    await sleep(30);
    // Nobody wanted it meanwhile: it may still be kept.
    expect(await leases.renew(name, "t1", 20)).toBe(true);
    await sleep(30);
    expect(await leases.take(name, "t2", "ben", LONG)).toMatchObject({ holder: "ben" });
    expect(await leases.renew(name, "t1", LONG)).toBe(false);
    await leases.release(name, "t1");
    expect(await leases.take(name, "t3", "cid", LONG)).toMatchObject({ holder: "ben" });
  });
});
