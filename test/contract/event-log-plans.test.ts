import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDefinitionStore } from "../../src/platform/neon/definition-store.ts";
import { createEventLog } from "../../src/platform/neon/event-log.ts";
import type { SqlClient } from "../../src/platform/neon/sql-client.ts";
import { append, commitAll, customer, foldOf, look } from "../support/event-log-calls.ts";
import { contributionsOf, logEvent, newTenant } from "../support/log-events.ts";
import { sqlTruths, type SqlTruth } from "../support/stores.ts";

describe.each(sqlTruths())("the event log's plans %s", (_name, open) => {
  let truth: SqlTruth;
  beforeAll(async () => void (truth = await open()));
  afterAll(() => truth.close());

  it("look rows up one by one, even in queues that were analysed while they were empty", async () => {
    const tenant = newTenant();
    const entities = Array.from({ length: 300 }, (_, i) => customer(tenant, `c${i}`));
    const events = ["1", "2"].map((id) => logEvent(tenant, id));
    await append(truth.eventLog, events.slice(0, 1), entities);
    for (const entity of entities.slice(0, 9)) await commitAll(truth.eventLog, entity);
    await truth.query("DELETE FROM pending");
    await truth.query("DELETE FROM outbox");
    for (const table of ["pending", "outbox", "entity_heads", "erasures", "source_rows"]) {
      await truth.query(`VACUUM (ANALYZE, TRUNCATE false) ${table}`);
    }
    await append(truth.eventLog, events.slice(1), entities);
    const snapshot = await look(truth.eventLog, customer(tenant, "c0"));

    const plans: string[] = [];
    const explain: SqlClient = {
      batch: async () => [],
      async query(text, params) {
        const rows = await truth.query(`EXPLAIN ${text}`, params);
        plans.push(rows.map((row) => row["QUERY PLAN"]).join("\n"));
        return [{ kind: "verdicts", position: 0, a: "aa" }];
      },
    };
    const log = createEventLog(explain);
    const moves = entities.map(({ key }, i) => ({
      tenant,
      source: "payments",
      key,
      from: i % 2 === 0 ? null : "011+",
      to: "012+",
      imageId: `012+${key}`,
      events: i < events.length ? [i] : [],
    }));
    const contributions = contributionsOf(events, entities);
    const stateIds = ["spend@1"];
    await log.append({ events, contributions, moves, touched: entities, stateIds, now: 5_000 });
    await log.readChanges(
      entities.map(({ key }) => logEvent(tenant, `012+${key}`, { row: { key, order: "012+" } })),
    );
    const commits = entities.map(({ key }) => ({ ...foldOf(snapshot), key }));
    await log.commit(commits, 6_000);
    await log.settleOutbox(entities.map((entity) => ({ ...entity, version: 1 })));

    expect(plans).toHaveLength(4);
    // A join whose condition is no index's and no hash's compares everything with everything.
    for (const plan of plans) expect(plan).not.toMatch(/Join Filter/);
  });

  it("look the log of an entity through once, however many events it may have missed", async () => {
    const tenant = newTenant();
    const events = Array.from({ length: 60 }, (_, i) => logEvent(tenant, `e${i}`));
    await append(truth.eventLog, events.slice(0, 40), [customer(tenant)]);
    await commitAll(truth.eventLog, customer(tenant));
    await append(truth.eventLog, events.slice(40), [customer(tenant, "other")]);
    const lines: string[] = [];
    const explain: SqlClient = {
      batch: async () => [],
      async query(text, params) {
        const rows = await truth.query(`EXPLAIN (ANALYZE, TIMING OFF) ${text}`, params);
        lines.push(...rows.map((row) => String(row["QUERY PLAN"])));
        return [];
      },
    };
    const missed = events.map(({ eventId }) => ({
      ...customer(tenant),
      source: "payments",
      eventId,
      knownAt: null,
    }));
    await createDefinitionStore(explain).addContributions(missed, 7_000);
    expect((await look(truth.eventLog, customer(tenant))).pending).toEqual(events.slice(40));
    const scans = lines.filter((line) => /Scan.* on entity_log /.test(line));
    const run = scans.filter((line) => !line.includes("never executed"));
    expect(run.map((line) => /loops=\d+/.exec(line)?.[0])).toEqual(["loops=1"]);
  });
});
