import { describe, expect, it } from "vitest";
import { holdLease, LEASE_MS, type HeldLease } from "../../../cli/support/hold-lease.ts";
import { AppError } from "../../../src/errors.ts";
import type { LeaseStore } from "../../../src/planning/lease-store.ts";
import { createMemoryLeaseStore } from "../../support/fakes/memory-lease-store.ts";
import { createMemoryTruth } from "../../support/fakes/memory-truth.ts";

/** A machine whose clock goes on when somebody sleeps; what else happens then is `meanwhile`. */
function machine(meanwhile: (now: number) => Promise<void> | void = () => undefined) {
  const clock = { now: 1_000_000 };
  const leases = createMemoryLeaseStore(createMemoryTruth(), () => clock.now);
  const told: string[] = [];
  const take = (holder: string, store: LeaseStore = leases): Promise<HeldLease> =>
    holdLease({
      leases: store,
      name: "apply",
      holder,
      tell: (line) => void told.push(line),
      clock: () => clock.now,
      async sleep(ms) {
        clock.now += ms;
        await meanwhile(clock.now);
      },
    });
  return { clock, leases, told, take };
}

const refusal = (taking: Promise<unknown>): Promise<string> =>
  taking.then(
    () => "not refused",
    (error: unknown) => (error instanceof AppError ? `${error.code}: ${error.message}` : "other"),
  );

describe("holding a lease", () => {
  it("refuses a second one while the first lives, and says who and since when", async () => {
    const held: HeldLease[] = [];
    const { take, told } = machine(async () => {
      for (const lease of held) await lease.hold();
    });
    held.push(await take("ann@host (process 7)"));
    expect(await refusal(take("ben"))).toBe(
      'conflict: "apply" is being run by ann@host (process 7), since 1970-01-01T00:16:40.000Z: ' +
        "begin again when that has ended.",
    );
    expect(told).toHaveLength(1);
    await held[0]?.release();
    const second = await take("ben");
    await second.hold();
    await second.release();
  });

  it("lets a second one in at once when the first has ended meanwhile", async () => {
    const ending: HeldLease[] = [];
    const { take, clock } = machine(async () => ending.pop()?.release());
    const first = await take("ann");
    ending.push(first);
    const before = clock.now;
    await (await take("ben")).hold();
    expect(clock.now - before).toBeLessThan(LEASE_MS / 10);
  });

  it("takes over from one that died, as soon as its lease expires", async () => {
    const { take, clock, leases } = machine();
    await leases.take("apply", "dead", "ann", LEASE_MS);
    const before = clock.now;
    const second = await take("ben");
    expect(clock.now - before).toBe(LEASE_MS);
    await second.hold();
  });

  it("gives way to whoever takes over first", async () => {
    const { take, clock, leases, told } = machine(async (now) => {
      if (now >= 1_000_000 + LEASE_MS) await leases.take("apply", "quicker", "cid", LEASE_MS);
    });
    await leases.take("apply", "dead", "ann", LEASE_MS);
    expect(await refusal(take("ben"))).toMatch(/run by cid/);
    expect(told[0]).toMatch(/run by ann/);
    expect(clock.now).toBe(1_000_000 + LEASE_MS);
  });

  it("stops a holder that was asleep for so long that somebody took over", async () => {
    const { take, clock } = machine();
    const first = await take("ann");
    clock.now += LEASE_MS - 1;
    await first.hold();
    clock.now += LEASE_MS + 1;
    // Nobody wanted it: it goes on.
    await first.hold();
    clock.now += LEASE_MS + 1;
    const second = await take("ben");
    expect(await refusal(first.hold())).toMatch(/^conflict: "apply" is somebody else's/);
    expect(await refusal(first.hold())).toMatch(/^conflict/);
    await first.release();
    await second.hold();
  });

  it("renews now and then, and fails with the store where that fails", async () => {
    const { take, clock, leases } = machine();
    let renewals = 0;
    let down = false;
    const store: LeaseStore = {
      ...leases,
      async renew(...args) {
        renewals += 1;
        if (down) throw new AppError("dependency_unavailable", "down");
        return leases.renew(...args);
      },
    };
    const lease = await take("ann", store);
    for (let i = 0; i < 100; i += 1) {
      clock.now += 100;
      await lease.hold();
    }
    expect(renewals).toBe(2);
    down = true;
    clock.now += 10_000;
    expect(await refusal(lease.hold())).toBe("dependency_unavailable: down");
    down = false;
    await lease.hold();
    await lease.release();
  });
});
