import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LogEvent, StoredChange } from "../../../src/features/event-log.ts";
import { retractionId } from "../../../src/features/row-events.ts";
import { isChange, planChanges, type PlannedChanges } from "../../../src/ingest/plan-changes.ts";
import { anyOrder, shuffled } from "../../support/shuffle.ts";
import { anyChanges, changeOf, netOf, order, tableAfter } from "../../support/table-rows.ts";

/** A log of rows that is only what the planner needs: what happens is what it plans. */
function openRows() {
  const rows = new Map<string, { readonly order: string; readonly imageId: string | null }>();
  const events = new Map<string, LogEvent>();
  const stored = (id: string | null): LogEvent | null => events.get(id ?? "") ?? null;
  return {
    events,
    rows,
    take(changes: readonly LogEvent[]): PlannedChanges {
      const known = changes.filter(isChange).map(({ eventId, row }): StoredChange => {
        const at = rows.get(row.key);
        return {
          row: at === undefined ? null : { order: at.order, image: stored(at.imageId) },
          taken: stored(eventId),
          tookBack: stored(retractionId(row)),
        };
      });
      const planned = planChanges(changes.filter(isChange), known);
      for (const event of planned.events) {
        expect(events.has(event.eventId)).toBe(false);
        expect(event).not.toHaveProperty("row");
        if (event.sign === -1) expectTakesBack(events, event);
        events.set(event.eventId, event);
      }
      for (const { key, from, to, imageId } of planned.moves) {
        expect(rows.get(key)?.order ?? null).toBe(from);
        rows.set(key, { order: to, imageId });
      }
      const moved = planned.moves.flatMap((move) => move.events);
      expect(moved.toSorted((a, b) => a - b)).toEqual(planned.events.map((_, i) => i));
      return planned;
    },
  };
}

/** What is taken back was added, with the same record at the same time, and not taken back yet. */
function expectTakesBack(events: ReadonlyMap<string, LogEvent>, retraction: LogEvent): void {
  const same = ({ orderKey, body, eventTime, bodyHash }: LogEvent): string =>
    JSON.stringify([orderKey, body, eventTime, bodyHash]);
  const net = [...events.values()]
    .filter((event) => same(event) === same(retraction))
    .reduce((sum, { sign }) => sum + sign, 0);
  expect(net).toBe(1);
}

const verdicts = (planned: PlannedChanges): readonly string[] =>
  planned.changes.map(({ verdict }) => verdict);

const there = (id: string, at: number, fields = {}): Promise<LogEvent> =>
  changeOf("t", { id, order: at, row: order(id, fields) });
const gone = (id: string, at: number): Promise<LogEvent> =>
  changeOf("t", { id, order: at, row: null });

describe("changes of rows", () => {
  it("leave exactly the present rows in the log, in any order, repeated, in any batches", async () => {
    const script = fc.record({
      changes: anyChanges,
      copies: fc.integer({ min: 1, max: 3 }),
      perBatch: fc.integer({ min: 1, max: 8 }),
      deliveries: anyOrder,
    });
    await fc.assert(
      fc.asyncProperty(script, async ({ changes, copies, perBatch, deliveries }) => {
        const log = openRows();
        const sent = await Promise.all(changes.map((change) => changeOf("t", change)));
        const all = shuffled(Array.from({ length: copies }, () => sent).flat(), deliveries);
        for (let at = 0; at < all.length; at += perBatch) {
          expect(verdicts(log.take(all.slice(at, at + perBatch)))).not.toContain("conflict");
        }
        const table = tableAfter(changes);
        expect(netOf([...log.events.values()])).toEqual(table);
        const present = [...log.rows].filter(([, { imageId }]) => imageId !== null);
        expect(new Set(present.map(([key]) => key))).toEqual(new Set(table.keys()));
        expect(log.rows.size).toBe(new Set(changes.map(({ id }) => id)).size);
        // Whoever brings them again waits for what they did, and does nothing.
        const again = log.take(sent);
        expect(again).toMatchObject({ events: [], moves: [] });
        expect(verdicts(again).every((one) => one === "duplicate" || one === "stale")).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("take back what the row was, and add what it is", async () => {
    const log = openRows();
    const [first, moved] = [await there("r", 1), await there("r", 2, { buyer: "bob" })];
    log.take([first]);
    const { events, moves, changes } = log.take([moved]);
    expect(events).toMatchObject([
      { eventId: "012*r", sign: -1, body: first.body, eventTime: first.eventTime, orderKey: "r" },
      { eventId: "012+r", sign: 1, body: moved.body, orderKey: "r" },
    ]);
    expect(moves).toEqual([
      {
        tenant: "t",
        source: "orders",
        key: "r",
        from: "011+",
        to: "012+",
        imageId: "012+r",
        events: [0, 1],
      },
    ]);
    expect(changes).toEqual([{ verdict: "accepted", move: 0, image: 1, events }]);
    expect(log.take([await gone("r", 2)]).events).toMatchObject([
      { eventId: "012-r", sign: -1, body: moved.body },
    ]);
    expect(netOf([...log.events.values()]).size).toBe(0);
  });

  it("that change nothing only move the row on", async () => {
    const log = openRows();
    log.take([await there("r", 1)]);
    const { events, moves, changes } = log.take([await there("r", 3)]);
    expect(events).toEqual([]);
    expect(moves).toMatchObject([{ from: "011+", to: "013+", imageId: "011+r", events: [] }]);
    expect(changes).toEqual([{ verdict: "accepted", move: 0, image: null, events: [] }]);
    expect(verdicts(log.take([await there("r", 2, { buyer: "bob" })]))).toEqual(["stale"]);
    expect(verdicts(log.take([await there("r", 3)]))).toEqual(["duplicate"]);
    expect(verdicts(log.take([await there("r", 3, { buyer: "bob" })]))).toEqual(["conflict"]);
    expect(log.take([await there("r", 4, { buyer: "bob" })]).events).toMatchObject([
      { eventId: "014*r", body: (await there("r", 1)).body },
      { eventId: "014+r" },
    ]);
  });

  it("that arrive after the row was deleted are late, also where nobody knew the row", async () => {
    const log = openRows();
    expect(log.take([await gone("r", 5)])).toMatchObject({
      events: [],
      moves: [{ from: null, to: "015-", imageId: null }],
    });
    const late = [await there("r", 1), await there("r", 5), await gone("r", 4)];
    expect(verdicts(log.take(late))).toEqual(["stale", "stale", "stale"]);
    expect(verdicts(log.take([await gone("r", 5)]))).toEqual(["duplicate"]);
    expect(log.take([await there("r", 6)]).events).toMatchObject([{ eventId: "016+r" }]);
  });

  it("of one row in one batch follow each other by their order", async () => {
    const log = openRows();
    const batch = [await there("r", 3), await there("r", 1, { shop: "s2" }), await gone("r", 2)];
    const { events, moves } = log.take(batch);
    expect(events.map(({ eventId }) => eventId)).toEqual(["011+r", "012-r", "013+r"]);
    expect(moves).toMatchObject([{ from: null, to: "013+", events: [0, 1, 2] }]);
    expect(netOf(events).size).toBe(1);
  });

  it("tell whoever brings them again which events others may wait for", async () => {
    const log = openRows();
    const [first, moved] = [await there("r", 1), await there("r", 2, { buyer: "bob" })];
    log.take([first]);
    const taken = log.take([moved]);
    const again = log.take([first, moved]);
    expect(verdicts(again)).toEqual(["duplicate", "duplicate"]);
    expect(again.changes[0]?.events.map(({ eventId }) => eventId)).toEqual(["011+r"]);
    expect(new Set(again.changes[1]?.events)).toEqual(new Set(taken.events));
  });

  it("have nothing to take back where the image was erased", async () => {
    const change = await there("r", 2);
    if (!isChange(change)) throw new Error("no change");
    const row = { order: "011+", image: null };
    const { events, changes } = planChanges([change], [{ row, taken: null, tookBack: null }]);
    expect(events).toMatchObject([{ eventId: "012+r", sign: 1 }]);
    expect(changes).toMatchObject([{ verdict: "accepted", image: 0 }]);
  });

  it("of different rows, sources and tenants have nothing to do with each other", async () => {
    const one = await there("r", 1);
    const others = [one, { ...one, tenant: "u" }, { ...one, source: "other" }].filter(isChange);
    const none = { row: null, taken: null, tookBack: null };
    const { events, moves } = planChanges(others, [none, none, none]);
    expect(events.map(({ sign }) => sign)).toEqual([1, 1, 1]);
    expect(moves.map(({ tenant, source }) => [tenant, source])).toEqual([
      ["t", "orders"],
      ["u", "orders"],
      ["t", "other"],
    ]);
  });
});
