import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Span } from "../../src/features/quality/profile-store.ts";
import type { ViewProfile } from "../../src/features/quality/view-profile.ts";
import { createProfileStore } from "../../src/platform/neon/profile-store.ts";
import type { SqlClient } from "../../src/platform/neon/sql-client.ts";
import { DAY_MS, HOUR_MS } from "../../src/time.ts";
import { append, foldOf } from "../support/event-log-calls.ts";
import { logEvent, newTenant } from "../support/log-events.ts";
import { sqlTruths, truths, type SqlTruth, type Truth } from "../support/stores.ts";

const NOON = Date.UTC(2026, 5, 15, 12);
const MANY = { entities: 1_000, bytes: 1e6 };
const ALWAYS: Span = { from: 0, to: 4 * NOON };

const profileAt = (takenAt: number, changes: Partial<ViewProfile> = {}): ViewProfile => ({
  takenAt,
  entities: 3,
  notFound: 1,
  outsideMaxAge: 0,
  newestEvent: takenAt - 5,
  newestIngest: takenAt - 4,
  ages: null,
  features: new Map(),
  ...changes,
});

/** A kind of entity and a view of it that no other test uses. */
function newView() {
  const entity = newTenant();
  const stateId = `view_${entity}@1`;
  const registered = { name: `view_${entity}`, specHash: "1", entity, spec: "{}", stateId };
  return { entity, stateId, registered };
}

/** Folds an event into each of the entities; `<key> <bytes>` is the state of each. */
async function fill(
  truth: Truth,
  tenant: string,
  { entity, stateId }: ReturnType<typeof newView>,
  keys: readonly string[],
  size = 0,
): Promise<void> {
  const events = [logEvent(tenant, `${entity}${keys[0]}`)];
  const touched = keys.map((key) => ({ tenant, entity, key }));
  const { entities } = await append(truth.eventLog, events, touched, { stateIds: [stateId] });
  const bytes = (key: string): string => btoa(`${key} ${"x".repeat(size)}`);
  const states = (key: string) => [
    { stateId, bytes: bytes(key) },
    { stateId: `${stateId}other`, bytes: btoa("other") },
  ];
  await truth.eventLog.commit(
    entities.map((one) => foldOf(one, { states: states(one.key) })),
    6_000,
  );
}

const keysOf = (states: readonly string[]): readonly string[] =>
  states.map((bytes) => atob(bytes).split(" ")[0] ?? "");
const numbered = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `k${i}`);

describe.each(truths())("the profile store %s", (_name, open) => {
  let truth: Truth;
  beforeAll(async () => void (truth = await open()));
  afterAll(() => truth.close());

  const keep = (tenant: string, stateId: string, profile: ViewProfile, replace = false) =>
    truth.profileStore.keep({ tenant, stateId }, profile, { replace, keepFrom: 0 });
  const read = (tenant: string, stateId: string, spans: readonly Span[], most = 100) =>
    truth.profileStore.readProfiles({ tenant, stateId }, spans, most);

  it("samples a view's states: always the same ones, a smaller sample within a larger", async () => {
    const view = newView();
    const [tenant, neighbour] = [newTenant(), newTenant()];
    await fill(truth, tenant, view, numbered(200));
    await fill(truth, neighbour, view, ["theirs"]);
    const sample = async (entities: number) =>
      keysOf(
        await truth.profileStore.readSample({ tenant, stateId: view.stateId }, view.entity, {
          ...MANY,
          entities,
        }),
      );
    const all = await sample(1_000);
    expect(all.toSorted()).toEqual(numbered(200).toSorted());
    expect(all).not.toEqual(numbered(200));
    for (const size of [1, 3, 50, 199]) expect(await sample(size)).toEqual(all.slice(0, size));
    await fill(truth, tenant, view, ["new"]);
    const more = await sample(1_000);
    expect(more.filter((key) => key !== "new")).toEqual(all);
    const nobody = { tenant: newTenant(), stateId: view.stateId };
    expect(await truth.profileStore.readSample(nobody, view.entity, MANY)).toEqual([]);
  });

  it("ends a sample before it is too large, and leaves out whom was erased", async () => {
    const view = newView();
    const tenant = newTenant();
    await fill(truth, tenant, view, numbered(10), 97);
    const sample = (bytes: number) =>
      truth.profileStore.readSample({ tenant, stateId: view.stateId }, view.entity, {
        entities: 10,
        bytes,
      });
    const all = keysOf(await sample(1_000));
    expect(all).toHaveLength(10);
    expect(keysOf(await sample(999))).toEqual(all.slice(0, 9));
    expect(keysOf(await sample(99))).toEqual([]);
    await truth.putTombstone({ tenant, entity: view.entity, key: all[0] ?? "" }, 1);
    expect(keysOf(await sample(1_000))).toEqual(all.slice(1));
  });

  it("finds views that are due, who waited longest first", async () => {
    const [view, other] = [newView(), newView()];
    const [tenant, second, empty] = ["a", "b", "c"].map((name) => `${name}${newTenant()}`) as [
      string,
      string,
      string,
    ];
    for (const one of [tenant, second, empty]) await truth.keyStore.registerTenant(one, 1);
    await truth.definitionStore.registerViews([view.registered, other.registered], 1);
    await fill(truth, tenant, view, ["k"]);
    await fill(truth, second, view, ["k"]);
    await fill(truth, second, other, ["k"]);
    const due = async (hour: number, limit = 10) =>
      truth.profileStore.findDue([view.stateId, other.stateId, "unknown@1"], hour, limit);
    const of = (one: string, { stateId } = view) => ({ tenant: one, stateId });
    const byState = [of(second), of(second, other)].toSorted((a, b) =>
      a.stateId < b.stateId ? -1 : 1,
    );
    expect(await due(NOON)).toEqual([of(tenant), ...byState]);
    expect(await due(NOON, 1)).toEqual([of(tenant)]);
    await keep(tenant, view.stateId, profileAt(NOON + 5));
    expect(await due(NOON)).toEqual(byState);
    await keep(second, view.stateId, profileAt(NOON - 2 * HOUR_MS));
    expect(await due(NOON)).toEqual([of(second, other), of(second)]);
    expect(await due(NOON + HOUR_MS)).toEqual([of(second, other), of(second), of(tenant)]);
    expect(await due(NOON - HOUR_MS)).toEqual([of(second, other), of(second)]);
    await truth.definitionStore.registerViews([view.registered], 2);
    expect(await due(NOON)).toEqual([of(second)]);
  });

  it("does not find a view that is not completely built", async () => {
    const [old, view] = [newView(), newView()];
    const tenant = newTenant();
    await truth.keyStore.registerTenant(tenant, 1);
    await truth.definitionStore.registerViews([old.registered], 1);
    await fill(truth, tenant, { ...view, entity: old.entity }, ["k"]);
    const registered = { ...view.registered, entity: old.entity };
    await truth.definitionStore.registerViews([old.registered, registered], 2);
    expect(await truth.profileStore.findDue([view.stateId], NOON, 9)).toEqual([]);
    expect((await read(tenant, view.stateId, [])).version).toBeNull();
    await truth.definitionStore.markComplete(view.stateId);
    expect(await truth.profileStore.findDue([view.stateId], NOON, 9)).toHaveLength(1);
    expect((await read(tenant, view.stateId, [])).version).toBe(1);
  });

  it("keeps one profile of an hour, whoever comes at once", async () => {
    const [tenant, stateId] = [newTenant(), "spend@1"];
    const kept = await Promise.all(
      [1, 2, 3, 4].map((entities) => keep(tenant, stateId, profileAt(NOON, { entities }))),
    );
    expect(kept.filter(Boolean)).toHaveLength(1);
    expect(await keep(tenant, stateId, profileAt(NOON + HOUR_MS - 1))).toBe(false);
    const { spans } = await read(tenant, stateId, [ALWAYS]);
    expect(spans[0]).toEqual([profileAt(NOON, { entities: kept.indexOf(true) + 1 })]);
    expect(await keep(tenant, stateId, profileAt(NOON + HOUR_MS))).toBe(true);
    expect(await keep(newTenant(), stateId, profileAt(NOON))).toBe(true);
    expect(await keep(tenant, "spend@2", profileAt(NOON))).toBe(true);
  });

  it("replaces the profile of an hour where it is told to, by a later one alone", async () => {
    const [tenant, stateId] = [newTenant(), "spend@1"];
    await keep(tenant, stateId, profileAt(NOON + 9));
    expect(await keep(tenant, stateId, profileAt(NOON + 10, { entities: 7 }), true)).toBe(true);
    expect(await keep(tenant, stateId, profileAt(NOON + 8, { entities: 8 }), true)).toBe(false);
    const { spans, first, last } = await read(tenant, stateId, [ALWAYS]);
    expect(spans[0]).toEqual([profileAt(NOON + 10, { entities: 7 })]);
    expect([first, last]).toEqual([NOON + 10, NOON + 10]);
  });

  it("gives a profile back as it was kept, each digit", async () => {
    const [tenant, stateId] = [newTenant(), "spend@1"];
    const profile = profileAt(NOON, {
      newestEvent: null,
      ages: { min: -0.1, max: 1.7976931348623157e308, mean: 1 / 3, sketch: new Map([[-3, 2]]) },
      features: new Map([
        ["a", { nulls: 1, values: 0, numbers: null, texts: null }],
        [
          "b[12]",
          {
            nulls: 0,
            values: 6,
            numbers: {
              min: 0,
              max: 2,
              mean: 1,
              sketch: new Map([
                [0, 1],
                [1_500, 2],
              ]),
            },
            texts: {
              commonest: new Map([
                ["10", 2],
                ['ぶどう " \\ ', 1],
                ["__proto__", 1],
              ]),
              others: 2,
            },
          },
        ],
      ]),
    });
    await keep(tenant, stateId, profile);
    expect((await read(tenant, stateId, [ALWAYS])).spans).toEqual([[profile]]);
  });

  it("reads windows of a view's profiles, their ends included, at most so many of each", async () => {
    const [tenant, stateId] = [newTenant(), "spend@1"];
    const hours = [0, 1, 2, 3, 4, 5, 23, 24].map((hour) => NOON + hour * HOUR_MS + 60_000);
    for (const at of hours.toReversed()) await keep(tenant, stateId, profileAt(at));
    await keep(newTenant(), stateId, profileAt(NOON));
    const times = async (spans: readonly Span[], most?: number) =>
      (await read(tenant, stateId, spans, most)).spans.map((span) =>
        span.map(({ takenAt }) => (takenAt - NOON - 60_000) / HOUR_MS),
      );
    const [first = 0] = hours;
    const all = { from: first - HOUR_MS, to: first + 99 * HOUR_MS };
    expect(await times([all, { from: first, to: first + 2 * HOUR_MS }])).toEqual([
      [0, 1, 2, 3, 4, 5, 23, 24],
      [1, 2],
    ]);
    const day = { from: first - HOUR_MS, to: first + 5 * HOUR_MS };
    expect(await times([day], 3)).toEqual([[1, 3, 5]]);
    expect(await times([day], 2)).toEqual([[2, 5]]);
    expect(await times([day, { from: 0, to: 1 }, day], 1)).toEqual([[5], [], [5]]);
    const none = await read(newTenant(), stateId, [ALWAYS, day]);
    expect(none).toEqual({ version: null, first: null, last: null, spans: [[], []] });
    const { first: oldest, last } = await read(tenant, stateId, [{ from: 0, to: 1 }]);
    expect([oldest, last]).toEqual([hours[0], hours.at(-1)]);
  });

  it("forgets profiles that are too old, whosever they are", async () => {
    const [tenant, neighbour] = [newTenant(), newTenant()];
    // Long before all other tests' profiles, which are not to be forgotten.
    const then = NOON - 900 * DAY_MS;
    for (const at of [0, 1, 2]) await keep(neighbour, "gone@1", profileAt(then + at * HOUR_MS));
    const keepFrom = then + 2 * HOUR_MS;
    await truth.profileStore.keep({ tenant, stateId: "spend@1" }, profileAt(NOON), {
      replace: false,
      keepFrom,
    });
    const { spans } = await read(neighbour, "gone@1", [ALWAYS]);
    expect(spans[0]?.map(({ takenAt }) => takenAt)).toEqual([keepFrom]);
  });
});

describe.each(sqlTruths())("a sample's plan %s", (_name, open) => {
  let truth: SqlTruth;
  beforeAll(async () => void (truth = await open()));
  afterAll(() => truth.close());

  it("finds the lowest hashes in their index", async () => {
    const plans: string[] = [];
    const explain: SqlClient = {
      batch: async () => [],
      async query(text, params) {
        // Small tables are read whole, whatever indexes they have.
        const [, rows = []] = await truth.batch([
          { text: "SET LOCAL enable_seqscan = off", params: [] },
          { text: `EXPLAIN ${text}`, params },
        ]);
        plans.push(rows.map((row) => row["QUERY PLAN"]).join("\n"));
        return [];
      },
    };
    const view = newView();
    const { stateId, entity } = view;
    await fill(truth, newTenant(), view, numbered(300));
    await createProfileStore(explain).readSample({ tenant: newTenant(), stateId }, entity, MANY);
    expect(plans[0]).toMatch(/Index (Only )?Scan using entity_states_sample/);
  });
});
