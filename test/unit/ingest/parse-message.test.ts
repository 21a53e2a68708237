import { describe, expect, it } from "vitest";
import type { ServedAnswer } from "../../../src/features/served-answers.ts";
import { parseMessage } from "../../../src/ingest/parse-message.ts";
import { loggedAnswer } from "../../support/skew.ts";
import { readingEvent } from "../../support/world.ts";
import { eventsMessage } from "../../support/write-path.ts";

const event = readingEvent("e");
const good = eventsMessage([event]);

const answersMessage = (...answers: readonly ServedAnswer[]) => ({
  v: 1 as const,
  kind: "answers" as const,
  answers,
});

const problem = (body: unknown): string => {
  const parsed = parseMessage(body);
  return parsed.ok ? "fine" : parsed.error;
};

describe("a queue message", () => {
  it("is what was sent, after JSON", () => {
    const messages = [
      good,
      eventsMessage([]),
      { ...good, wait: { token: "req_1", part: 0 }, traceparent: "00-1-2-01" },
      {
        v: 1,
        kind: "fold",
        entities: [{ tenant: "t", entity: "e", key: "k" }],
        waits: [],
        tries: 3,
      },
      { v: 1, kind: "fill", tenant: "t", generation: "g", after: { entity: "e", key: "" } },
      { v: 1, kind: "fill", tenant: "t", generation: "g", after: null },
      { v: 1, kind: "quarantine", entries: [] },
      answersMessage(loggedAnswer({ service: "all", values: [null, "1", [2], { a: 0.5 }] })),
    ];
    for (const message of messages) {
      const sent: unknown = JSON.parse(JSON.stringify(message));
      expect(parseMessage(sent)).toEqual({ ok: true, value: message });
    }
  });

  it("is refused with the place that is wrong, and without its value", () => {
    expect(problem(eventsMessage([{ ...event, body: "ada@example.com" }]))).toMatch(
      /^events\.0\.body: /,
    );
    expect(problem({ ...good, v: 2 })).toMatch(/^v: /);
    expect(problem({ ...good, kind: "ada@example.com" })).toMatch(/^kind: /);
    for (const [name, value] of Object.entries({
      tenant: "",
      eventTime: 1.5,
      ingestTime: "1",
      sign: 0,
      bodyHash: "ada@example.com",
      knownAt: undefined,
    })) {
      const text = problem(eventsMessage([{ ...event, [name]: value }]));
      expect(text).toMatch(new RegExp(`^events\\.0\\.${name}: `));
      expect(text).not.toContain("ada");
    }
    for (const [name, value] of Object.entries({
      tenant: "",
      key: "",
      version: "2.x",
      asOf: 0.5,
      servedAt: "1",
      values: "ada@example.com",
      statuses: [null],
    })) {
      const text = problem(answersMessage({ ...loggedAnswer(), [name]: value }));
      expect(text).toMatch(new RegExp(`^answers\\.0\\.${name}`));
      expect(text).not.toContain("ada");
    }
    for (const body of [null, undefined, "text", 5, [], {}, { v: 1 }, new Uint8Array(3)]) {
      expect(problem(body)).not.toBe("fine");
    }
  });
});
