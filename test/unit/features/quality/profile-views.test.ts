import { describe, expect, it } from "vitest";
import { AppError } from "../../../../src/errors.ts";
import type { ViewPlan } from "../../../../src/features/plan.ts";
import type { ProfileStore } from "../../../../src/features/quality/profile-store.ts";
import { profileView, profileViews } from "../../../../src/features/quality/profile-views.ts";
import { readQuality } from "../../../../src/features/quality/read-quality.ts";
import { DAY_MS, HOUR_MS } from "../../../../src/time.ts";
import { createMemoryProfileStore } from "../../../support/fakes/memory-profile-store.ts";
import { registerTenant } from "../../../support/fakes/memory-key-store.ts";
import { NOON, openFilledWorld, reading, type World } from "../../../support/world.ts";
import { eventsMessage, logEventOf, registry } from "../../../support/write-path.ts";

async function openProfiled() {
  const world = await openFilledWorld();
  const profiles = createMemoryProfileStore(world.truth);
  return { world, ctx: { registry, profiles, now: () => world.clock.now } };
}

/** Events of so many devices, in the tenant's name. */
async function fill(world: World, devices: number, tenant = world.tenant): Promise<void> {
  registerTenant(world.truth, tenant);
  const events = Array.from({ length: devices }, (_, i) =>
    logEventOf(reading(`${tenant}e${i}`, { device: `d${i}` }), tenant),
  );
  await world.consume([eventsMessage(events)]);
}

const plan = registry.views.get("by_device") as ViewPlan;

describe("profiling views", () => {
  it("takes one profile an hour of each view and tenant that has entities", async () => {
    const { world, ctx } = await openProfiled();
    expect(await profileViews(ctx)).toBe(0);
    await fill(world, 3);
    await fill(world, 5, "u");
    // Views of devices, of which one has another source and no states, and of colours.
    expect(await profileViews(ctx)).toBe(6);
    expect(await profileViews(ctx)).toBe(0);
    world.clock.now = NOON + HOUR_MS - 1;
    expect(await profileViews(ctx)).toBe(0);
    world.clock.now = NOON + HOUR_MS;
    expect(await profileViews(ctx)).toBe(6);
    const of = async (tenant: string) => (await readQuality(ctx, plan, { tenant })).profile;
    expect(await of("t")).toMatchObject({ entities: 3, notFound: 0, takenAt: NOON + HOUR_MS });
    expect(await of("u")).toMatchObject({ entities: 5 });
    expect(await of("nobody")).toBeNull();
  });

  it("keeps one profile where two crons come at once", async () => {
    const { world, ctx } = await openProfiled();
    await fill(world, 3);
    const kept = await Promise.all([profileViews(ctx), profileViews(ctx)]);
    expect(kept[0] + kept[1]).toBe(3);
    expect(world.truth.profiles).toHaveLength(3);
  });

  it("replaces the hour's profile for who asks now", async () => {
    const { world, ctx } = await openProfiled();
    await fill(world, 3);
    await profileViews(ctx);
    await fill(world, 4);
    world.clock.now += 60_000;
    expect(await profileView(ctx, plan, "t", false)).toBe(false);
    expect(await profileView(ctx, plan, "t", true)).toBe(true);
    expect(world.truth.profiles).toHaveLength(3);
    const { profile } = await readQuality(ctx, plan, { tenant: "t" });
    expect(profile).toMatchObject({ entities: 4, takenAt: NOON + 60_000 });
  });

  it("forgets what is older than sixty days", async () => {
    const { world, ctx } = await openProfiled();
    await fill(world, 3);
    await profileViews(ctx);
    world.clock.now += 60 * DAY_MS;
    await profileViews(ctx);
    expect(world.truth.profiles).toHaveLength(6);
    world.clock.now += HOUR_MS;
    await profileViews(ctx);
    expect(world.truth.profiles).toHaveLength(6);
    expect(Math.min(...world.truth.profiles.map(({ hour }) => hour))).toBe(NOON + 60 * DAY_MS);
  });

  it("goes on after a view that cannot be profiled, and tells of it", async () => {
    const { world, ctx } = await openProfiled();
    await fill(world, 3);
    const down = new AppError("dependency_unavailable", "down");
    const broken: ProfileStore = {
      ...ctx.profiles,
      async readSample(view, entity, size) {
        if (view.stateId === plan.stateId) throw down;
        return ctx.profiles.readSample(view, entity, size);
      },
    };
    await expect(profileViews({ ...ctx, profiles: broken })).rejects.toBe(down);
    expect(world.truth.profiles).toHaveLength(2);
    expect(await profileViews(ctx)).toBe(1);
  });

  it("does a few at a time, and leaves the rest to the next run", async () => {
    const { world, ctx } = await openProfiled();
    for (let i = 0; i < 5; i += 1) await fill(world, 1, `many${i}`);
    const slow: ProfileStore = {
      ...ctx.profiles,
      async readSample(...args) {
        world.clock.now += 8_000;
        return ctx.profiles.readSample(...args);
      },
    };
    expect(await profileViews({ ...ctx, profiles: slow })).toBe(2);
    expect(await profileViews(ctx)).toBe(10);
    expect(await profileViews(ctx)).toBe(3);
    expect(await profileViews(ctx)).toBe(0);
  });
});

describe("the quality of a view", () => {
  it("says why there is less than there should be", async () => {
    const { world, ctx } = await openProfiled();
    const noteAt = async (now: number) => {
      world.clock.now = now;
      return (await readQuality(ctx, plan, { tenant: "t" })).note;
    };
    expect(await noteAt(NOON)).toBe("no profile yet: one is taken every hour");
    await fill(world, 3);
    await profileViews(ctx);
    expect(await noteAt(NOON)).toBe(
      "no baseline yet: the first profile is of 2026-06-15T12:00:00.000Z",
    );
    expect(await noteAt(NOON + 2 * DAY_MS)).toBe(
      "no profile in the window: the last is of 2026-06-15T12:00:00.000Z",
    );
    await profileViews(ctx);
    expect(await noteAt(NOON + 2 * DAY_MS)).toBeNull();
    const other = { ...plan, stateId: "by_device@unknown" };
    expect((await readQuality(ctx, other, { tenant: "t" })).note).toMatch(/npm run apply/);
  });

  it("compares the last day with the seven days before it, or other windows", async () => {
    const { world, ctx } = await openProfiled();
    await fill(world, 30);
    for (let hour = 0; hour < 9 * 24; hour += 3) {
      world.clock.now = NOON + hour * HOUR_MS;
      // After eight days half of the devices are gone from an hour's window, and half are not.
      if (hour >= 8 * 24) await fillAt(world, hour);
      await profileView(ctx, plan, "t", false);
    }
    const quality = await readQuality(ctx, plan, { tenant: "t" });
    const { now } = world.clock;
    expect(quality.window).toEqual({ from: now - DAY_MS, to: now, profiles: 8 });
    expect(quality.baseline).toEqual({ from: now - 8 * DAY_MS, to: now - DAY_MS, profiles: 12 });
    const feature = (name: string) =>
      quality.features.find(({ index }) => plan.features[index]?.name === name);
    expect(feature("n")?.drift).toMatchObject({ reading: "shifted" });
    expect(feature("most")?.drift).toMatchObject({ psi: 0, reading: "stable" });
    expect(feature("n")).toMatchObject({ nullRate: 0, baselineNullRate: 0 });
    const short = await readQuality(ctx, plan, {
      tenant: "t",
      window: 6 * HOUR_MS,
      baseline: 12 * HOUR_MS,
    });
    expect([short.window.profiles, short.baseline.profiles]).toEqual([2, 4]);
  });
});

/** An event of each of fifteen devices, just before that hour. */
async function fillAt(world: World, hour: number): Promise<void> {
  const time = NOON + hour * HOUR_MS - 60_000;
  const events = Array.from({ length: 15 }, (_, i) =>
    logEventOf(reading(`late${hour}.${i}`, { device: `d${i}`, time }), world.tenant),
  );
  await world.consume([eventsMessage(events)]);
}
