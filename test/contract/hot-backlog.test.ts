import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EntityRef, LogEvent } from "../../src/features/event-log.ts";
import { readOnline } from "../../src/features/read-online.ts";
import type { Registry } from "../../src/features/registry.ts";
import { WAITING_LIMITS } from "../../src/features/waiting-limits.ts";
import { appendBatch } from "../../src/ingest/append-batch.ts";
import { consume } from "../../src/ingest/consume.ts";
import { sweep } from "../../src/ingest/sweep.ts";
import { DAY_MS } from "../../src/time.ts";
import { watchParts } from "../support/any-waiting-limits.ts";
import { newTenant } from "../support/log-events.ts";
import { pathRegistry, stepEvent } from "../support/paths.ts";
import { applyAll, BASE, drain, NOW, openPorts } from "../support/play.ts";
import { truths, type Truth } from "../support/stores.ts";
import { changeOf, order, ROWS_NOW, tables } from "../support/table-rows.ts";
import {
  consumerOf,
  deliver,
  expectedValues,
  logEventOf,
  registry,
} from "../support/write-path.ts";
import type { Reading } from "../support/write-path.ts";

const PER_APPEND = 1_000;
/** Of the few entities that a test names. */
const MOST = WAITING_LIMITS.events + 4 * WAITING_LIMITS.share;

/** Thousands of events that a consumer stored before it died, of a few entities. */
async function openBacklog(
  truth: Truth,
  own: Registry,
  eventsOf: (tenant: string) => Promise<readonly LogEvent[]>,
) {
  const tenant = newTenant();
  const ports = openPorts(truth, tenant);
  await applyAll(truth, ports, tenant, own);
  const events = await eventsOf(tenant);
  for (let at = 0; at < events.length; at += PER_APPEND) {
    await appendBatch(
      { registry: own, log: ports.log },
      events.slice(at, at + PER_APPEND),
      [],
      NOW,
    );
  }
  const parts = watchParts(ports.log);
  const ctx = { ...consumerOf({ ...ports, log: parts.log }, () => NOW), registry: own };
  return {
    tenant,
    parts,
    ctx,
    /** Takes one message to fold these entities, and those that follow from it. */
    async fold(refs: readonly Omit<EntityRef, "tenant">[]): Promise<void> {
      const entities = refs.map((ref) => ({ tenant, ...ref }));
      const wait = { tenant, token: "w", part: 0, met: [] };
      const message = { v: 1, kind: "fold", entities, waits: [wait], tries: 0 } as const;
      const delivery = deliver(message, "m");
      await consume(ctx, [delivery]);
      expect(delivery.outcome()).toBe("acked");
      await drain({ ...ports, log: parts.log }, NOW, own);
      expect(await ports.online.countApplied(tenant, "w")).toBe(1);
    },
    async valuesOf(view: string, entity: Readonly<Record<string, string>>) {
      const asking = { registry: own, online: ports.online, vault: ctx.vault, now: () => NOW };
      const answer = await readOnline(
        { ...asking, whenIncomplete: "unavailable" },
        { tenant, features: [view], entities: [entity] },
      );
      return answer.results[0];
    },
    /** Nothing waits, and no answer was too large. */
    async expectParts(least: number): Promise<void> {
      expect(await ports.log.findUnfinished(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
      expect(Math.max(...parts.events)).toBeLessThanOrEqual(MOST);
      expect(Math.max(...parts.bytes)).toBeLessThan(WAITING_LIMITS.bytes + 60_000);
      expect(parts.events.filter((n) => n > 0).length).toBeGreaterThanOrEqual(least);
    },
  };
}

const COLOURS = ["red", "blue"];
const readingsOf = (count: number): readonly Reading[] =>
  Array.from({ length: count }, (_, i) => ({
    // In no order of time.
    time: BASE - ((i * 7_919) % count) * 1_000,
    order: `e${String(i).padStart(6, "0")}`,
    device: "hot",
    source: "readings",
    fields: {
      price: `${i % 97}.25`,
      level: i % 13,
      colour: COLOURS[i % 2] ?? null,
      on: i % 3 === 0,
      spot: null,
    },
  }));

describe.each(truths())("an entity for which thousands of events wait %s", (_name, open) => {
  let truth: Truth;
  beforeAll(async () => void (truth = await open()));
  afterAll(() => truth.close());

  it("is folded in parts, each of a bounded size, by one message", async () => {
    const readings = readingsOf(6_500);
    const backlog = await openBacklog(truth, registry, async (tenant) =>
      readings.map((one) => logEventOf(one, tenant)),
    );
    const colours = COLOURS.map((key) => ({ entity: "colour", key }));
    await backlog.fold([{ entity: "device", key: "hot" }, ...colours]);
    await backlog.expectParts(3);
    const device = await backlog.valuesOf("by_device", { device: "hot" });
    expect(device?.values).toEqual(expectedValues("by_device", readings, NOW));
    expect(device?.version["by_device"]).toBe("1.6500");
    for (const [i, colour] of COLOURS.entries()) {
      const own = readings.filter((_, n) => n % 2 === i);
      const read = await backlog.valuesOf("by_colour", { colour });
      expect(read?.values).toEqual(expectedValues("by_colour", own, NOW));
    }
  }, 60_000);

  it("is folded so by a sweep, records of any size", async () => {
    const readings = readingsOf(300);
    const long = (one: LogEvent): LogEvent => ({
      ...one,
      body: one.body.replace('"hot"', `"hot","note":"${"x".repeat(59_000)}"`),
    });
    const backlog = await openBacklog(truth, registry, async (tenant) =>
      readings.map((one) => long(logEventOf(one, tenant))),
    );
    await sweep({ ...backlog.ctx, now: () => NOW + DAY_MS });
    await backlog.expectParts(3);
    const { values } = (await backlog.valuesOf("by_device", { device: "hot" })) ?? {};
    expect(values).toEqual(expectedValues("by_device", readings, NOW));
  }, 60_000);

  it("takes back what was folded in an earlier part, or comes in the same", async () => {
    // Each row moves to and fro, and is gone now and then.
    const [rows, changes] = [100, 40];
    const rowAt = (row: number, n: number) =>
      order(`r${row}`, {
        buyer: (row + n) % 2 === 0 ? "ada" : "bob",
        amount: `${(row * n) % 89}`,
        created_at: ROWS_NOW - 3_600_000 - row * 1_000,
      });
    const backlog = await openBacklog(truth, tables, async (tenant) => {
      const all = Array.from({ length: rows * changes }, (_, i) => [
        i % rows,
        Math.floor(i / rows),
      ]);
      return Promise.all(
        all.map(async ([row = 0, n = 0]) =>
          changeOf(tenant, { id: `r${row}`, order: n, row: n % 7 === 6 ? null : rowAt(row, n) }),
        ),
      );
    });
    const shops = { entity: "shop", key: "s1" };
    await backlog.fold([{ entity: "buyer", key: "ada" }, { entity: "buyer", key: "bob" }, shops]);
    await backlog.expectParts(3);
    const last = Array.from({ length: rows }, (_, row) => rowAt(row, changes - 1));
    for (const buyer of ["ada", "bob"]) {
      const own = last.filter((row) => row["buyer"] === buyer).map((row) => Number(row["amount"]));
      const { values } = (await backlog.valuesOf("by_buyer", { buyer })) ?? {};
      const total = own.reduce((a, b) => a + b, 0);
      expect(values?.slice(0, 3)).toEqual([own.length, `${total}`, `${Math.max(...own)}`]);
    }
    const { values } = (await backlog.valuesOf("by_shop", { shop: "s1" })) ?? {};
    const total = last.reduce((sum, row) => sum + Number(row["amount"]), 0);
    expect(values).toEqual([rows, `${total}`]);
  }, 60_000);

  it("makes all its pairs where sources meet, and folds them", async () => {
    const pairs = 1_500;
    const options = { within: "5s", fanOut: 1, alsoShop: false } as const;
    const paths = pathRegistry(options);
    const steps = Array.from({ length: 2 * pairs }, (_, i) => ({
      side: i % 2 === 0 ? ("left" as const) : ("right" as const),
      id: `s${String((i * 7_919) % (2 * pairs)).padStart(6, "0")}`,
      time: BASE - DAY_MS + i,
      who: "ada",
      shop: "x",
      ad: "a1",
      amount: `${i % 89}`,
      known: null,
    }));
    const backlog = await openBacklog(truth, paths, async (tenant) =>
      steps.map((step) => stepEvent(step, tenant)),
    );
    const meeting = { entity: [...paths.joinsByEntity.keys()][0] ?? "", key: "ada" };
    await backlog.fold([meeting, { entity: "ad", key: "a1" }]);
    await backlog.expectParts(6);
    const ofAd = (await backlog.valuesOf("ad_orders", { ad: "a1" }))?.values;
    expect(ofAd).toEqual([pairs, null, "88", null]);
    expect((await backlog.valuesOf("ad_clicks", { ad: "a1" }))?.values).toEqual([pairs]);
  }, 60_000);
});
