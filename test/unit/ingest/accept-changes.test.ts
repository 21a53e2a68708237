import { describe, expect, it } from "vitest";
import type { LogEvent } from "../../../src/features/event-log.ts";
import { acceptEvents, type AcceptAnswer } from "../../../src/ingest/accept.ts";
import { applyEvents } from "../../../src/ingest/apply.ts";
import { readRecords } from "../../../src/ingest/body.ts";
import { applying, consume } from "../../../src/ingest/consume.ts";
import type { IngestMessage } from "../../../src/ingest/envelope.ts";
import { eventToKeep, readKept } from "../../../src/ingest/kept.ts";
import { packEvents } from "../../../src/ingest/pack.ts";
import { parseMessage } from "../../../src/ingest/parse-message.ts";
import { replay } from "../../../src/ingest/replay.ts";
import { withFaults } from "../../support/fakes/with-faults.ts";
import { changeOf, order, ROWS_NOW, tables } from "../../support/table-rows.ts";
import { openFilledWorld, openWorld, type World } from "../../support/world.ts";
import { deliver, eventsMessage } from "../../support/write-path.ts";

const contextOf = (world: World) => ({
  ...world.ctx({ registry: tables }),
  quarantine: world.quarantine,
  definitions: world.definitions,
  sleep: async () => undefined,
});

/** Accepts JSON records, as sent in one request. */
async function accept(
  world: World,
  values: readonly unknown[],
  knownAt: number | null = null,
): Promise<AcceptAnswer> {
  const body = new TextEncoder().encode(JSON.stringify(values));
  const records = readRecords("application/json", body).map((one) => ({
    value: one,
    text: one.text,
    knownAt,
  }));
  const input = { tenant: "t", source: "orders", waitApplied: false, traceparent: null };
  return acceptEvents(contextOf(world), { ...input, records });
}

const queued = (world: World): readonly IngestMessage[] =>
  world.queue.drain().map(({ body }) => body);

const eventsOf = (messages: readonly IngestMessage[]): readonly LogEvent[] =>
  messages.flatMap((message) => (message.kind === "events" ? message.events : []));

const waiting = async (world: World) =>
  (await world.quarantine.list("t", { limit: 50, cursor: null, source: null })).items.filter(
    ({ replayedAt }) => replayedAt === null,
  );

const upsert = (id: string, at: number, fields = {}) => ({
  op: "upsert",
  row: order(id, fields),
  order: at,
});

describe("accepting changes of rows", () => {
  it("counts records, and names each by the row that it makes", async () => {
    const world = openWorld(tables);
    const moved = { ...upsert("b", 2), before: { order_id: "a" } };
    const answer = await accept(world, [
      upsert("a", 1),
      moved,
      upsert("a", 1, { amount: 1.5 }),
      moved,
      { op: "delete", row: { order_id: "a" }, order: 2 },
      upsert("a", 1, { amount: "7" }),
      { op: "delete", row: { order_id: "c" }, order: 3 },
      order("d"),
    ]);
    expect(answer).toMatchObject({
      accepted: 3,
      duplicates: 3,
      eventIds: ["011+a", "012+b", "013-c"],
      rejected: [
        { index: 5, code: "event_id_conflict" },
        { index: 7, code: "invalid_event" },
      ],
    });
    const events = eventsOf(queued(world));
    expect(events.map(({ eventId }) => eventId)).toEqual(["011+a", "012-a", "012+b", "013-c"]);
  });

  it("imports them with the time at which they were known", async () => {
    const world = openWorld(tables);
    await accept(world, [upsert("a", 1)], world.clock.now - 9);
    await accept(world, [{ op: "delete", row: { order_id: "a" }, order: 2 }], world.clock.now - 5);
    await world.consume(queued(world));
    const known = [...world.truth.events.values()].map(({ sign, knownAt }) => [sign, knownAt]);
    expect(known).toEqual([
      [1, world.clock.now - 9],
      [-1, world.clock.now - 5],
    ]);
  });

  it("makes messages that the consumer reads back whole, and quarantine keeps", async () => {
    const changes = [
      await changeOf("t", { id: "a,b%", order: 5, row: order("a,b%") }),
      await changeOf("t", { id: "ぶどう", order: 6, row: null }),
    ];
    const [message] = packEvents(changes, null, null);
    const parsed = parseMessage(JSON.parse(JSON.stringify(message)));
    expect(parsed).toEqual({ ok: true, value: message });
    for (const change of changes) {
      expect(readKept(eventToKeep(change))).toEqual({
        ok: true,
        value: { kind: "event", event: change },
      });
    }
    for (const row of [{}, { key: "", order: "011+" }, { key: "a", order: "011" }, null]) {
      const bad = { ...changes[0], row } as unknown as LogEvent;
      expect(parseMessage(eventsMessage([bad]))).toMatchObject({ ok: false });
    }
    // Keys of 512 bytes come twice in an id and a row, and still fit.
    const long = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        changeOf("t", { id: "漢".repeat(150) + String(i), order: 5, row: null }),
      ),
    );
    for (const one of packEvents(long, null, null)) {
      expect(new TextEncoder().encode(JSON.stringify(one)).length).toBeLessThan(128_000);
    }
  });

  it("answers a wait only when both entities of a moved row are up to date", async () => {
    const world = await openFilledWorld(tables);
    const ctx = applying(world.ctx({ registry: tables }));
    const first = await changeOf("t", { id: "r", order: 1, row: order("r") });
    const moved = await changeOf("t", { id: "r", order: 2, row: order("r", { buyer: "bob" }) });
    const gone = await changeOf("t", { id: "r", order: 3, row: null });
    await applyEvents(ctx, [first], []);
    for (const attempt of ["first", "again"]) {
      const { touchedBy, figures } = await applyEvents(ctx, [moved, moved], []);
      expect(figures).toMatchObject(
        attempt === "first" ? { accepted: 1, duplicates: 0 } : { accepted: 0, duplicates: 1 },
      );
      for (const refs of touchedBy) {
        expect(new Set(refs.map(({ key }) => key))).toEqual(new Set(["ada", "bob", "s1"]));
      }
    }
    for (let times = 0; times < 2; times += 1) {
      const { touchedBy } = await applyEvents(ctx, [gone], []);
      expect(new Set(touchedBy.flat().map(({ key }) => key))).toEqual(new Set(["bob", "s1"]));
    }
    expect((await applyEvents(ctx, [moved, first], [])).figures).toMatchObject({ duplicates: 2 });
    const late = await changeOf("t", { id: "r", order: 0, row: order("r") });
    expect((await applyEvents(ctx, [late], [])).figures).toMatchObject({ accepted: 0, stale: 1 });
  });

  it("reads the log once more for a batch with changes, and for no other", async () => {
    const world = await openFilledWorld(tables);
    const calls: string[] = [];
    const log = withFaults(world.log, { before: (method) => void calls.push(method) });
    const change = await changeOf("t", { id: "r", order: 1, row: order("r") });
    const ctx = world.ctx({ registry: tables, log });
    await consume(ctx, [deliver(eventsMessage([change]), "m")]);
    expect(calls).toEqual(["readChanges", "append", "commit", "settleOutbox"]);
  });
});

describe("changes of rows that are refused", () => {
  it("are accepted once they are right, as they were sent", async () => {
    const world = await openFilledWorld(tables);
    const early = upsert("a", 1, { created_at: ROWS_NOW + 400_000 });
    const { rejected } = await accept(world, [early]);
    expect(rejected).toMatchObject([{ index: 0, code: "event_in_future" }]);
    await world.drain();
    world.clock.now = ROWS_NOW + 400_000;
    const ids = (await waiting(world)).map(({ id }) => id);
    expect(ids).toEqual([rejected[0]?.quarantineId]);
    const outcome = await replay(contextOf(world), { tenant: "t", ids });
    expect(outcome).toEqual({ replayed: ids, refused: [], notFound: [] });
    await world.drain();
    expect([...world.truth.events.values()].map(({ eventId }) => eventId)).toEqual(["011+a"]);
  });

  it("by the consumer are delivered again just as they were, masked once", async () => {
    const world = await openFilledWorld(tables);
    const [one, other] = [
      await changeOf("t", { id: "r", order: 1, row: order("r") }),
      await changeOf("t", { id: "r", order: 1, row: order("r", { shop: "s2" }) }),
    ];
    await world.consume([eventsMessage([one])]);
    await world.consume([eventsMessage([other])]);
    const [entry] = await waiting(world);
    expect(entry).toMatchObject({ reason: "event_id_conflict", eventId: "011+r" });
    const ids = [entry?.id ?? ""];
    expect(await replay(contextOf(world), { tenant: "t", ids })).toMatchObject({ replayed: ids });
    const messages = queued(world);
    expect(eventsOf(messages)).toEqual([other]);
    await world.consume(messages);
    expect((await waiting(world)).map(({ id }) => id)).toEqual(ids);
    expect(world.truth.events.size).toBe(1);
  });
});
