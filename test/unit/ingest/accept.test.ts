import { describe, expect, it } from "vitest";
import { z } from "zod";
import { AppError } from "../../../src/errors.ts";
import { count } from "../../../src/features/aggregation.ts";
import { entity, featureView } from "../../../src/features/define.ts";
import { apiKey, eventSource } from "../../../src/features/define-source.ts";
import { decimal, pii } from "../../../src/features/fields.ts";
import { compileDefinitions } from "../../../src/features/registry.ts";
import {
  acceptEvents,
  type AcceptAnswer,
  type AcceptContext,
  type AcceptInput,
  type RecordToAccept,
} from "../../../src/ingest/accept.ts";
import { readRecords } from "../../../src/ingest/body.ts";
import type { IngestMessage } from "../../../src/ingest/envelope.ts";
import { readKept } from "../../../src/ingest/kept.ts";
import { SECOND_MS } from "../../../src/time.ts";
import { NOON, openFilledWorld, openWorld, type World } from "../../support/world.ts";
import { vault } from "../../support/write-path.ts";

const buyer = entity("buyer", { key: "buyer" });
const sales = eventSource("sales", {
  schema: z.object({
    id: z.string(),
    at: z.number(),
    buyer: z.string(),
    email: pii(z.email(), "token").optional(),
    amount: decimal(),
  }),
  id: "id",
  eventTime: "at",
  accept: [apiKey()],
});
const registry = compileDefinitions([
  buyer,
  sales,
  featureView("by_buyer", { entity: buyer, source: sales, features: { n: count() } }),
]);

const sale = (id: string, fields: object = {}) => ({
  id,
  at: NOON - 1e3,
  buyer: "b",
  amount: "1.50",
  ...fields,
});

const recordsOf = (...values: readonly unknown[]): readonly RecordToAccept[] =>
  readRecords("application/json", new TextEncoder().encode(JSON.stringify(values))).map((one) => ({
    value: one,
    text: one.text,
    knownAt: null,
  }));

async function accept(
  world: World,
  records: readonly RecordToAccept[],
  input: Partial<AcceptInput> = {},
  parts: Partial<AcceptContext> = {},
): Promise<AcceptAnswer> {
  return acceptEvents(
    { ...world.ctx({ registry }), sleep: async (ms) => void (world.clock.now += ms), ...parts },
    { tenant: "t", source: "sales", records, waitApplied: false, traceparent: null, ...input },
  );
}

const bodies = (world: World): readonly IngestMessage[] =>
  world.queue.drain().map(({ body }) => body);

const eventsOf = (messages: readonly IngestMessage[]) =>
  messages.flatMap((message) => (message.kind === "events" ? message.events : []));

const entriesOf = (messages: readonly IngestMessage[]) =>
  messages.flatMap((message) => (message.kind === "quarantine" ? message.entries : []));

describe("accepting events", () => {
  it("says of each record what became of it, and sends what is good", async () => {
    const world = openWorld(registry);
    const records = recordsOf(
      sale("a"),
      sale("b", { amount: "x" }),
      sale("a", { more: true, amount: 1.5 }),
      sale("a", { amount: "2" }),
      sale("c", { at: NOON + 301_000 }),
      sale("d"),
      "no object",
    );
    const answer = await accept(world, records);
    expect(answer).toMatchObject({
      accepted: 2,
      duplicates: 1,
      eventIds: ["a", "d"],
      applied: null,
      rejected: [
        {
          index: 1,
          code: "invalid_event",
          detail: "amount: expected a decimal of at most 38 digits",
        },
        {
          index: 3,
          code: "event_id_conflict",
          detail: "another event of this request has the same id and a different body",
        },
        { index: 4, code: "event_in_future" },
        { index: 6, code: "invalid_event", detail: "expected an object" },
      ],
    });
    const messages = bodies(world);
    expect(eventsOf(messages).map(({ eventId, ingestTime }) => [eventId, ingestTime])).toEqual([
      ["a", NOON],
      ["d", NOON],
    ]);
    expect(entriesOf(messages).map(({ id }) => id)).toEqual(
      answer.rejected.map(({ quarantineId }) => quarantineId),
    );
  });

  it("keeps a refused record whole, sealed for its quarantine entry alone", async () => {
    const world = openWorld(registry);
    const bad = sale("b", { amount: "x", email: "ada@example.com" });
    await accept(world, recordsOf(bad));
    const messages = bodies(world);
    expect(JSON.stringify(messages)).not.toContain("example.com");
    const [entry] = entriesOf(messages);
    expect(entry).toMatchObject({ tenant: "t", source: "sales", eventId: null, receivedAt: NOON });
    const opened = await vault.open("t", entry?.id ?? "", entry?.payload ?? "");
    const kept = readKept(opened.ok ? opened.value : "");
    expect(kept).toMatchObject({ ok: true, value: { kind: "record", text: JSON.stringify(bad) } });
    expect((await vault.open("t", "qrt_other", entry?.payload ?? "")).ok).toBe(false);
    expect((await vault.open("other", entry?.id ?? "", entry?.payload ?? "")).ok).toBe(false);
  });

  it("lets no personal value reach the queue", async () => {
    const world = openWorld(registry);
    await accept(world, recordsOf(sale("a", { email: "Ada@example.com" })));
    expect(JSON.stringify(bodies(world))).not.toMatch(/example\.com/i);
  });

  it("is refused for a source that there is not, before anything is sent", async () => {
    const world = openWorld(registry);
    const refused = accept(world, recordsOf(sale("a")), { source: "toString" });
    await expect(refused).rejects.toMatchObject({ code: "not_found" });
    expect(bodies(world)).toEqual([]);
  });

  it("needs the queue alone, and passes on what that says", async () => {
    const world = openWorld(registry);
    const down = new AppError("too_many_requests", "The queue asks for less.");
    const queue = { send: async () => Promise.reject(down) };
    const online = { countApplied: async () => expect.unreachable() };
    await expect(accept(world, recordsOf(sale("a")), {}, { queue, online })).rejects.toBe(down);
    expect(await accept(world, [], {}, { queue, online })).toMatchObject({ accepted: 0 });
    expect(await accept(world, recordsOf(sale("a")), {}, { online })).toMatchObject({
      accepted: 1,
    });
  });

  it("imports with the time at which an event was known, but never later than now", async () => {
    const world = openWorld(registry);
    const [one, late, both] = recordsOf(sale("a"), sale("b"), sale("a"));
    if (one === undefined || late === undefined || both === undefined) throw new Error("no record");
    const answer = await accept(world, [
      { ...one, knownAt: NOON - 5 },
      { ...late, knownAt: NOON + 1 },
      { ...both, knownAt: NOON },
    ]);
    expect(answer).toMatchObject({ accepted: 1, duplicates: 1 });
    expect(answer.rejected).toMatchObject([
      { index: 1, code: "event_in_future", detail: "known_at: later than now" },
    ]);
    expect(eventsOf(bodies(world)).map(({ knownAt }) => knownAt)).toEqual([NOON - 5]);
  });

  it("carries the trace of the request", async () => {
    const world = openWorld(registry);
    await accept(world, recordsOf(sale("a")), { traceparent: "00-1-2-01" });
    expect(bodies(world)).toMatchObject([{ traceparent: "00-1-2-01", wait: null }]);
  });
});

describe("waiting until events are visible", () => {
  const waitApplied = true;

  it("ends when every part is, however often each is told", async () => {
    const world = await openFilledWorld(registry);
    const records = recordsOf(...Array.from({ length: 120 }, (_, i) => sale(`e${i}`)));
    let sleeps = 0;
    let parts: readonly IngestMessage[] = [];
    const sleep = async (ms: number): Promise<void> => {
      world.clock.now += ms;
      sleeps += 1;
      if (sleeps === 1) parts = bodies(world);
      expect(parts).toHaveLength(3);
      const [first, second, third] = parts;
      if (sleeps === 2) await world.consume([first, first], { registry });
      if (sleeps === 3) await world.consume([second, first], { registry });
      if (sleeps === 5) await world.consume([third], { registry });
    };
    const answer = await accept(world, records, { waitApplied }, { sleep });
    expect([answer.accepted, answer.applied, sleeps]).toEqual([120, true, 5]);
  });

  it("ends after ten seconds, with the events accepted all the same", async () => {
    const world = await openFilledWorld(registry);
    const answer = await accept(world, recordsOf(sale("a")), { waitApplied });
    expect(answer).toMatchObject({ accepted: 1, applied: false });
    expect(world.clock.now - NOON).toBeGreaterThanOrEqual(10 * SECOND_MS);
    expect(world.clock.now - NOON).toBeLessThan(10.5 * SECOND_MS);
    expect(bodies(world)).toHaveLength(1);
  });

  it("asks ever less often", async () => {
    const world = await openFilledWorld(registry);
    let asked = 0;
    const online = { countApplied: async () => (asked += 1) - asked };
    await accept(world, recordsOf(sale("a")), { waitApplied }, { online });
    expect(asked).toBeGreaterThan(10);
    expect(asked).toBeLessThan(45);
  });

  it("bears a store that is down, and goes on when it is back", async () => {
    const world = await openFilledWorld(registry);
    let asked = 0;
    const countApplied = async (): Promise<number> => {
      asked += 1;
      if (asked < 4) throw new AppError("dependency_unavailable", "down");
      return 1;
    };
    const input = { waitApplied };
    const parts = { online: { countApplied } };
    expect((await accept(world, recordsOf(sale("a")), input, parts)).applied).toBe(true);
    const down = async () => Promise.reject(new AppError("timeout", "down"));
    const never = { online: { countApplied: down } };
    expect((await accept(world, recordsOf(sale("b")), input, never)).applied).toBe(false);
    const broken = { online: { countApplied: async () => Promise.reject(new TypeError("a bug")) } };
    await expect(accept(world, recordsOf(sale("c")), input, broken)).rejects.toThrow("a bug");
  });

  it("has nothing to wait for where nothing was accepted, whatever the store does", async () => {
    const world = await openFilledWorld(registry);
    const online = { countApplied: async () => expect.unreachable() };
    const parts = { online, sleep: async () => expect.unreachable() };
    const refused = await accept(world, recordsOf(sale("")), { waitApplied }, parts);
    expect(refused).toMatchObject({ accepted: 0, applied: true });
    expect(await accept(world, [], { waitApplied }, parts)).toMatchObject({ applied: true });
  });
});
