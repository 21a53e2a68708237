import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LogEvent } from "../../../src/features/event-log.ts";
import { packEvents } from "../../../src/ingest/pack.ts";
import { readingEvent } from "../../support/world.ts";

const bytesOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length;

/** The queue takes 128,000 bytes with about 100 of its own. */
const MOST = 127_900;

/** The largest that everything around body and id can be. */
const event = (id: string, extra: string): LogEvent => {
  const body = JSON.stringify({ at: "1795324745202", extra, id });
  const wide = { tenant: "t".repeat(63), source: "s".repeat(63), originalEventTime: 1.8e12 };
  return { ...readingEvent(id), ...wide, orderKey: id, body, knownAt: 1.8e12 };
};

const TEXTS = ["a", "漢", '"', "\\", "\u0001", "é", "🍇"];
const anyEvent = fc
  .tuple(
    fc.constantFrom(...TEXTS),
    fc.integer({ min: 1, max: 256 }),
    fc.constantFrom(...TEXTS),
    fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 30_000 }), fc.constant(60_000)),
  )
  .map(([id, length, extra, size]) =>
    event(id.repeat(Math.floor(length / id.length)), extra.repeat(size)),
  )
  .filter(({ body, eventId }) => eventId !== "" && bytesOf(body) <= 120_000 && fits(body));

/** An event is not accepted with a body above this. */
const fits = (body: string): boolean => new TextEncoder().encode(body).length <= 60_000;

describe("packing events", () => {
  it("keeps every message within what the queue takes, and loses nothing", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyEvent, fc.integer({ min: 1, max: 60 }))), (some) => {
        const events = some.flatMap(([one, copies]) => Array<LogEvent>(copies).fill(one));
        const messages = packEvents(events, `req_${"0".repeat(26)}`, "0".repeat(55));
        for (const message of messages) expect(bytesOf(message)).toBeLessThanOrEqual(MOST);
        const packed = messages.flatMap((one) => (one.kind === "events" ? one.events : []));
        expect(packed).toEqual(events);
      }),
      { numRuns: 60 },
    );
  });

  it("takes long ids into account, which stand in an event three times", () => {
    const events = Array.from({ length: 100 }, () => event("漢".repeat(256), ""));
    for (const message of packEvents(events, null, null)) {
      expect(bytesOf(message)).toBeLessThanOrEqual(MOST);
    }
  });

  it("takes an event of the largest body, all quotes", () => {
    const largest = event("漢".repeat(256), '"'.repeat(29_500));
    expect(fits(largest.body)).toBe(true);
    const messages = packEvents([largest, largest], null, null);
    expect(messages).toHaveLength(2);
    expect(bytesOf(messages[0])).toBeLessThanOrEqual(MOST);
  });

  it("puts fifty ordinary events into a message, and numbers the parts of a request", () => {
    const messages = packEvents(
      Array.from({ length: 101 }, (_, i) => readingEvent(`e${i}`)),
      "req_1",
      "00-1",
    );
    expect(messages.map((one) => one.kind === "events" && [one.events.length, one.wait])).toEqual([
      [50, { token: "req_1", part: 0 }],
      [50, { token: "req_1", part: 1 }],
      [1, { token: "req_1", part: 2 }],
    ]);
    expect(messages[0]).toMatchObject({ v: 1, traceparent: "00-1" });
    expect(packEvents([readingEvent("e")], null, null)[0]).toMatchObject({ wait: null });
    expect(packEvents([], "req_1", null)).toEqual([]);
  });
});
