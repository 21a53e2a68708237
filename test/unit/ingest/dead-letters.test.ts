import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.ts";
import { NOBODY } from "../../../src/ingest/unreadable.ts";
import {
  consumeDeadLetters,
  restoreDeadLetters,
  type DeadLetterContext,
} from "../../../src/ingest/dead-letters.ts";
import type { IngestMessage } from "../../../src/ingest/envelope.ts";
import { readKept } from "../../../src/ingest/kept.ts";
import type { DeadLetterArchive } from "../../../src/ingest/quarantine-store.ts";
import { createMemoryDeadLetters } from "../../support/fakes/memory-dead-letters.ts";
import { loggedAnswer } from "../../support/skew.ts";
import { NOON, openWorld, readingEvent, type World } from "../../support/world.ts";
import { deliver, eventsMessage, vault } from "../../support/write-path.ts";

const down = new AppError("dependency_unavailable", "down");
const refusing = { add: async () => Promise.reject(down) };

interface Letters {
  readonly world: World;
  readonly archive: DeadLetterArchive;
  ctx(parts?: Partial<DeadLetterContext>): DeadLetterContext;
  take(bodies: readonly unknown[], parts?: Partial<DeadLetterContext>): Promise<readonly string[]>;
}

function open(): Letters {
  const world = openWorld();
  const archive = createMemoryDeadLetters();
  const ctx: Letters["ctx"] = (parts = {}) => ({ ...world.ctx(), archive, ...parts });
  return {
    world,
    archive,
    ctx,
    async take(bodies, parts) {
      const deliveries = bodies.map((body, i) => deliver(body as IngestMessage, `m${i}`, 9));
      await consumeDeadLetters(ctx(parts), deliveries);
      return deliveries.map(({ outcome }) => outcome());
    },
  };
}

const kept = ({ world }: Letters) =>
  [...world.truth.quarantine.values()].map(
    ({ tenant, reason, eventId }) => `${tenant} ${reason} ${eventId}`,
  );

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

describe("a dead letter", () => {
  it("has its events quarantined, whole, and once however often it comes", async () => {
    const letters = open();
    const message = eventsMessage([readingEvent("a"), readingEvent("b")]);
    expect(await letters.take([message, message])).toEqual(["acked", "acked"]);
    expect(kept(letters)).toEqual(["t dead_letter a", "t dead_letter b"]);
    const [item] = letters.world.truth.quarantine.values();
    const opened = await vault.open("t", item?.id ?? "", item?.payload ?? "");
    expect(readKept(opened.ok ? opened.value : "")).toEqual({
      ok: true,
      value: { kind: "event", event: readingEvent("a") },
    });
  });

  it("keeps what it was to quarantine, and what nobody can read", async () => {
    const letters = open();
    const quarantining: IngestMessage = { v: 1, kind: "quarantine", entries: [entry] };
    expect(await letters.take([quarantining, "what is this?"])).toEqual(["acked", "acked"]);
    expect(kept(letters)).toEqual(["t invalid_event null", `${NOBODY} unreadable_message null`]);
  });

  it("of a fold, a filling or a sample is forgotten: others will do", async () => {
    const letters = open();
    const fold = { v: 1, kind: "fold", entities: [], waits: [], tries: 0 };
    const fill = { v: 1, kind: "fill", tenant: "t", generation: "g", after: null };
    const sample = { v: 1, kind: "answers", answers: [loggedAnswer()] };
    expect(await letters.take([fold, fill, sample])).toEqual(["acked", "acked", "acked"]);
    expect(kept(letters)).toEqual([]);
    expect(await letters.archive.list(9)).toEqual([]);
  });

  it("goes to the archive while the truth is down, sealed, and back when it is up", async () => {
    const letters = open();
    const message = eventsMessage([readingEvent("a")]);
    expect(await letters.take([message], { quarantine: refusing })).toEqual(["acked"]);
    const [key = ""] = await letters.archive.list(9);
    expect(await letters.archive.get(key)).not.toContain("colour");
    await expect(restoreDeadLetters(letters.ctx({ quarantine: refusing }))).rejects.toBe(down);
    expect(await letters.archive.list(9)).toEqual([key]);
    expect(await restoreDeadLetters(letters.ctx())).toBe(1);
    expect(kept(letters)).toEqual(["t dead_letter a"]);
    expect(await restoreDeadLetters(letters.ctx())).toBe(0);
  });

  it("is restored once where removing it from the archive failed", async () => {
    const letters = open();
    await letters.take([eventsMessage([readingEvent("a")])], { quarantine: refusing });
    const archive = { ...letters.archive, remove: async () => Promise.reject(down) };
    await expect(restoreDeadLetters(letters.ctx({ archive }))).rejects.toBe(down);
    await restoreDeadLetters(letters.ctx());
    expect(kept(letters)).toEqual(["t dead_letter a"]);
  });

  it("comes again while truth and archive are both down, and harms no other", async () => {
    const letters = open();
    const archive = { ...letters.archive, put: async () => Promise.reject(down) };
    const bodies = [
      eventsMessage([readingEvent("a")]),
      { v: 1, kind: "fold", entities: [], waits: [], tries: 0 },
    ];
    expect(await letters.take(bodies, { archive, quarantine: refusing })).toEqual([
      "retried",
      "acked",
    ]);
    expect(letters.world.notes.at(-1)?.message).toBe("a dead letter could not be kept yet");
  });
});
