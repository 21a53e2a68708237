import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backfill } from "../../src/features/backfill.ts";
import { entity, featureView } from "../../src/features/define.ts";
import { count } from "../../src/features/aggregation.ts";
import {
  RejectedByStore,
  type EntityRef,
  type EventLog,
  type LogEvent,
  type RowMove,
} from "../../src/features/event-log.ts";
import { compileDefinitions } from "../../src/features/registry.ts";
import { appendBatch, type Appended } from "../../src/ingest/append-batch.ts";
import { entitiesOf, refText } from "../../src/ingest/entity-refs.ts";
import { prepareBatch } from "../../src/ingest/prepare-batch.ts";
import { append } from "../support/event-log-calls.ts";
import { withFaults } from "../support/fakes/with-faults.ts";
import { logEvent, newTenant } from "../support/log-events.ts";
import { inAnyOrder, seededRandom } from "../support/random.ts";
import { anyOrder, shuffled } from "../support/shuffle.ts";
import { truths, type Truth } from "../support/stores.ts";
import {
  anyChanges,
  changeOf,
  changesOf,
  netOf,
  order,
  orders,
  tableAfter,
  tables,
  type SentChange,
} from "../support/table-rows.ts";

const CONSUMERS = 6;

const inParallel = <T>(times: number, work: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: times }, (_, index) => work(index)));

/** Appends as a consumer does, up to the fold. */
async function bring(log: EventLog, events: readonly LogEvent[]): Promise<Appended> {
  const prepared = prepareBatch(tables, events);
  const ctx = { registry: tables, log };
  return appendBatch(ctx, prepared.events, prepared.touchedBy.flat(), 5_000);
}

const there = (tenant: string, id: string, at: number, fields = {}): Promise<LogEvent> =>
  changeOf(tenant, { id, order: at, row: order(id, fields) });
const gone = (tenant: string, id: string, at: number): Promise<LogEvent> =>
  changeOf(tenant, { id, order: at, row: null });

const buyerOf = (tenant: string, key: string): EntityRef => ({ tenant, entity: "buyer", key });
const shopOf = (tenant: string, key: string): EntityRef => ({ tenant, entity: "shop", key });

const lines = (events: readonly LogEvent[] | undefined): readonly string[] =>
  (events ?? []).map(({ eventId }) => eventId).toSorted();

describe.each(truths())("rows of tables %s", (where, open) => {
  let truth: Truth;
  let log: EventLog;
  beforeAll(async () => {
    truth = await open();
    log = truth.eventLog;
  });
  afterAll(() => truth.close());

  const eventsOf = (tenant: string): Promise<readonly LogEvent[]> =>
    truth.definitionStore.readEvents(tenant, orders.name, null, 100_000);

  const waitingFor = async (ref: EntityRef): Promise<readonly LogEvent[]> =>
    (await append(log, [], [ref])).entities[0]?.pending ?? [];

  /** The log adds up to the table, and every event waits for exactly the entities that it has. */
  async function expectTable(tenant: string, changes: readonly SentChange[]): Promise<void> {
    const events = await eventsOf(tenant);
    const table = tableAfter(changes);
    expect(netOf(events)).toEqual(table);
    const entities = new Map(
      events.flatMap((event) => entitiesOf(tables, event)).map((ref) => [refText(ref), ref]),
    );
    for (const [text, ref] of entities) {
      const own = events.filter((event) =>
        entitiesOf(tables, event).some((one) => refText(one) === text),
      );
      expect(lines(await waitingFor(ref))).toEqual(lines(own));
    }
    const ids = [...new Set(changes.map(({ id }) => id))];
    const probes = await Promise.all(ids.map((id) => gone(tenant, id, 1e9)));
    const stored = await log.readChanges(probes);
    for (const [i, id] of ids.entries()) {
      const image = stored[i]?.row?.image ?? null;
      const row = table.get(id);
      expect(netOf(image === null ? [] : [image])).toEqual(new Map(row ? [[id, row]] : []));
    }
  }

  describe("in the log", () => {
    const move = (tenant: string, fields: Partial<RowMove> = {}): RowMove => ({
      tenant,
      source: "payments",
      key: "r",
      from: null,
      to: "011+",
      imageId: "011+r",
      events: [0],
      ...fields,
    });
    const put = (events: readonly LogEvent[], moves: readonly RowMove[], refs: EntityRef[] = []) =>
      log.append({
        events,
        moves,
        contributions: refs.flatMap((ref) => events.map((_, event) => ({ ...ref, event }))),
        touched: refs,
        stateIds: [],
        now: 5_000,
      });
    const ask = (tenant: string, at: string, key = "r") =>
      log.readChanges([logEvent(tenant, `${at}${key}`, { row: { key, order: at } })]);

    it("move from where they were read, and from nowhere else", async () => {
      const tenant = newTenant();
      const ada = buyerOf(tenant, "ada");
      const first = logEvent(tenant, "011+r");
      const started = await put([first], [move(tenant)], [ada]);
      expect(started).toMatchObject({ verdicts: ["accepted"], moved: [true] });

      const [other, back, next] = ["other", "012*r", "012+r"].map((id) => logEvent(tenant, id));
      if (other === undefined || back === undefined || next === undefined) throw new Error();
      const onward = { to: "012+", imageId: "012+r", events: [1, 2] };
      for (const from of [null, "010+", "011-"]) {
        const lost = await put([other, back, next], [move(tenant, { ...onward, from })], [ada]);
        expect(lost.moved).toEqual([false]);
        expect(lost.verdicts.slice(1)).toEqual(["unsettled", "unsettled"]);
        expect(lines(lost.entities[0]?.pending)).toEqual(["011+r", "other"]);
      }
      const won = await put(
        [other, back, next],
        [move(tenant, { ...onward, from: "011+" })],
        [ada],
      );
      expect(won).toMatchObject({
        verdicts: ["duplicate", "accepted", "accepted"],
        moved: [true],
      });
      expect(lines(won.entities[0]?.pending)).toEqual(["011+r", "012*r", "012+r", "other"]);
      expect(lines(await waitingFor(ada))).toHaveLength(4);
      // Said again, because the answer was lost: they are further on.
      const again = await put(
        [back, next],
        [move(tenant, { ...onward, from: "011+", events: [0, 1] })],
      );
      expect(again).toMatchObject({ verdicts: ["unsettled", "unsettled"], moved: [false] });
    });

    it("are told with their image, and with what a change left", async () => {
      const tenant = newTenant();
      const none = { row: null, taken: null, tookBack: null };
      expect(await ask(tenant, "011+")).toEqual([none]);
      const [first, back, next] = [
        logEvent(tenant, "011+r", { eventTime: -5, originalEventTime: 7, knownAt: 3 }),
        logEvent(tenant, "012*r", { sign: -1 }),
        logEvent(tenant, "012+r", { body: '{"a":"1"}' }),
      ];
      await put([first], [move(tenant)]);
      expect(await ask(tenant, "011+")).toEqual([
        { row: { order: "011+", image: first }, taken: first, tookBack: null },
      ]);
      const onward = { from: "011+", to: "012+", imageId: "012+r", events: [0, 1] };
      await put([back, next], [move(tenant, onward)]);
      const row = { order: "012+", image: next };
      const both = await log.readChanges(
        ["011+", "012+", "015-"].map((at) =>
          logEvent(tenant, `${at}r`, { row: { key: "r", order: at } }),
        ),
      );
      expect(both).toEqual([
        { row, taken: first, tookBack: null },
        { row, taken: next, tookBack: back },
        { row, taken: null, tookBack: null },
      ]);
      await put([], [move(tenant, { from: "012+", to: "015-", imageId: null, events: [] })]);
      expect((await ask(tenant, "019+"))[0]?.row).toEqual({ order: "015-", image: null });
      expect(await ask(newTenant(), "012+")).toEqual([none]);
      expect(await log.readChanges([])).toEqual([]);
    });

    it("keep awkward keys apart and whole", async () => {
      const tenant = newTenant();
      const keys = ["NULL", "a,b", "a%2Cb", '"', "\\", "{}", "é", "e\u0301", "🜁", "'--"];
      const events = keys.map((key) => logEvent(tenant, `011+${key}`));
      const moves = keys.map((key, i) => move(tenant, { key, imageId: `011+${key}`, events: [i] }));
      expect((await put(events, moves)).moved).toEqual(keys.map(() => true));
      for (const [i, key] of keys.entries()) {
        expect((await ask(tenant, "019+", key))[0]?.row?.image).toEqual(events[i]);
      }
    });

    it("let one of many win each row, in whatever order they name them, without deadlocks", async () => {
      const tenant = newTenant();
      const keys = Array.from({ length: 300 }, (_, i) => `r${i}`);
      const random = seededRandom();
      for (const [from, to] of [
        [null, "011+"],
        ["011+", "012+"],
        ["012+", "013-"],
      ] as const) {
        const plain = keys.map((key) => logEvent(tenant, `plain-${to}${key}`));
        const before = truth.requests();
        const answers = await inParallel(CONSUMERS, async (consumer) => {
          const mine = inAnyOrder(keys, random);
          // Every other one only moves rows on: it has no events of theirs to lock before others.
          const withEvents = consumer % 2 === 0 ? mine : [];
          const images = withEvents.map((key) => logEvent(tenant, `${to}${key}-${consumer}`));
          const moves = mine.map((key, i) =>
            move(tenant, { key, from, to, imageId: null, events: i < images.length ? [i] : [] }),
          );
          const { moved, verdicts } = await put([...images, ...plain.toReversed()], moves);
          const ofImages = images.map((_, i) => verdicts[i]);
          expect(ofImages).toEqual(
            images.map((_, i) => (moved[i] === true ? "accepted" : "unsettled")),
          );
          return mine.filter((_, i) => moved[i]);
        });
        expect(truth.requests()).toBe(before === null ? null : before + CONSUMERS);
        expect(answers.flat().toSorted()).toEqual(keys.toSorted());
      }
    }, 30_000);

    it("are refused with what no store can keep, and the batch with them", async () => {
      const tenant = newTenant();
      const long = Array.from({ length: 99 }, newTenant).join("");
      for (const fields of [{ key: "a\0b" }, { to: "\ud800" }, { key: long }]) {
        const refused = put([logEvent(tenant, "e")], [move(tenant, fields)]);
        await expect(refused).rejects.toBeInstanceOf(RejectedByStore);
      }
      await expect(ask(tenant, "011+", "a\0b")).rejects.toBeInstanceOf(RejectedByStore);
      expect((await put([logEvent(tenant, "e")], [])).verdicts).toEqual(["accepted"]);
    });
  });

  it("end as the highest orders say, in any order, repeated, in any batches", async () => {
    const script = fc.record({
      changes: anyChanges,
      copies: fc.integer({ min: 1, max: 2 }),
      perBatch: fc.integer({ min: 1, max: 8 }),
      deliveries: anyOrder,
    });
    await fc.assert(
      fc.asyncProperty(script, async ({ changes, copies, perBatch, deliveries }) => {
        const tenant = newTenant();
        const sent = await Promise.all(changes.map((change) => changeOf(tenant, change)));
        const all = shuffled(Array.from({ length: copies }, () => sent).flat(), deliveries);
        for (let at = 0; at < all.length; at += perBatch) {
          const { verdicts } = await bring(log, all.slice(at, at + perBatch));
          expect([...verdicts.values()]).not.toContain("conflict");
        }
        await expectTable(tenant, changes);
      }),
      { numRuns: where === "in memory" ? 100 : 15 },
    );
  }, 60_000);

  it("that move to another entity leave something for both, also when brought again", async () => {
    const tenant = newTenant();
    const moved = await there(tenant, "r", 2, { buyer: "bob" });
    await bring(log, [await there(tenant, "r", 1)]);
    // The consumer dies after its append; another one gets what it had.
    await bring(log, [moved]);
    const { verdicts, touchedBy, entities } = await bring(log, [moved]);
    expect([...verdicts.values()]).toEqual(["duplicate"]);
    const refs = [buyerOf(tenant, "ada"), buyerOf(tenant, "bob"), shopOf(tenant, "s1")];
    expect(new Set(touchedBy.get(moved)?.map(refText))).toEqual(new Set(refs.map(refText)));
    const pending = refs.map((ref) => lines(entities.get(refText(ref))?.pending));
    expect(pending).toEqual([["011+r", "012*r"], ["012+r"], ["011+r", "012*r", "012+r"]]);

    const deletion = await gone(tenant, "r", 3);
    await bring(log, [deletion]);
    const again = await bring(log, [deletion]);
    expect(lines(again.entities.get(refText(buyerOf(tenant, "bob")))?.pending)).toEqual([
      "012+r",
      "013-r",
    ]);
    expect(again.touchedBy.get(deletion)?.map(refText)).toContain(refText(refs[1] ?? refs[0]!));
  });

  it("have one of two different images of one order, and the other is a conflict", async () => {
    const tenant = newTenant();
    const [one, other] = [await there(tenant, "r", 1), await there(tenant, "r", 1, { shop: "s2" })];
    const prepared = prepareBatch(tables, [one, one, other]);
    expect(prepared.events).toEqual([one]);
    expect(prepared.refused).toMatchObject([{ event: other, reason: "event_id_conflict" }]);
    await bring(log, [one]);
    expect((await bring(log, [other])).verdicts).toEqual(new Map([[other, "conflict"]]));
    await bring(log, [await there(tenant, "r", 2)]);
    expect((await bring(log, [other])).verdicts).toEqual(new Map([[other, "conflict"]]));
    expect(netOf(await eventsOf(tenant)).size).toBe(1);
  });

  it("are read and planned anew where somebody else moved them meanwhile", async () => {
    const tenant = newTenant();
    const before = await there(tenant, "r", 1);
    await bring(log, [before]);
    const meanwhile = [await there(tenant, "r", 2, { buyer: "bob" }), await gone(tenant, "r", 9)];
    const overtaken = withFaults(log, {
      before: async (method) => {
        const next = method === "append" ? meanwhile.shift() : undefined;
        if (next !== undefined) await bring(log, [next]);
      },
    });
    const [mine, neighbour] = [
      await there(tenant, "r", 5, { buyer: "eve" }),
      await there(tenant, "q", 1),
    ];
    const { verdicts } = await bring(overtaken, [mine, neighbour]);
    expect(verdicts).toEqual(
      new Map([
        [mine, "stale"],
        [neighbour, "accepted"],
      ]),
    );
    expect(new Set(netOf(await eventsOf(tenant)).keys())).toEqual(new Set(["q"]));
  });

  it("are left to a later delivery where others move them again and again", async () => {
    const tenant = newTenant();
    let at = 0;
    const contested = withFaults(log, {
      before: async (method) => {
        if (method !== "append") return;
        at += 1;
        await bring(log, [await there(tenant, "r", at, { amount: String(at) })]);
      },
    });
    const mine = await there(tenant, "r", 1_000);
    await expect(bring(contested, [mine])).rejects.toMatchObject({
      code: "dependency_unavailable",
    });
    expect((await bring(log, [mine])).verdicts).toEqual(new Map([[mine, "accepted"]]));
  });

  it("are all taken but for the one change that the store refuses", async () => {
    const tenant = newTenant();
    const changes = [
      await there(tenant, "r", 1),
      { ...(await there(tenant, "q", 1)), bodyHash: "xyz" },
      await there(tenant, "r", 2, { buyer: "bob" }),
      await gone(tenant, "p", 1),
      await there(tenant, "q", 2),
    ];
    const { refused, verdicts } = await bring(log, changes);
    expect(refused).toMatchObject([{ event: changes[1], reason: "store_refused" }]);
    expect([...verdicts.values()]).toEqual(["accepted", "accepted", "accepted", "accepted"]);
    expect(new Set(netOf(await eventsOf(tenant)).keys())).toEqual(new Set(["r", "q"]));
  });

  it("of erased entities move on without what was erased", async () => {
    const tenant = newTenant();
    const [first, second] = [
      await there(tenant, "r", 1),
      { ...(await there(tenant, "r", 2, { buyer: "bob" })), ingestTime: 9e12 },
    ];
    await truth.putTombstone(buyerOf(tenant, "ada"), first.ingestTime);
    expect((await bring(log, [first])).verdicts).toEqual(new Map([[first, "erased"]]));
    expect((await bring(log, [first])).verdicts).toEqual(new Map([[first, "duplicate"]]));
    expect((await bring(log, [second])).verdicts).toEqual(new Map([[second, "accepted"]]));
    expect(lines(await eventsOf(tenant))).toEqual(["012+r"]);
  });

  it("that change their key are gone under the old one", async () => {
    const tenant = newTenant();
    const moved = { op: "update", row: order("new"), before: { order_id: "old" }, order: 2 };
    await bring(log, await changesOf(tenant, { op: "insert", row: order("old"), order: 1 }));
    await bring(log, await changesOf(tenant, moved));
    await bring(log, await changesOf(tenant, moved));
    expect(lines(await eventsOf(tenant))).toEqual(["011+old", "012+new", "012-old"]);
    expect(netOf(await eventsOf(tenant))).toEqual(
      new Map([["new", order("new", { amount: "1.5" })]]),
    );
  });

  it("give a new kind of entity what was added and what was taken back", async () => {
    const tenant = newTenant();
    await bring(log, [await there(tenant, "r", 1), await there(tenant, "q", 1)]);
    await bring(log, [await there(tenant, "r", 2, { amount: "7" }), await gone(tenant, "q", 2)]);
    const region = entity("region", { key: "region" });
    const view = featureView("by_region", {
      entity: region,
      source: orders,
      key: { region: "shop" as const },
      features: { n: count() },
    });
    const { views } = compileDefinitions([region, orders, view]);
    const folded: EntityRef[] = [];
    const ctx = {
      definitions: truth.definitionStore,
      archive: { listTenants: async () => [tenant] },
      now: () => 9_000,
      fold: async (refs: readonly EntityRef[]) => void folded.push(...refs),
      progress: () => undefined,
    };
    expect(await backfill(ctx, [...views.values()])).toBe(5);
    expect(folded).toEqual([{ tenant, entity: "region", key: "s1" }]);
    const waiting = await waitingFor({ tenant, entity: "region", key: "s1" });
    expect(lines(waiting)).toEqual(["011+q", "011+r", "012*r", "012+r", "012-q"]);
    expect([...netOf(waiting).keys()]).toEqual(["r"]);
    expect(await backfill(ctx, [...views.values()])).toBe(0);
  });

  it("end right under consumers at once, and no deadlock is retried", async () => {
    const tenant = newTenant();
    const ids = ["a", "b", "c", "d"];
    const changes = Array.from({ length: 120 }, (_, i): SentChange => {
      const id = ids[(i * 7) % ids.length] ?? "a";
      const fields = { buyer: i % 3 === 0 ? "ada" : "bob", amount: String(i % 4) };
      return { id, order: (i * 37) % 120, row: i % 9 === 0 ? null : order(id, fields) };
    });
    const sent = await Promise.all(changes.map((change) => changeOf(tenant, change)));
    const queue = Array.from({ length: 30 }, (_, i) => [
      ...sent.slice(i * 4, i * 4 + 4),
      // Shared by all, so that rows, events and contributions are locked by several at once.
      logEvent(tenant, `plain-${i % 3}`, { source: "others", body: "{}" }),
    ]);
    const batches = [...queue, ...queue.toReversed()];
    let calls = 0;
    const counted = withFaults(log, { before: () => void (calls += 1) });
    const before = truth.requests();
    const ctx = { registry: tables, log: counted };
    await inParallel(CONSUMERS, async (consumer) => {
      for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
        const mixed = consumer % 2 === 0 ? batch : batch.toReversed();
        // What stays contested is delivered again.
        await appendBatch(ctx, mixed, [], 5_000).catch(() => void batches.push(mixed));
      }
    });
    expect(truth.requests()).toBe(before === null ? null : before + calls);
    await expectTable(tenant, changes);
  }, 30_000);
});
