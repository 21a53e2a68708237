import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.ts";
import { RejectedByStore, type LogEvent } from "../../../src/features/event-log.ts";
import { compileDefinitions } from "../../../src/features/registry.ts";
import { consume } from "../../../src/ingest/consume.ts";
import { NOBODY } from "../../../src/ingest/unreadable.ts";
import type { IngestMessage } from "../../../src/ingest/envelope.ts";
import { readKept } from "../../../src/ingest/kept.ts";
import { eventKey } from "../../support/fakes/memory-truth.ts";
import { withFaults } from "../../support/fakes/with-faults.ts";
import { loggedAnswer } from "../../support/skew.ts";
import { corrections, device } from "../../support/views.ts";
import { NOON, openFilledWorld, readingEvent, type World } from "../../support/world.ts";
import {
  corrected,
  eventsMessage,
  readView,
  vault,
  type TestDelivery,
} from "../../support/write-path.ts";

const down = new AppError("dependency_unavailable", "down");

/** A port of which some methods fail. */
const broken = <T extends object>(port: T, ...methods: readonly string[]): T =>
  withFaults(port, {
    before(method) {
      if (methods.length === 0 || methods.includes(method)) throw down;
    },
  });

const outcomes = (deliveries: readonly TestDelivery[]): readonly string[] =>
  deliveries.map(({ outcome }) => outcome());

const counts = async (world: World, keys: readonly string[]) =>
  (await readView(world.online, "t", "by_device", keys, NOON)).results.map(
    ({ values, version }) => `${values[0] as number} at ${version["by_device"]}`,
  );

const inQuarantine = (world: World) =>
  [...world.truth.quarantine.values()].map(
    ({ tenant, reason, detail, eventId }) => `${tenant} ${reason} ${eventId}: ${detail}`,
  );

/** An event whose level no number is; accepting would have refused it. */
const poison = (order: string): LogEvent => {
  const event = readingEvent(order);
  return { ...event, body: event.body.replace('"level":"2"', '"level":"ada@example.com"') };
};

describe("consuming a batch", () => {
  it("applies what is new, counts what is not, and acknowledges both", async () => {
    const world = await openFilledWorld();
    const message = eventsMessage([readingEvent("a"), readingEvent("b"), readingEvent("a")]);
    expect(outcomes(await world.consume([message, message]))).toEqual(["acked", "acked"]);
    expect(await counts(world, ["d"])).toEqual(["2 at 1.2"]);
    const figures = await consume(world.ctx(), []);
    expect(figures).toMatchObject({ accepted: 0, retried: 0 });
    expect(await world.log.findUnfinished(Number.MAX_SAFE_INTEGER, 9)).toEqual([]);
    expect(inQuarantine(world)).toEqual([]);
  });

  it("lets an event that no view can take harm nobody, and quarantines it once", async () => {
    const world = await openFilledWorld();
    const message = eventsMessage([readingEvent("a"), poison("p"), readingEvent("b")]);
    for (let i = 0; i < 3; i += 1)
      expect(outcomes(await world.consume([message]))).toEqual(["acked"]);
    // It has a number, of an event that the view does without.
    expect(await counts(world, ["d"])).toEqual(["2 at 1.3"]);
    expect(inQuarantine(world)).toEqual(["t fold_failed p: level: expected a decimal number"]);
    const [item] = world.truth.quarantine.values();
    const opened = await vault.open("t", item?.id ?? "", item?.payload ?? "");
    expect(readKept(opened.ok ? opened.value : "")).toEqual({
      ok: true,
      value: { kind: "event", event: poison("p") },
    });
    expect(await world.log.findUnfinished(Number.MAX_SAFE_INTEGER, 9)).toEqual([]);
  });

  it("counts an event in every view that can take it, and quarantines it once", async () => {
    const world = await openFilledWorld();
    const event = readingEvent("p");
    const half = { ...event, body: event.body.replace('"price":"1.5"', '"price":"dear"') };
    const both = eventsMessage([half, readingEvent("a")]);
    for (let i = 0; i < 2; i += 1) await world.consume([both]);
    expect(await counts(world, ["d"])).toEqual(["1 at 1.2"]);
    const colour = await readView(world.online, "t", "by_colour", ["red"], NOON);
    expect([colour.results[0]?.values[0], colour.results[0]?.version]).toEqual([
      2,
      { by_colour: "1.2" },
    ]);
    expect(inQuarantine(world)).toEqual(["t fold_failed p: price: expected a decimal number"]);
  });

  it("keeps a poison event before it leaves what is pending, so that no crash loses it", async () => {
    const world = await openFilledWorld();
    const message = eventsMessage([poison("p")]);
    expect(outcomes(await world.consume([message], { log: broken(world.log, "commit") }))).toEqual([
      "retried",
    ]);
    expect(inQuarantine(world)).toHaveLength(1);
    const quarantine = broken(world.quarantine);
    expect(outcomes(await world.consume([message], { quarantine }))).toEqual(["retried"]);
    expect(await world.log.findUnfinished(Number.MAX_SAFE_INTEGER, 9)).toHaveLength(2);
    await world.consume([message]);
    expect(inQuarantine(world)).toHaveLength(1);
    expect(await world.log.findUnfinished(Number.MAX_SAFE_INTEGER, 9)).toEqual([]);
  });

  it("says nothing of a record that cannot be read but that it cannot", async () => {
    const world = await openFilledWorld();
    const torn = { ...readingEvent("p"), body: '{"email":"ada@example.com"' };
    const long = { ...readingEvent("q", { device: "x" }), body: `{"device":"${"x".repeat(600)}"}` };
    await world.consume([eventsMessage([torn, readingEvent("a"), long])]);
    expect(inQuarantine(world)).toEqual([
      "t fold_failed p: its record cannot be read",
      "t fold_failed q: an entity key is over 512 bytes",
    ]);
    expect(await counts(world, ["d"])).toEqual(["1 at 1.1"]);
  });

  it("finds the event that the store refuses among many, and quarantines it alone", async () => {
    const world = await openFilledWorld();
    const events = Array.from({ length: 40 }, (_, i) => readingEvent(`e${i}`));
    const bad = { ...readingEvent("bad"), orderKey: "a\0b" };
    const message = eventsMessage([...events.slice(0, 13), bad, ...events.slice(13)]);
    expect(outcomes(await world.consume([message, message]))).toEqual(["acked", "acked"]);
    expect(await counts(world, ["d"])).toEqual(["40 at 1.40"]);
    expect(inQuarantine(world)).toEqual([
      "t store_refused bad: A text holds what a database cannot keep.",
    ]);
  });

  it("takes a message for unreadable whose events not even quarantine could keep", async () => {
    const world = await openFilledWorld();
    const entry = { ...readingEvent("x"), eventId: "a\0b" };
    const deliveries = await world.consume([
      eventsMessage([entry]),
      eventsMessage([readingEvent("a")]),
      eventsMessage([{ ...entry, eventId: "\ud800" }]),
    ]);
    expect(outcomes(deliveries)).toEqual(["acked", "acked", "acked"]);
    expect(await counts(world, ["d"])).toEqual(["1 at 1.1"]);
    expect(inQuarantine(world)).toEqual(
      Array(2).fill(
        `${NOBODY} unreadable_message null: events.0.eventId: holds what no store can keep`,
      ),
    );
  });

  it("lets the first commit of an id win, and quarantines another body under it", async () => {
    const world = await openFilledWorld();
    const other = readingEvent("a", { fields: { price: "9", level: 9, colour: "red", on: true } });
    await world.consume([eventsMessage([readingEvent("a")])]);
    await world.consume([eventsMessage([other]), eventsMessage([other])]);
    expect(await counts(world, ["d"])).toEqual(["1 at 1.1"]);
    expect(inQuarantine(world)).toEqual([
      "t event_id_conflict a: an event with this id and another body came first",
    ]);
    const one = await openFilledWorld();
    await one.consume([eventsMessage([other, readingEvent("a"), other])]);
    const answer = await readView(one.online, "t", "by_device", ["d"], NOON);
    expect(answer.results[0]?.values.slice(0, 3)).toEqual([1, "9", 9]);
    expect(inQuarantine(one)).toHaveLength(1);
  });

  it("quarantines events of a source that no definition knows, and applies the others", async () => {
    const world = await openFilledWorld();
    const foreign = { ...readingEvent("f"), source: "toString" };
    await world.consume([eventsMessage([foreign, readingEvent("a")])]);
    await world.consume([eventsMessage([foreign])], {}, 8);
    expect(inQuarantine(world)).toEqual([
      "t unknown_source f: no definition of this deployment knows the source",
    ]);
    expect(await counts(world, ["d"])).toEqual(["1 at 1.1"]);
  });

  it("leaves events of a source that it does not know to a newer deployment, for minutes", async () => {
    const world = await openFilledWorld();
    const older = compileDefinitions([device, corrections, corrected]);
    const messages = [eventsMessage([readingEvent("a")]), eventsMessage([readingEvent("b")])];
    for (let attempts = 1; attempts < 8; attempts += 1) {
      const deliveries = await world.consume(messages, { registry: older }, attempts);
      expect(outcomes(deliveries)).toEqual(["retried", "retried"]);
    }
    expect([inQuarantine(world), world.truth.events.size]).toEqual([[], 0]);
    expect(outcomes(await world.consume(messages))).toEqual(["acked", "acked"]);
    expect(await counts(world, ["d"])).toEqual(["2 at 1.2"]);
  });

  it("keeps a message that it cannot read, sealed and once, however often it comes", async () => {
    const world = await openFilledWorld();
    const strange = { kind: "strange", email: "ada@example.com" };
    for (let i = 0; i < 2; i += 1) {
      const deliveries = await world.consume([strange, eventsMessage([readingEvent("a")])]);
      expect(outcomes(deliveries)).toEqual(["acked", "acked"]);
      world.clock.now += 1_000;
    }
    expect(inQuarantine(world)).toEqual([
      expect.stringMatching(new RegExp(`^${NOBODY} unreadable_message null: kind: Invalid`)),
    ]);
    const [item] = world.truth.quarantine.values();
    const opened = await vault.open(NOBODY, item?.id ?? "", item?.payload ?? "");
    expect(opened).toEqual({ ok: true, value: JSON.stringify(strange) });
    expect(JSON.stringify([...world.truth.quarantine, ...world.notes])).not.toContain(
      "example.com",
    );
  });

  it("asks again for what somebody else is writing, and retries when that does not end", async () => {
    const world = await openFilledWorld();
    const event = readingEvent("a");
    world.truth.beingWritten.add(eventKey(event));
    let asked = 0;
    const log = withFaults(world.log, {
      before: (method) => void (asked += method === "append" ? 1 : 0),
    });
    expect(outcomes(await world.consume([eventsMessage([event])], { log }))).toEqual(["retried"]);
    expect(asked).toBe(6);
    asked = 0;
    const settling = withFaults(world.log, {
      before: () => void (asked++ === 2 && world.truth.beingWritten.clear()),
    });
    await world.consume([eventsMessage([event])], { log: settling });
    expect(await counts(world, ["d"])).toEqual(["1 at 1.1"]);
  });

  it("keeps refused records that accepting sent, each once", async () => {
    const world = await openFilledWorld();
    const entry = {
      id: "qrt_1",
      tenant: "t",
      source: "readings",
      reason: "invalid_event",
      detail: "at: missing",
      payload: "e1.x.y",
      eventId: null,
      receivedAt: NOON,
    };
    const message: IngestMessage = { v: 1, kind: "quarantine", entries: [entry] };
    expect(outcomes(await world.consume([message, message]))).toEqual(["acked", "acked"]);
    expect(inQuarantine(world)).toEqual(["t invalid_event null: at: missing"]);
    const failing = await world.consume([message, eventsMessage([readingEvent("a")])], {
      quarantine: broken(world.quarantine),
    });
    expect(outcomes(failing)).toEqual(["retried", "acked"]);
  });
});

describe("consuming sampled answers", () => {
  const sample = (...ids: readonly string[]): IngestMessage => ({
    v: 1,
    kind: "answers",
    answers: ids.map((id) => loggedAnswer({ id })),
  });

  it("keeps each once, in one statement for all", async () => {
    const world = await openFilledWorld();
    let statements = 0;
    const servedAnswers = withFaults(world.servedAnswers, { before: () => void (statements += 1) });
    const messages = [sample("ans_1", "ans_2"), sample("ans_3"), sample("ans_1", "ans_2")];
    expect(outcomes(await world.consume(messages, { servedAnswers }))).toEqual([
      "acked",
      "acked",
      "acked",
    ]);
    expect(statements).toBe(1);
    const kept = [...world.truth.servedAnswers.values()];
    expect(kept.map(({ id }) => id)).toEqual(["ans_1", "ans_2", "ans_3"]);
    expect(kept[0]).toEqual(loggedAnswer({ id: "ans_1" }));
  });

  it("retries them while the truth is down, and holds no event back", async () => {
    const world = await openFilledWorld();
    const parts = { servedAnswers: broken(world.servedAnswers) };
    const messages = [sample("ans_1"), eventsMessage([readingEvent("a")])];
    expect(outcomes(await world.consume(messages, parts))).toEqual(["retried", "acked"]);
    expect(await counts(world, ["d"])).toEqual(["1 at 1.1"]);
  });

  it("drops what no store can keep, and says so", async () => {
    const world = await openFilledWorld();
    const servedAnswers = withFaults(world.servedAnswers, {
      before() {
        throw new RejectedByStore("A text holds what a database cannot keep.");
      },
    });
    const deliveries = await world.consume([sample("ans_1", "ans_2")], { servedAnswers });
    expect(outcomes(deliveries)).toEqual(["acked"]);
    expect(world.notes).toMatchObject([
      { message: "sampled answers are not kept", facts: { answers: 2 } },
    ]);
  });
});

describe("consuming while the truth is down", () => {
  it("retries every message by itself, later and later", async () => {
    const world = await openFilledWorld();
    const delays: number[] = [];
    const deliveries = [1, 2, 5].map((attempts, i) => ({
      id: `m${i}`,
      body: eventsMessage([readingEvent("a")]),
      attempts,
      ack: () => expect.unreachable(),
      retry: (seconds: number) => void delays.push(seconds),
    }));
    const consumed = await consume(world.ctx({ log: broken(world.log) }), deliveries);
    expect(delays).toEqual([2, 4, 32]);
    expect(consumed).toMatchObject({ retried: 3, accepted: 0 });
    await world.consume(deliveries.map(({ body }) => body));
    expect(await counts(world, ["d"])).toEqual(["1 at 1.1"]);
  });

  it("retries what is in the group that failed, and no other", async () => {
    const world = await openFilledWorld();
    const messages = Array.from({ length: 12 }, (_, i) =>
      eventsMessage(Array.from({ length: 50 }, (_row, j) => readingEvent(`e${i}-${j}`))),
    );
    let appends = 0;
    const log = withFaults(world.log, {
      before(method) {
        if (method === "append" && ++appends === 2) throw down;
      },
    });
    const deliveries = await world.consume(messages, { log });
    expect(outcomes(deliveries)).toEqual([
      ...Array<string>(10).fill("acked"),
      ...Array<string>(2).fill("retried"),
    ]);
    expect(await counts(world, ["d"])).toEqual(["500 at 1.500"]);
  });

  it("is not disturbed when only its tidying up fails", async () => {
    const world = await openFilledWorld();
    const parts = {
      log: broken(world.log, "settleOutbox"),
      online: broken({ ...world.online }, "markApplied"),
    };
    const waiting = { ...eventsMessage([readingEvent("a")]), wait: { token: "w", part: 0 } };
    expect(outcomes(await world.consume([waiting], parts))).toEqual(["acked"]);
    expect(world.notes.map(({ message }) => message)).toEqual([
      "waiting requests could not be told",
      "outbox rows stay",
    ]);
    expect(await world.log.findUnfinished(Number.MAX_SAFE_INTEGER, 9)).toHaveLength(2);
  });
});
