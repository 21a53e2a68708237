import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rebuildOnline, type RebuildOnlineOptions } from "../../../cli/rebuild-online.ts";
import { AppError } from "../../../src/errors.ts";
import { stateWrite, type StateKey } from "../../../src/features/online-store.ts";
import type { StateArchive } from "../../../src/features/state-filling.ts";
import { beginFill } from "../../../src/ingest/fill.ts";
import { sweep } from "../../../src/ingest/sweep.ts";
import { MINUTE_MS } from "../../../src/time.ts";
import { withFaults } from "../../support/fakes/with-faults.ts";
import { NOON, openFilledWorld, readingEvent, type World } from "../../support/world.ts";
import { eventsMessage, readView } from "../../support/write-path.ts";

/** Pages of five entities, so that a few make several. */
const inSmallPages = (archive: StateArchive): StateArchive => ({
  ...archive,
  readStates: (tenant, after) => archive.readStates(tenant, after, 5),
});

/** A world of devices, one event each, and the colours of all of them. */
async function openBusyWorld(devices = 12): Promise<World> {
  const world = await openFilledWorld();
  await happen(
    world,
    Array.from({ length: devices }, (_, i) => `d${i}`),
  );
  return world;
}

let events = 0;
/** A new event of each device, taken in and projected. */
async function happen(world: World, devices: readonly string[]): Promise<void> {
  const fresh = devices.map((device) => readingEvent(`e${(events += 1)}`, { device }));
  await world.consume([eventsMessage(fresh)]);
}

interface Run {
  readonly outcome: Promise<Awaited<ReturnType<typeof rebuildOnline>>>;
  readonly told: string[];
}

function rebuild(world: World, parts: Partial<RebuildOnlineOptions> = {}): Run {
  const told: string[] = [];
  const outcome = rebuildOnline({
    archive: inSmallPages(world.archive),
    online: { ...world.online },
    tenants: ["t"],
    keepServing: false,
    total: 13,
    screen: { tell: (line) => void told.push(line) },
    now: () => world.clock.now,
    sleep: async (ms) => void (world.clock.now += ms),
    hold: async () => undefined,
    ...parts,
  });
  return { outcome, told };
}

/** Each device's count, or what a read was refused with. */
async function counts(world: World, devices: readonly string[]): Promise<unknown> {
  try {
    const { results } = await readView(world.online, "t", "by_device", devices, NOON);
    return results.map(({ values }) => values[0]);
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

const DOWN = new AppError("dependency_unavailable", "The online store does not answer.");

describe("rebuilding the online store", () => {
  it("fills a flushed one without queue and Worker, and says what it did", async () => {
    const world = await openBusyWorld();
    world.online.flush();
    const { outcome, told } = rebuild(world);
    // 12 devices and a colour, which has one state as each device has.
    expect(await outcome).toEqual({
      tenants: 1,
      entities: 13,
      states: 13,
      written: 13,
      mended: 0,
    });
    expect(told.at(-1)).toMatch(/^ {2}13 of 13 entities with 13 states, [\d,]+\/s in 0 s$/);
    expect(await counts(world, ["d0", "d11"])).toEqual([1, 1]);
    expect(world.queue.drain()).toEqual([]);
    expect(await rebuild(world).outcome).toMatchObject({ states: 13, written: 0 });
  });

  it("brings one that was restored from a backup up to date, and lets nobody read it before", async () => {
    const world = await openBusyWorld();
    const backup = new Map(world.online.texts);
    await happen(world, ["d0", "d5", "new"]);
    world.truth.revokedKeys.set("t", new Set(["key_leaked"]));
    world.online.texts.clear();
    for (const [key, text] of backup) world.online.texts.set(key, text);
    expect(await counts(world, ["d0", "new"])).toEqual([1, 0]);

    const seen: unknown[] = [];
    const archive = withFaults(inSmallPages(world.archive), {
      after: async () => void seen.push(await counts(world, ["d0", "d5", "new"])),
    });
    const done = await rebuild(world, { archive }).outcome;
    // Two devices and the colour were older, a device was missing.
    expect(done).toMatchObject({ states: 14, written: 4 });
    expect(new Set(seen.slice(0, -1))).toEqual(new Set(["dependency_unavailable"]));
    expect(await counts(world, ["d0", "d5", "new"])).toEqual([2, 2, 1]);
    const { meta } = await world.online.read("t", []);
    expect(meta?.revokedKeys).toEqual(["key_leaked"]);
  });

  it("mends what is damaged at its own version, and keeps what is newer", async () => {
    const world = await openBusyWorld();
    const textOf = (device: string): [string, string] =>
      [...world.online.texts].find(([key]) => key.endsWith(`:${device}`)) ?? ["", ""];
    const [[one, right], [two], [three, old]] = [textOf("d1"), textOf("d2"), textOf("d3")];
    await happen(world, ["d1", "d1"]);
    const newer = textOf("d1")[1];
    // The same version with another state, with what is no state at all, and as if it were erased.
    world.online.texts.set(one, newer.replace(/:s.*/, right.slice(right.indexOf(":"))));
    world.online.texts.set(two, "1:who knows");
    world.online.texts.set(three, "1:x");
    const ahead = textOf("d4")[0];
    world.online.texts.set(ahead, `9${newer}`);
    expect(await counts(world, ["d1"])).toEqual([1]);
    const { outcome } = rebuild(world);
    expect(await outcome).toMatchObject({ states: 13, written: 0, mended: 3 });
    expect(await counts(world, ["d0", "d1", "d2", "d3"])).toEqual([1, 3, 1, 1]);
    expect(world.online.texts.get(three)).toBe(old);
    expect(world.online.texts.get(ahead)).toBe(`9${newer}`);
    expect(await rebuild(world).outcome).toMatchObject({ written: 0, mended: 0 });
  });

  it("leaves what a build writes at the same version beside it", async () => {
    const world = await openBusyWorld();
    let builds = 0;
    const build = async (): Promise<void> => {
      if ((builds += 1) > 1) return;
      const [state] = (await world.archive.readStates("t", null, 50)).states;
      if (state === undefined) throw new Error("there is no state");
      const built = { ...state, bytes: "AAEC" };
      const held = [...world.truth.entities.values()].find(({ key }) => key === state.key);
      const states = (held ?? { states: new Map() }).states as Map<string, unknown>;
      states.set(state.stateId, { version: state.version, bytes: built.bytes });
      await world.online.write([stateWrite(built)], "replace");
    };
    for (const method of ["readStates", "write"]) {
      builds = 0;
      const archive = withFaults(inSmallPages(world.archive), {
        after: async (name) => void (name === method && (await build())),
      });
      const online = withFaults(
        { ...world.online },
        { before: async (name) => void (name === method && (await build())) },
      );
      await rebuild(world, { archive, online }).outcome;
      const [state] = (await world.archive.readStates("t", null, 50)).states;
      expect(state?.bytes).toBe("AAEC");
      const { states } = await world.online.read("t", [state as StateKey]);
      expect(states).toEqual([{ kind: "state", version: state?.version, bytes: "AAEC" }]);
    }
  });

  it("says so where Redis does not give back what is written", async () => {
    const world = await openBusyWorld();
    const online = withFaults(
      { ...world.online },
      {
        after(method) {
          if (method !== "writeMeta") return;
          for (const key of world.online.texts.keys()) {
            if (key.endsWith(":d1")) world.online.texts.set(key, "1:sAAEC");
          }
        },
      },
    );
    await expect(rebuild(world, { online }).outcome).rejects.toThrow(/1 of 5 states are not what/);
  });

  it("lets nobody read tenants either whose turn is still to come", async () => {
    const world = await openBusyWorld();
    await world.archive.nextMeta("u");
    await beginFill(world.ctx(), "u");
    await world.drain();
    const metas = async (): Promise<readonly boolean[]> =>
      Promise.all(
        ["t", "u"].map(async (tenant) => (await world.online.read(tenant, [])).meta !== null),
      );
    expect(await metas()).toEqual([true, true]);
    const seen: (readonly boolean[])[] = [];
    const archive = withFaults(inSmallPages(world.archive), {
      before: async (method) => void (method === "readStates" && seen.push(await metas())),
    });
    const { outcome } = rebuild(world, { archive, tenants: ["t", "u"] });
    expect(await outcome).toMatchObject({ tenants: 2, entities: 13 });
    const [neither, first] = [
      [false, false],
      [true, false],
    ];
    expect(seen).toEqual([neither, neither, neither, first]);
    expect(await metas()).toEqual([true, true]);
  });

  it("lets reads go on from what is there where it is told so", async () => {
    const world = await openBusyWorld();
    const lost = [...world.online.texts.keys()].filter((key) => key.endsWith(":d3"));
    for (const key of lost) world.online.texts.delete(key);
    const seen: unknown[] = [];
    const archive = withFaults(inSmallPages(world.archive), {
      after: async () => void seen.push(await counts(world, ["d0"])),
    });
    const done = await rebuild(world, { archive, keepServing: true }).outcome;
    expect(done).toMatchObject({ states: 13, written: 1 });
    expect(seen.length).toBeGreaterThan(3);
    for (const one of seen) expect(one).toEqual([1]);
    expect(await counts(world, ["d3"])).toEqual([1]);
  });

  it("begins again where it is flushed in the middle, and gives up where that never ends", async () => {
    const world = await openBusyWorld();
    for (const step of ["read", "write", "writeMeta"]) {
      let flushes = 0;
      const online = withFaults(
        { ...world.online },
        {
          after(method) {
            if (method === step && (flushes += 1) === 2) world.online.flush();
          },
        },
      );
      const { outcome, told } = rebuild(world, { online });
      expect(await outcome).toMatchObject({ tenants: 1, entities: 13, states: 13 });
      expect(told.filter((line) => line.includes("Beginning again"))).toHaveLength(1);
      expect(await counts(world, ["d0", "d11"])).toEqual([1, 1]);
    }
    const archive = withFaults(inSmallPages(world.archive), { after: () => world.online.flush() });
    await expect(rebuild(world, { archive }).outcome).rejects.toMatchObject({ code: "conflict" });
    expect(await counts(world, ["d0"])).toBe("dependency_unavailable");
  });

  it("has a filling by the queue give way to it, and none begun while it goes on", async () => {
    const world = await openBusyWorld();
    world.online.flush();
    const small = { archive: inSmallPages(world.archive) };
    await beginFill(world.ctx(small), "t");
    const [first] = world.queue.drain();
    await world.consume([first?.body], small);
    const [second] = world.queue.drain();
    const begun: number[] = [];
    const archive = withFaults(small.archive, {
      async after() {
        await world.consume([second?.body], small);
        world.clock.now += 2 * MINUTE_MS;
        begun.push((await sweep(world.ctx(small))).fillings);
        expect(world.queue.drain()).toEqual([]);
      },
    });
    const { outcome, told } = rebuild(world, { archive });
    expect(await outcome).toMatchObject({ entities: 13 });
    expect(told.join()).not.toContain("Beginning again");
    expect(begun).toEqual([0, 0, 0, 0, 0]);
    expect(await counts(world, ["d0", "d11"])).toEqual([1, 1]);
  });

  it("leaves the rest to the cron when it dies", async () => {
    const world = await openBusyWorld();
    let pages = 0;
    const hold = async (): Promise<void> => {
      if ((pages += 1) === 2) throw new Error("killed");
    };
    await expect(rebuild(world, { hold }).outcome).rejects.toThrow("killed");
    expect(await counts(world, ["d0"])).toBe("dependency_unavailable");
    expect((await sweep(world.ctx())).fillings).toBe(0);
    world.clock.now += 3 * MINUTE_MS + 10;
    expect((await sweep(world.ctx())).fillings).toBe(1);
    await world.drain();
    expect(await counts(world, ["d0", "d11"])).toEqual([1, 1]);
  });

  it("goes on after a store was down for a while, also where only an answer was lost", async () => {
    const world = await openBusyWorld();
    world.online.flush();
    for (const when of ["before", "after"] as const) {
      let calls = 0;
      const online = withFaults(
        { ...world.online },
        {
          [when]() {
            if ((calls += 1) % 4 === 2) throw DOWN;
          },
        },
      );
      const { outcome, told } = rebuild(world, { online });
      expect(await outcome).toMatchObject({ entities: 13 });
      expect(told[0]).toBe("The online store does not answer. Trying again in 1 s.");
      expect(await counts(world, ["d0", "d11"])).toEqual([1, 1]);
    }
    const online = { ...world.online, write: async () => Promise.reject(DOWN) };
    await expect(rebuild(world, { online }).outcome).rejects.toBe(DOWN);
  });

  it("says so where Redis does not keep what is written", async () => {
    const world = await openBusyWorld();
    const online = withFaults(
      { ...world.online },
      {
        after(method) {
          if (method !== "writeMeta") return;
          for (const key of world.online.texts.keys()) {
            if (key.endsWith(":d1")) world.online.texts.delete(key);
          }
        },
      },
    );
    await expect(rebuild(world, { online }).outcome).rejects.toThrow(/1 of 5 states.*evict/);
  });

  it("never shows a wrong count, whatever happens beside it", async () => {
    const devices = ["d0", "d1", "d2", "d3", "d4", "d5", "d6"];
    const happening = fc.oneof(
      { weight: 2, arbitrary: fc.constant("nothing") },
      { weight: 4, arbitrary: fc.constantFrom(...devices) },
      { weight: 2, arbitrary: fc.constantFrom("message", "sweep") },
      { weight: 1, arbitrary: fc.constantFrom("flush", "minutes") },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(happening, { minLength: 10, maxLength: 40 }),
        fc.boolean(),
        async (happenings, two) => {
          const script = [...happenings];
          const world = await openBusyWorld(devices.length);
          const right = new Map(devices.map((device) => [device, 1]));
          const small: StateArchive = {
            ...world.archive,
            readStates: (tenant, after) => world.archive.readStates(tenant, after, 2),
          };
          const check = async (): Promise<void> => {
            const seen = await counts(world, devices);
            expect(["dependency_unavailable", [...right.values()]]).toContainEqual(seen);
          };
          let flushes = 0;
          const step = async (): Promise<void> => {
            const what = script.shift() ?? "nothing";
            if (right.has(what)) {
              await happen(world, [what]);
              right.set(what, (right.get(what) ?? 0) + 1);
            }
            if (what === "flush" && (flushes += 1) < 3) world.online.flush();
            if (what === "minutes") world.clock.now += 4 * MINUTE_MS;
            if (what === "sweep") await sweep(world.ctx({ archive: small }));
            if (what === "message") {
              const [message, ...rest] = world.queue.drain();
              await world.queue.send(rest.map(({ body }) => body));
              if (message !== undefined) await world.consume([message.body], { archive: small });
            }
            await check();
          };
          // One after the other, so that nobody looks while an event is half taken in.
          let last = Promise.resolve();
          const next = (): Promise<void> => (last = last.then(step));
          const parts = {
            archive: withFaults(small, { before: next }),
            online: withFaults({ ...world.online }, { before: next }),
          };
          const runs = [rebuild(world, parts), ...(two ? [rebuild(world, parts)] : [])];
          const failed = (error: unknown): unknown =>
            error instanceof AppError ? error.code : error;
          for (const { outcome } of runs) {
            const end = await outcome.then(() => "done", failed);
            expect(["done", "conflict"]).toContain(end);
          }
          await check();
          world.clock.now += 4 * MINUTE_MS;
          await sweep(world.ctx());
          await world.drain();
          expect(await counts(world, devices)).toEqual([...right.values()]);
        },
      ),
      { numRuns: 40 },
    );
  });
});
