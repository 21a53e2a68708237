import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DerivedEvent, EntityRef, EventLog } from "../../src/features/event-log.ts";
import { createEventLog } from "../../src/platform/neon/event-log.ts";
import type { SqlClient } from "../../src/platform/neon/sql-client.ts";
import {
  append,
  customer,
  foldOf,
  look,
  merchant,
  refs,
  unfinished,
} from "../support/event-log-calls.ts";
import { logEvent, newTenant } from "../support/log-events.ts";
import { expectMetPlan, wanted } from "../support/met-queries.ts";
import { sqlTruths, truths, type SqlTruth, type Truth } from "../support/stores.ts";

const meeting = (tenant: string, key = "k"): EntityRef => ({ tenant, entity: "pairs@1", key });

const made = (
  tenant: string,
  eventId: string,
  entities: readonly EntityRef[],
  fields: { readonly follows?: string; readonly ingestTime?: number } = {},
): DerivedEvent => {
  const { follows = null, ingestTime = 2_000 } = fields;
  const sign = follows === null ? 1 : -1;
  const event = logEvent(tenant, eventId, { source: "pairs@1", ingestTime, sign });
  return { event, entities, follows };
};

describe.each(truths())("folds that make events %s", (_name, open) => {
  let truth: Truth;
  let log: EventLog;
  beforeAll(async () => {
    truth = await open();
    log = truth.eventLog;
  });
  afterAll(() => truth.close());

  /** Folds what waits where sources meet, and so makes events. */
  async function derive(ref: EntityRef, derived: readonly DerivedEvent[], now = 6_000) {
    const fold = foldOf(await look(log, ref), { states: [], derived });
    return (await log.commit([fold], now)).won[0];
  }

  const idsOf = async (ref: EntityRef): Promise<readonly string[]> =>
    (await look(log, ref)).pending.map(({ eventId }) => eventId).toSorted();

  it("store them and give them to their entities with the commit, whole", async () => {
    const tenant = newTenant();
    await append(log, [logEvent(tenant, "1")], [meeting(tenant)]);
    const derived = [
      made(tenant, "a", [customer(tenant), merchant(tenant)]),
      made(tenant, "b", [customer(tenant)]),
      made(tenant, "c", []),
    ];
    expect(await derive(meeting(tenant), derived)).toBe(true);
    expect(
      (await look(log, customer(tenant))).pending.toSorted((a, b) =>
        a.eventId < b.eventId ? -1 : 1,
      ),
    ).toEqual([derived[0]?.event, derived[1]?.event]);
    expect(await idsOf(merchant(tenant))).toEqual(["a"]);
    expect(await truth.readLog(meeting(tenant))).toEqual(["1:1@6000"]);
    // Nothing of it is to be projected; what it gave waits since then.
    expect(await unfinished(log, tenant)).toEqual(["customer:c1", "merchant:m1"]);
    expect(await unfinished(log, tenant, 6_000)).toEqual([]);
  });

  it("store nothing of a fold that is lost, and nothing twice", async () => {
    const tenant = newTenant();
    await append(log, [logEvent(tenant, "1")], [meeting(tenant)]);
    const stale = foldOf(await look(log, meeting(tenant)), {
      states: [],
      derived: [made(tenant, "never", [customer(tenant)])],
    });
    expect(await derive(meeting(tenant), [made(tenant, "a", [customer(tenant)])])).toBe(true);
    expect(await log.commit([stale], 7_000)).toEqual({ won: [false] });
    expect(await idsOf(customer(tenant))).toEqual(["a"]);
    await append(log, [logEvent(tenant, "2")], [meeting(tenant)]);
    const again = [made(tenant, "a", [merchant(tenant)]), made(tenant, "b", [merchant(tenant)])];
    expect(await derive(meeting(tenant), again)).toBe(true);
    expect(await idsOf(merchant(tenant))).toEqual(["b"]);
  });

  it("store nothing for an entity that was erased since, nor what would take that back", async () => {
    const tenant = newTenant();
    await truth.putTombstone(merchant(tenant), 2_500);
    await append(log, [logEvent(tenant, "1")], [meeting(tenant)]);
    const both = [customer(tenant), merchant(tenant)];
    await derive(meeting(tenant), [
      made(tenant, "old", both),
      made(tenant, "old-", both, { follows: "old", ingestTime: 2_600 }),
      made(tenant, "new", both, { ingestTime: 2_600 }),
      made(tenant, "new-", both, { follows: "new", ingestTime: 2_600 }),
      made(tenant, "other", [customer(tenant)]),
    ]);
    expect(await idsOf(customer(tenant))).toEqual(["new", "new-", "other"]);
    expect(await idsOf(merchant(tenant))).toEqual(["new", "new-"]);
    await append(log, [logEvent(tenant, "2")], [meeting(tenant)]);
    await derive(meeting(tenant), [
      made(tenant, "old+", both, { follows: "old", ingestTime: 2_700 }),
      made(tenant, "other-", [customer(tenant)], { follows: "other", ingestTime: 2_700 }),
    ]);
    expect(await idsOf(customer(tenant))).toEqual(["new", "new-", "other", "other-"]);
  });

  it("are left out of what is unfinished where nobody knows how to fold them", async () => {
    const tenant = newTenant();
    await append(log, [logEvent(tenant, "1")], [meeting(tenant), customer(tenant)]);
    const found = async (joins?: readonly string[]) =>
      (await log.findUnfinished(1e15, 100_000, joins))
        .filter((ref) => ref.tenant === tenant)
        .map(({ entity }) => entity)
        .toSorted();
    expect(await found()).toEqual(["customer", "pairs@1"]);
    expect(await found([])).toEqual(["customer"]);
    expect(await found(["pairs@2"])).toEqual(["customer"]);
    expect(await found(["pairs@1"])).toEqual(["customer", "pairs@1"]);
  });

  it("know an event that was given later since the time that was said, never later than now", async () => {
    const tenant = newTenant();
    const events = [
      logEvent(tenant, "a"),
      logEvent(tenant, "b", { knownAt: 40 }),
      logEvent(tenant, "c", { knownAt: 40 }),
      logEvent(tenant, "d"),
    ];
    await append(log, events, [merchant(tenant)]);
    const known = [50, 45, null, 99_000];
    const missed = refs(events).map((ref, i) => ({
      ...customer(tenant),
      ...ref,
      knownAt: known[i] ?? null,
    }));
    expect(await truth.definitionStore.addContributions(missed, 5_000)).toBe(4);
    const snapshot = await look(log, customer(tenant));
    const given = new Map(snapshot.pending.map(({ eventId, knownAt }) => [eventId, knownAt]));
    expect(["a", "b", "c", "d"].map((id) => given.get(id))).toEqual([50, 45, 40, 99_000]);
    const folded = snapshot.pending.toSorted((a, b) => (a.eventId < b.eventId ? -1 : 1));
    await log.commit([foldOf(snapshot, { folded: refs(folded) })], 6_000);
    const lines = ["1:a@50", "2:b@45", "3:c@40", "4:d@6000"];
    expect(await truth.readLog(customer(tenant))).toEqual(lines);
  });
});

describe.each(sqlTruths())("the plans of folds that make events %s", (_name, open) => {
  let truth: SqlTruth;
  beforeAll(async () => void (truth = await open()));
  afterAll(() => truth.close());

  it("look rows up one by one, and what met by its source and time", async () => {
    const tenant = newTenant();
    const keys = Array.from({ length: 300 }, (_, i) => `k${i}`);
    const met = keys.map((key) => meeting(tenant, key));
    const long = Array.from({ length: 2_000 }, (_, i) =>
      logEvent(tenant, `l${i}`, { eventTime: i }),
    );
    await append(truth.eventLog, long, met.slice(0, 1));
    const fold = foldOf(await look(truth.eventLog, met[0] as EntityRef), {
      states: [],
      derived: [],
    });
    await truth.eventLog.commit([fold], 6_000);
    await append(truth.eventLog, [logEvent(tenant, "1")], met);
    await truth.query("DELETE FROM pending");
    for (const table of ["pending", "entity_log", "events", "entity_heads", "erasures"]) {
      await truth.query(`VACUUM (ANALYZE, TRUNCATE false) ${table}`);
    }
    const plans: string[] = [];
    const explain: SqlClient = {
      async batch([settings, statement]) {
        const { text = "", params = [] } = statement ?? {};
        const explained = { text: `EXPLAIN ${text}`, params };
        const [, rows = []] = await truth.batch([settings ?? explained, explained]);
        plans.push(rows.map((row) => row["QUERY PLAN"]).join("\n"));
        return [];
      },
      async query(text, params) {
        const rows = await truth.query(`EXPLAIN ${text}`, params);
        plans.push(rows.map((row) => row["QUERY PLAN"]).join("\n"));
        return [];
      },
    };
    const log = createEventLog(explain);
    const snapshot = await look(truth.eventLog, meeting(tenant, "k0"));
    const commits = keys.map((key) => ({
      ...foldOf(snapshot, { states: [] }),
      key,
      derived: [
        made(tenant, key, [customer(tenant, key)]),
        made(tenant, `${key}-`, [], { follows: key }),
      ],
    }));
    await log.commit(commits, 7_000);
    await log.readMet(met.map((ref) => wanted(ref, "payments", "orders")));
    expect(plans).toHaveLength(2);
    for (const plan of plans) expect(plan).not.toMatch(/Join Filter/);
    expectMetPlan(plans[1] ?? "");
  });
});
