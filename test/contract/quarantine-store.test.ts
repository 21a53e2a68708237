import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RejectedByStore } from "../../src/features/event-log.ts";
import { newId } from "../../src/ids.ts";
import type { QuarantineEntry } from "../../src/ingest/envelope.ts";
import { newTenant } from "../support/log-events.ts";
import { truths, type Truth } from "../support/stores.ts";

function entry(tenant: string, at: number, fields: Partial<QuarantineEntry> = {}): QuarantineEntry {
  return {
    id: newId("qrt", at),
    tenant,
    source: "payments",
    reason: "invalid_event",
    detail: "amount: expected number",
    payload: 'v1.key "sealed" {text}',
    eventId: null,
    receivedAt: at,
    ...fields,
  };
}

describe.each(truths())("the quarantine %s", (_name, open) => {
  let truth: Truth;
  beforeAll(async () => void (truth = await open()));
  afterAll(() => truth.close());
  const all = { limit: 100, cursor: null, source: null };

  it("lists a tenant's entries as they came in, newest first", async () => {
    const [tenant, neighbour] = [newTenant(), newTenant()];
    const entries = [1_000, 3_000, 2_000].map((at) => entry(tenant, at, { eventId: `e${at}` }));
    await truth.quarantine.add([...entries, entry(neighbour, 9_000)]);
    const { items, cursor } = await truth.quarantine.list(tenant, all);
    const newest = entries.toSorted((a, b) => b.receivedAt - a.receivedAt);
    expect(items).toEqual(newest.map((item) => ({ ...item, replayedAt: null })));
    expect(cursor).toBeNull();
  });

  it("takes an entry once, however often it is added", async () => {
    const tenant = newTenant();
    const first = entry(tenant, 1_000);
    await truth.quarantine.add([first]);
    await truth.quarantine.add([{ ...first, detail: "again" }, entry(tenant, 2_000)]);
    await truth.quarantine.add([]);
    const { items } = await truth.quarantine.list(tenant, all);
    expect(items.map(({ detail }) => detail)).toEqual([first.detail, first.detail]);
  });

  it("pages without repeating or skipping", async () => {
    const tenant = newTenant();
    const entries = Array.from({ length: 7 }, (_, i) => entry(tenant, i * 1_000));
    await truth.quarantine.add(entries);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await truth.quarantine.list(tenant, { limit: 3, cursor, source: null });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.cursor;
    } while (cursor !== null);
    expect(seen).toEqual(entries.map(({ id }) => id).toReversed());
    const exact = await truth.quarantine.list(tenant, { limit: 7, cursor: null, source: null });
    expect(exact.cursor).toBeNull();
  });

  it("lists one source alone", async () => {
    const tenant = newTenant();
    const visit = entry(tenant, 2_000, { source: "visits" });
    await truth.quarantine.add([entry(tenant, 1_000), visit, entry(tenant, 3_000)]);
    const { items } = await truth.quarantine.list(tenant, { ...all, source: "visits" });
    expect(items.map(({ id }) => id)).toEqual([visit.id]);
  });

  it("gives out what waits and not what was replayed", async () => {
    const [tenant, neighbour] = [newTenant(), newTenant()];
    const [a, b, foreign] = [entry(tenant, 1), entry(tenant, 2), entry(neighbour, 3)];
    await truth.quarantine.add([a, b, foreign]);
    const ids = [b.id, a.id, foreign.id, "qrt_unknown"];
    expect((await truth.quarantine.take(tenant, ids)).map(({ id }) => id)).toEqual([a.id, b.id]);

    await truth.quarantine.markReplayed(tenant, [a.id, foreign.id], 7_000);
    await truth.quarantine.markReplayed(tenant, [a.id], 8_000);
    expect((await truth.quarantine.take(tenant, ids)).map(({ id }) => id)).toEqual([b.id]);
    const { items } = await truth.quarantine.list(tenant, all);
    expect(items.map(({ replayedAt }) => replayedAt)).toEqual([null, 7_000]);
    expect(await truth.quarantine.take(neighbour, ids)).toHaveLength(1);
  });

  it("lets an entry wait once more that was replayed and is refused again", async () => {
    const tenant = newTenant();
    const [first, other] = [entry(tenant, 1), entry(tenant, 2)];
    await truth.quarantine.add([first, other]);
    await truth.quarantine.markReplayed(tenant, [first.id, other.id], 7_000);
    await truth.quarantine.add([first, { ...first, detail: "again" }]);
    const { items } = await truth.quarantine.list(tenant, all);
    expect(items).toEqual([
      { ...other, replayedAt: 7_000 },
      { ...first, replayedAt: null },
    ]);
  });

  it("refuses text that a database cannot keep", async () => {
    const tenant = newTenant();
    const bad = truth.quarantine.add([entry(tenant, 1), entry(tenant, 2, { detail: "\0" })]);
    await expect(bad).rejects.toBeInstanceOf(RejectedByStore);
    expect((await truth.quarantine.list(tenant, all)).items).toEqual([]);
  });
});
