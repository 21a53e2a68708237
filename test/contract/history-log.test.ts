import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LogEvent } from "../../src/features/event-log.ts";
import type { FoldedEvent, LogFilter } from "../../src/features/history/history-log.ts";
import { createHistoryLog } from "../../src/platform/neon/history-log.ts";
import type { SqlClient } from "../../src/platform/neon/sql-client.ts";
import { append, commitAll, customer } from "../support/event-log-calls.ts";
import { logEvent, newTenant } from "../support/log-events.ts";
import { sqlTruths, truths, type SqlTruth, type Truth } from "../support/stores.ts";

const ALL: LogFilter = {
  sources: ["payments", "refunds"],
  from: Number.NEGATIVE_INFINITY,
  before: Number.POSITIVE_INFINITY,
};

/** Folds events one after the other, each at a time of its own. */
async function foldEach(
  truth: Truth,
  tenant: string,
  key: string,
  events: readonly LogEvent[],
): Promise<void> {
  for (const [i, event] of events.entries()) {
    await append(truth.eventLog, [event], [customer(tenant, key)]);
    await commitAll(truth.eventLog, customer(tenant, key), 6_000 + i);
  }
}

const inOrder = (events: readonly FoldedEvent[]): readonly FoldedEvent[] =>
  events.toSorted((a, b) => a.slice - b.slice || a.version - b.version);

const MUCH = 1e9;

describe.each(truths())("the history log %s", (_name, open) => {
  let truth: Truth;
  beforeAll(async () => void (truth = await open()));
  afterAll(() => truth.close());

  const read = async (
    tenant: string,
    slices: Parameters<Truth["historyLog"]["readEvents"]>[2],
    filter = ALL,
  ) => {
    const page = await truth.historyLog.readEvents(tenant, "customer", slices, filter, MUCH);
    expect(page.rest).toEqual([]);
    return inOrder(page.events);
  };

  it("answers heads in the order of the keys, twice where asked twice", async () => {
    const tenant = newTenant();
    await foldEach(truth, tenant, "a", [logEvent(tenant, "1"), logEvent(tenant, "2")]);
    await foldEach(truth, tenant, "b", [logEvent(tenant, "3")]);
    await truth.putTombstone(customer(tenant, "gone"), 9_000);
    const heads = await truth.historyLog.readHeads(tenant, "customer", [
      "b",
      "nobody",
      "a",
      "gone",
      "a",
    ]);
    expect(heads).toEqual([
      { version: 1, erased: false },
      { version: 0, erased: false },
      { version: 2, erased: false },
      { version: 0, erased: true },
      { version: 2, erased: false },
    ]);
    expect(await truth.historyLog.readHeads(tenant, "customer", [])).toEqual([]);
    expect(await truth.historyLog.readHeads(newTenant(), "customer", ["a"])).toEqual([
      { version: 0, erased: false },
    ]);
    expect(await truth.historyLog.readHeads(tenant, "merchant", ["a"])).toEqual([
      { version: 0, erased: false },
    ]);
  });

  it("answers every column that a value depends on", async () => {
    const tenant = newTenant();
    const body = '{"amount":"9007199254740993","note":"café ,%"}';
    const event = logEvent(tenant, "1", { eventTime: -5, orderKey: "z", body, knownAt: 77 });
    await foldEach(truth, tenant, "ü,%25", [event]);
    expect(await read(tenant, [{ key: "ü,%25", after: 0, upTo: 1 }])).toEqual([
      {
        slice: 0,
        version: 1,
        knownAt: 77,
        source: "payments",
        eventTime: -5,
        orderKey: "z",
        sign: 1,
        body,
      },
    ]);
  });

  it("knows what was imported when it says, and everything else when it was committed", async () => {
    const tenant = newTenant();
    const events = [
      logEvent(tenant, "1", { knownAt: 5 }),
      logEvent(tenant, "2"),
      logEvent(tenant, "3", { knownAt: 99_999 }),
    ];
    await foldEach(truth, tenant, "a", events);
    const known = await read(tenant, [{ key: "a", after: 0, upTo: 3 }]);
    expect(known.map(({ knownAt }) => knownAt)).toEqual([5, 6_001, 6_002]);
  });

  it("answers slices, of many entities at once and of one again", async () => {
    const tenant = newTenant();
    const ids = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) => logEvent(tenant, `${from + i}`));
    await foldEach(truth, tenant, "a", ids(100, 5));
    await foldEach(truth, tenant, "b", ids(200, 2));
    const slices = [
      { key: "b", after: 0, upTo: 2 },
      { key: "a", after: 1, upTo: 3 },
      { key: "a", after: 3, upTo: 99 },
      { key: "a", after: 5, upTo: 5 },
      { key: "nobody", after: 0, upTo: 9 },
    ];
    const found = await read(tenant, slices);
    expect(found.map(({ slice, version }) => [slice, version])).toEqual([
      [0, 1],
      [0, 2],
      [1, 2],
      [1, 3],
      [2, 4],
      [2, 5],
    ]);
    expect(await read(tenant, [])).toEqual([]);
    expect(await read(newTenant(), slices)).toEqual([]);
  });

  it("answers as many bytes as are asked for, the newest events first, and what is left", async () => {
    const tenant = newTenant();
    const sized = (id: string, chars: number) =>
      logEvent(tenant, id, { body: JSON.stringify({ note: "é".repeat(chars / 2) }) });
    const around = '{"note":""}'.length;
    await foldEach(truth, tenant, "a", [sized("1", 100), sized("2", 200), sized("3", 100)]);
    await foldEach(truth, tenant, "b", [sized("4", 50), sized("5", 5_000)]);
    const slices = [
      { key: "a", after: 0, upTo: 3 },
      { key: "b", after: 0, upTo: 2 },
    ];
    const page = async (of: Parameters<typeof read>[1], bytes: number) => {
      const { events, rest } = await truth.historyLog.readEvents(
        tenant,
        "customer",
        of,
        ALL,
        bytes,
      );
      return [events.map(({ slice, version }) => `${slice}:${version}`).join(" "), rest];
    };
    expect(await page(slices, 100 + around)).toEqual([
      "0:3",
      [{ key: "a", after: 0, upTo: 2 }, slices[1]],
    ]);
    expect(await page(slices, 101 + around)).toEqual([
      "0:3 0:2",
      [{ key: "a", after: 0, upTo: 1 }, slices[1]],
    ]);
    expect(await page(slices, 400 + 3 * around)).toEqual(["0:3 0:2 0:1", slices.slice(1)]);
    expect(await page(slices, 401 + 3 * around)).toEqual([
      "0:3 0:2 0:1 1:2",
      [{ key: "b", after: 0, upTo: 1 }],
    ]);
    expect(await page(slices, 5_451 + 5 * around)).toEqual(["0:3 0:2 0:1 1:2 1:1", []]);
    expect(await page(slices.slice(1), 1)).toEqual(["0:2", [{ key: "b", after: 0, upTo: 1 }]]);
  });

  it("leaves out other sources, and times that no window reaches", async () => {
    const tenant = newTenant();
    const events = [
      logEvent(tenant, "1", { eventTime: 10 }),
      logEvent(tenant, "2", { eventTime: 20, source: "refunds" }),
      logEvent(tenant, "3", { eventTime: 30 }),
      logEvent(tenant, "4", { eventTime: 40 }),
    ];
    await foldEach(truth, tenant, "a", events);
    const slice = [{ key: "a", after: 0, upTo: 4 }];
    const versions = async (filter: Partial<LogFilter>) =>
      (await read(tenant, slice, { ...ALL, ...filter })).map(({ version }) => version);
    expect(await versions({})).toEqual([1, 2, 3, 4]);
    expect(await versions({ sources: ["payments"] })).toEqual([1, 3, 4]);
    expect(await versions({ sources: [] })).toEqual([]);
    expect(await versions({ from: 20, before: 40 })).toEqual([2, 3]);
    expect(await versions({ sources: ["refunds"], from: 21 })).toEqual([]);
  });
});

describe.each(sqlTruths())("the history log's plans %s", (_name, open) => {
  let truth: SqlTruth;
  beforeAll(async () => void (truth = await open()));
  afterAll(() => truth.close());

  it("look every slice and event up in an index, even where tables are small", async () => {
    const tenant = newTenant();
    await foldEach(truth, tenant, "c1", [logEvent(tenant, "1"), logEvent(tenant, "2")]);
    for (const key of ["c2", "c3"]) await truth.putTombstone(customer(tenant, key), 1);
    const plans: string[] = [];
    const explain: SqlClient = {
      batch: async () => [],
      async query(text, params) {
        const rows = await truth.query(`EXPLAIN ${text}`, params);
        plans.push(rows.map((row) => row["QUERY PLAN"]).join("\n"));
        return [];
      },
    };
    const log = createHistoryLog(explain);
    const keys = Array.from({ length: 500 }, (_, i) => `c${i}`);
    await log.readHeads(tenant, "customer", keys);
    const slices = keys.map((key) => ({ key, after: 0, upTo: 20 }));
    await log.readEvents(tenant, "customer", slices, ALL, MUCH);
    expect(plans).toHaveLength(2);
    for (const plan of plans) expect(plan).not.toMatch(/Join Filter|Seq Scan|Hash|Merge/);
  });
});
