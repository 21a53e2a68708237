import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.ts";
import { readOnline, type AnsweredRead } from "../../../src/features/read-online.ts";
import type { ServedAnswer } from "../../../src/features/served-answers.ts";
import type { IngestMessage } from "../../../src/ingest/envelope.ts";
import { logAnswer, MAX_ENTITIES, packAnswers } from "../../../src/ingest/log-answer.ts";
import { loggedAnswer } from "../../support/skew.ts";
import { NOON, openFilledWorld, readingEvent } from "../../support/world.ts";
import { eventsMessage, registry, vault } from "../../support/write-path.ts";

const answersIn = (messages: readonly IngestMessage[]): readonly ServedAnswer[] =>
  messages.flatMap((one) => (one.kind === "answers" ? one.answers : []));

/** A read of so many devices, of which `d` alone has done anything. */
async function readDevices(count: number) {
  const world = await openFilledWorld();
  await world.consume([eventsMessage([readingEvent("a")])]);
  const reads: AnsweredRead[] = [];
  const answered = (read: AnsweredRead): void => void reads.push(read);
  const { online, tenant } = world;
  const entities = Array.from({ length: count }, (_, i) => ({ device: i === 0 ? "d" : `x${i}` }));
  await readOnline(
    { registry, vault, online, now: () => NOON, whenIncomplete: "unavailable", answered },
    { tenant, features: ["by_device", "corrected"], entities },
  );
  return { world, read: reads[0] as AnsweredRead };
}

describe("logging an answer", () => {
  it("sends each of its parts once, and they are kept", async () => {
    const { world, read } = await readDevices(2);
    await logAnswer(world.ctx(), read);
    await world.drain();
    const kept = [...world.truth.servedAnswers.values()];
    expect(kept.map(({ view, key, version }) => [view, key, version])).toEqual([
      ["by_device", "d", "1.1"],
      ["corrected", "d", "1.0"],
      ["by_device", "x1", "1.0"],
      ["corrected", "x1", "1.0"],
    ]);
    expect(kept[0]).toMatchObject({ tenant: "t", asOf: NOON, servedAt: NOON, service: null });
    expect(kept[0]?.values[0]).toBe(1);
    expect(world.notes).toEqual([]);
  });

  it("takes a few of many entities", async () => {
    const { world, read } = await readDevices(1_000);
    await logAnswer(world.ctx({ random: () => 0.37 }), read);
    const keys = answersIn(world.queue.drain().map(({ body }) => body)).map(({ key }) => key);
    expect(keys).toHaveLength(2 * MAX_ENTITIES);
    expect(new Set(keys).size).toBe(MAX_ENTITIES);
  });

  it("drops the sample where the queue refuses it, and says so", async () => {
    const { world, read } = await readDevices(3);
    const error = new AppError("too_many_requests", "The queue asks for less.");
    await logAnswer(world.ctx({ queue: { send: async () => Promise.reject(error) } }), read);
    expect(world.notes).toEqual([
      { message: "sampled answers are not logged", facts: { answers: 6, error } },
    ]);
  });

  it("drops what no message holds, and says so", async () => {
    const { world, read } = await readDevices(1);
    const [first] = read.answer.results;
    const values = first?.values.map((value, i) => (i === 4 ? "x".repeat(50_000) : value)) ?? [];
    const results = first === undefined ? [] : [{ ...first, values }];
    await logAnswer(world.ctx(), { ...read, answer: { ...read.answer, results } });
    const sent = answersIn(world.queue.drain().map(({ body }) => body));
    expect(sent.map(({ view }) => view)).toEqual(["corrected"]);
    expect(world.notes).toEqual([
      { message: "answers are too large to be sampled", facts: { answers: 1 } },
    ]);
  });
});

describe("packing answers", () => {
  const bytesOf = (value: unknown): number =>
    new TextEncoder().encode(JSON.stringify(value)).length;
  const anyAnswer = fc
    .tuple(
      fc.constantFrom("a", "漢", '"', "\\", "\u0001", "\ud800", "🍇"),
      fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 50_000 })),
    )
    .map(([text, size]) => loggedAnswer({ values: [text.repeat(size)] }));

  it("keeps every message within what the queue takes, and drops only what is too large", () => {
    fc.assert(
      fc.property(fc.array(anyAnswer, { maxLength: 40 }), (sample) => {
        const { messages, dropped } = packAnswers(sample);
        for (const message of messages) expect(bytesOf(message)).toBeLessThan(127_900);
        const fitting = sample.filter((one) => JSON.stringify(one).length < 40_000);
        expect(answersIn(messages)).toEqual(fitting);
        expect(dropped).toBe(sample.length - fitting.length);
      }),
      { numRuns: 60 },
    );
    expect(packAnswers([])).toEqual({ messages: [], dropped: 0 });
  });

  it("puts hundreds of ordinary answers into a message", () => {
    const sample = Array.from({ length: 150 }, () => loggedAnswer());
    expect(packAnswers(sample).messages).toHaveLength(1);
  });
});
