import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { consume } from "../../src/ingest/consume.ts";
import { expectTruth } from "../support/expect-truth.ts";
import { createMemoryIngestQueue } from "../support/fakes/memory-ingest-queue.ts";
import { createMemoryOnlineStore } from "../support/fakes/memory-online-store.ts";
import { newTenant } from "../support/log-events.ts";
import { openPostgresTruth, type SqlTruth } from "../support/stores.ts";
import {
  consumerOf,
  deliver,
  eventsMessage,
  logEventOf,
  registry,
  type Ports,
  type Reading,
} from "../support/write-path.ts";

const server = process.env["DATABASE_URL_TEST"];
const NOW = Date.UTC(2026, 5, 15, 13, 38);

/** No colour, so that a reading touches its device alone. */
const reading = (id: string, device: string): Reading => ({
  time: NOW - 60_000,
  order: id,
  device,
  source: "readings",
  fields: { price: "1.5", level: 1, colour: null, on: true },
});

describe.runIf(server !== undefined)("a batch that dies of a deadlock on a Postgres server", () => {
  let truth: SqlTruth;
  /** Somebody who takes the same locks in another order, which no consumer does. */
  let rival: Client;
  let watcher: Client;
  let tenant: string;
  let ports: Ports;
  beforeAll(async () => {
    truth = await openPostgresTruth(server ?? "");
    await truth.definitionStore.registerViews([...registry.views.values()], NOW);
    const [row] = await truth.query("SELECT current_database() AS name");
    const own = new URL(server ?? "");
    own.pathname = `/${String(row?.["name"])}`;
    rival = new Client({ connectionString: own.href });
    watcher = new Client({ connectionString: own.href });
    await rival.connect();
    await watcher.connect();
    // Whoever looks for a deadlock first is its victim: it must not be the rival.
    await rival.query("SET deadlock_timeout = '1min'");
  });
  afterAll(async () => {
    await rival.end();
    await watcher.end();
    await truth.close();
  });
  beforeEach(async () => {
    tenant = newTenant();
    const online = createMemoryOnlineStore();
    ports = {
      log: truth.eventLog,
      history: truth.historyLog,
      servedAnswers: truth.servedAnswers,
      archive: truth.stateArchive,
      quarantine: truth.quarantine,
      online,
      queue: createMemoryIngestQueue(),
    };
    const meta = await truth.stateArchive.nextMeta(tenant);
    await online.writeMeta(tenant, "begin", meta);
    await online.writeMeta(tenant, "end", meta);
  });
  afterEach(() => rival.query("ROLLBACK"));

  function take(readings: readonly Reading[]) {
    const events = readings.map((one) => logEventOf(one, tenant));
    const delivery = deliver(eventsMessage(events), "m");
    return {
      delivery,
      consumed: consume(
        consumerOf(ports, () => NOW),
        [delivery],
      ),
    };
  }

  async function untilBlocked(): Promise<void> {
    const blocked =
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> $1 " +
      "AND cardinality(pg_blocking_pids(pid)) > 0";
    const { rows } = await rival.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    while ((await watcher.query(blocked, [rows[0]?.pid])).rowCount === 0) await sleep(5);
  }

  const lockHead = (device: string) =>
    rival.query(
      "SELECT FROM entity_heads WHERE tenant = $1 AND entity = 'device' AND entity_key = $2 FOR UPDATE",
      [tenant, device],
    );
  const storeEvent = (id: string) =>
    rival.query(
      `INSERT INTO events (tenant, source, event_id, event_time, ingest_time, sign, order_key,
                           body_hash, body)
       VALUES ($1, 'readings', $2, 1, 1, 1, $2, '\\x00', '{}')`,
      [tenant, id],
    );

  it("in its commit is committed at the second attempt", async () => {
    const before = [reading("a1", "d1"), reading("a2", "d2")];
    await take(before).consumed;
    await rival.query("BEGIN");
    await lockHead("d2");
    const requests = truth.requests();
    const after = [reading("b1", "d1"), reading("b2", "d2")];
    const { delivery, consumed } = take(after);
    // It holds d1 and waits for d2.
    await untilBlocked();
    await lockHead("d1");
    await rival.query("COMMIT");
    expect(await consumed).toMatchObject({ accepted: 2, folded: 2, lost: 0, retried: 0 });
    expect(delivery.outcome()).toBe("acked");
    // Append, commit, commit again, settle.
    expect(truth.requests()).toBe(requests + 4);
    await expectTruth(truth, ports, tenant, [...before, ...after], NOW);
  });

  it("in its append is appended at the second attempt", async () => {
    await rival.query("BEGIN");
    await storeEvent("b2");
    const requests = truth.requests();
    const readings = [reading("b1", "d1"), reading("b2", "d2")];
    const { delivery, consumed } = take(readings);
    await untilBlocked();
    await storeEvent("b1");
    await rival.query("ROLLBACK");
    expect(await consumed).toMatchObject({ accepted: 2, folded: 2, duplicates: 0, retried: 0 });
    expect(delivery.outcome()).toBe("acked");
    expect(truth.requests()).toBe(requests + 4);
    await expectTruth(truth, ports, tenant, readings, NOW);
  });

  it.each([
    ["40P01", "events"],
    ["40001", "entity_log"],
  ])("again and again (%s in %s) is delivered again, and loses nothing", async (code, table) => {
    await truth.query(
      `CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '${code}'; END $$`,
    );
    await truth.query(
      `CREATE TRIGGER lose BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION lose()`,
    );
    const readings = [reading("c1", "d1"), reading("c2", "d2")];
    const first = take(readings);
    expect(await first.consumed).toMatchObject({ folded: 0, refused: 0, retried: 1 });
    expect(first.delivery.outcome()).toBe("retried");
    await truth.query("DROP FUNCTION lose CASCADE");
    const second = take(readings);
    expect(await second.consumed).toMatchObject({ folded: 2, retried: 0 });
    expect(second.delivery.outcome()).toBe("acked");
    await expectTruth(truth, ports, tenant, readings, NOW);
  });
});
