import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { EntityCommit, EntityRef, EntitySnapshot } from "../../src/features/event-log.ts";
import { contributionsOf, logEvent, newTenant } from "../support/log-events.ts";
import { inAnyOrder, seededRandom } from "../support/random.ts";
import { truths, type Truth } from "../support/stores.ts";

/** The embedded Postgres runs one statement at a time; a server runs these at once. */
const CONSUMERS = 6;

describe.each(truths())("consumers at once %s", (_name, open) => {
  let truth: Truth;
  let random: () => number;
  beforeAll(async () => void (truth = await open()));
  beforeEach(() => void (random = seededRandom()));
  afterAll(() => truth.close());

  const shuffle = <T>(items: readonly T[]): readonly T[] => inAnyOrder(items, random);

  const entities = (tenant: string, count: number): readonly EntityRef[] =>
    Array.from({ length: count }, (_, i) => ({ tenant, entity: "customer", key: `c${i}` }));

  const inParallel = <T>(times: number, work: (index: number) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: times }, (_, index) => work(index)));

  const look = async (refs: readonly EntityRef[]): Promise<readonly EntitySnapshot[]> => {
    const input = { events: [], contributions: [], touched: refs, stateIds: ["s@1"], now: 1 };
    return (await truth.eventLog.append(input)).entities;
  };

  /** The state is the number of events that it holds, so that a lost or doubled one shows. */
  function fold(snapshot: EntitySnapshot): EntityCommit {
    const { tenant, entity, key, version, builds, states, pending } = snapshot;
    const held = states.get("s@1");
    const count = (held === undefined ? 0 : Number(atob(held))) + pending.length;
    return {
      tenant,
      entity,
      key,
      readVersion: version,
      builds,
      folded: pending.map(({ source, eventId }) => ({ source, eventId })),
      poisoned: [],
      states: [{ stateId: "s@1", bytes: btoa(String(count)) }],
    };
  }

  async function foldUntilDone(refs: readonly EntityRef[]): Promise<void> {
    for (let waiting = refs; waiting.length > 0;) {
      const open_ = (await look(shuffle(waiting))).filter(({ pending }) => pending.length > 0);
      const { won } = await truth.eventLog.commit(open_.map(fold), 9);
      waiting = open_.filter((_, index) => won[index] !== true);
    }
  }

  async function expectEachOnce(refs: readonly EntityRef[], ids: readonly string[]): Promise<void> {
    for (const [index, snapshot] of (await look(refs)).entries()) {
      expect(snapshot).toMatchObject({ version: ids.length, pending: [] });
      expect(atob(snapshot.states.get("s@1") ?? "")).toBe(String(ids.length));
      const log = await truth.readLog(refs[index] ?? snapshot);
      const parts = log.map((line) => /^(\d+):(.*)@/.exec(line) ?? []);
      expect(parts.map(([, version]) => Number(version))).toEqual(ids.map((_, i) => i + 1));
      expect(new Set(parts.map(([, , id]) => id))).toEqual(new Set(ids));
    }
  }

  it("accept an event once, however many bring it", async () => {
    const tenant = newTenant();
    const touched = entities(tenant, 3);
    const events = Array.from({ length: 40 }, (_, i) => logEvent(tenant, `e${i}`));
    const answers = await inParallel(CONSUMERS, async () => {
      const mine = shuffle(events);
      const contributions = contributionsOf(mine, touched);
      const input = { events: mine, contributions, touched, stateIds: [], now: 1 };
      return (await truth.eventLog.append(input)).verdicts;
    });
    const all = answers.flat();
    expect(all.filter((verdict) => verdict === "accepted")).toHaveLength(events.length);
    expect(all.every((verdict) => ["accepted", "duplicate", "unsettled"].includes(verdict))).toBe(
      true,
    );
    const input = { events, contributions: [], touched: [], stateIds: [], now: 1 };
    const settled = await truth.eventLog.append(input);
    expect(new Set(settled.verdicts)).toEqual(new Set(["duplicate"]));
    await inParallel(CONSUMERS, () => foldUntilDone(touched));
    const ids = events.map(({ eventId }) => eventId);
    await expectEachOnce(touched, ids);
  });

  it("let one of them win each entity, in whatever order they name them", async () => {
    const tenant = newTenant();
    const touched = entities(tenant, 300);
    const events = [logEvent(tenant, "e")];
    const contributions = contributionsOf(events, touched);
    await truth.eventLog.append({ events, contributions, touched, stateIds: [], now: 1 });
    const commits = (await look(touched)).map(fold);
    const before = truth.requests();
    const answers = await inParallel(CONSUMERS, async () => {
      const mine = shuffle(commits);
      // A deadlock would be one request more.
      const { won } = await truth.eventLog.commit(mine, 9);
      return mine.filter((_, index) => won[index]).map(({ key }) => key);
    });
    expect(truth.requests()).toBe(before === null ? null : before + CONSUMERS);
    const winners = answers.flat();
    expect(winners).toHaveLength(touched.length);
    expect(new Set(winners).size).toBe(touched.length);
    await expectEachOnce(touched.slice(0, 20), ["e"]);
  });

  it("fold each event once for each entity, in one request a call: no deadlock is retried", async () => {
    const tenant = newTenant();
    const before = truth.requests();
    const touched = entities(tenant, 8);
    const rounds = 4;
    const ids = await inParallel(CONSUMERS, async (consumer) => {
      const mine: string[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const events = ["a", "b"].map((id) => logEvent(tenant, `${consumer}-${round}-${id}`));
        mine.push(...events.map(({ eventId }) => eventId));
        const contributions = contributionsOf(events, shuffle(touched));
        const input = { events, contributions, touched: shuffle(touched), stateIds: ["s@1"] };
        const appended = await truth.eventLog.append({ ...input, now: 1 });
        const commits = appended.entities.filter(({ pending }) => pending.length > 0).map(fold);
        const { won } = await truth.eventLog.commit(commits, 9);
        const winners = commits.filter((_, index) => won[index]);
        await truth.eventLog.settleOutbox(
          shuffle(winners).map(({ readVersion, folded, ...ref }) => ({
            ...ref,
            version: readVersion + folded.length,
          })),
        );
      }
      return mine;
    });
    const calls = CONSUMERS * rounds * 3;
    expect(truth.requests()).toBe(before === null ? null : before + calls);
    await foldUntilDone(touched);
    await expectEachOnce(touched, ids.flat());
  });

  it("keep an entity in the outbox until its newest version is settled", async () => {
    const tenant = newTenant();
    const touched = entities(tenant, 4);
    await inParallel(CONSUMERS, async (consumer) => {
      for (let round = 0; round < 2; round += 1) {
        const events = [logEvent(tenant, `${consumer}-${round}`)];
        const contributions = contributionsOf(events, touched);
        await truth.eventLog.append({ events, contributions, touched, stateIds: [], now: 1 });
        await foldUntilDone(touched);
        // Somebody else's projection, always behind.
        const settled = await look(touched);
        await truth.eventLog.settleOutbox(
          settled.map((ref) => ({ ...ref, version: ref.version - 1 })),
        );
      }
    });
    const waiting = async (): Promise<number> =>
      (await truth.eventLog.findUnfinished(1e15, 100_000)).filter((ref) => ref.tenant === tenant)
        .length;
    expect(await waiting()).toBe(touched.length);
    await truth.eventLog.settleOutbox(await look(touched));
    expect(await waiting()).toBe(0);
  });

  it("build a state beside them only for a version that stands", async () => {
    const tenant = newTenant();
    const touched = entities(tenant, 8);
    const add = async (id: string): Promise<void> => {
      const events = [logEvent(tenant, id)];
      const contributions = contributionsOf(events, touched);
      await truth.eventLog.append({ events, contributions, touched, stateIds: [], now: 1 });
      await foldUntilDone(touched);
    };
    await add("first");
    const build = async (): Promise<void> => {
      const states = (await look(shuffle(touched))).map(({ tenant: t, entity, key, version }) => ({
        tenant: t,
        entity,
        key,
        version,
        stateId: "built@1",
        bytes: btoa(String(version)),
      }));
      await truth.definitionStore.putBuiltStates(states);
    };
    await Promise.all([
      inParallel(4, (index) => add(`e${index}`)),
      inParallel(4, build),
      inParallel(4, build),
    ]);
    await build();
    const { states } = await truth.stateArchive.readStates(tenant, null, 100);
    const built = states.filter(({ stateId }) => stateId === "built@1");
    expect(built.map(({ bytes }) => atob(bytes))).toEqual(touched.map(() => "5"));
    expect(built.every(({ version }) => version === 5)).toBe(true);
  });

  it("number metas without repeats, and never forget a revoked key", async () => {
    const tenant = newTenant();
    const metas = await inParallel(CONSUMERS, async (index) => {
      await truth.keyStore.revoke(tenant, `key_${index}`, 1);
      return truth.stateArchive.nextMeta(tenant);
    });
    const inOrder = metas.toSorted((a, b) => a.revision - b.revision);
    expect(new Set(inOrder.map(({ revision }) => revision)).size).toBe(CONSUMERS);
    const sizes = inOrder.map(({ revokedKeys }) => revokedKeys.length);
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    expect(sizes.at(-1)).toBe(CONSUMERS);
  });

  it("register the same views under the same versions", async () => {
    const suffix = newTenant();
    const views = ["a", "b"].map((name) => ({
      name: `${name}_${suffix}`,
      stateId: `${name}@${suffix}`,
      specHash: suffix,
      spec: "{}",
      entity: `entity_${suffix}`,
    }));
    const other = views.map((view) => ({ ...view, stateId: `${view.stateId}2`, specHash: "2" }));
    await inParallel(CONSUMERS, (index) =>
      truth.definitionStore.registerViews(index % 2 === 0 ? views : other, 1),
    );
    const listed = (await truth.definitionStore.listViews()).filter(({ name }) =>
      name.endsWith(suffix),
    );
    expect(listed.map(({ name, version }) => [name, version])).toEqual([
      [`a_${suffix}`, 1],
      [`a_${suffix}`, 2],
      [`b_${suffix}`, 1],
      [`b_${suffix}`, 2],
    ]);
  });
});
