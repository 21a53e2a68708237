import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EntitySnapshot, LogEvent } from "../../../src/features/event-log.ts";
import { decodeState } from "../../../src/features/state.ts";
import { foldEntity, type Fold } from "../../../src/ingest/fold.ts";
import { anyOrder, shuffled } from "../../support/shuffle.ts";
import { NOON, readingEvent } from "../../support/world.ts";
import { registry } from "../../support/write-path.ts";

const views = registry.viewsByEntity.get("device") ?? [];
const [byDevice, corrected] = views.map(({ stateId }) => stateId);

const snapshot = (
  pending: readonly LogEvent[],
  parts: Partial<EntitySnapshot> = {},
): EntitySnapshot => ({
  tenant: "t",
  entity: "device",
  key: "d",
  version: 0,
  builds: 0,
  waitingSince: [],
  erased: false,
  states: new Map(),
  pending,
  ...parts,
});

/** Nothing of these views is ever taken back: their folds are never open. */
const fold = (of: EntitySnapshot, complete: readonly (string | undefined)[] = []): Fold =>
  foldEntity(views, of, new Set(complete.flatMap((stateId) => stateId ?? []))) as Fold;

const poison = (order: string): LogEvent => {
  const event = readingEvent(order);
  return { ...event, body: event.body.replace('"level":"2"', '"level":"high"') };
};

describe("folding an entity", () => {
  it("numbers its events by time, then order key, however they came", () => {
    const events = ["c", "a", "b"].map((order, i) =>
      readingEvent(order, { time: NOON - (i === 2 ? 5 : 9) }),
    );
    fc.assert(
      fc.property(anyOrder, (order) => {
        const { commit, poison: refused } = fold(snapshot(shuffled(events, order)));
        expect(commit.folded.map(({ eventId }) => eventId)).toEqual(["a", "c", "b"]);
        expect(commit).toEqual(fold(snapshot(events)).commit);
        expect(refused).toEqual([]);
      }),
    );
  });

  it("numbers events of one time and order by their ids", () => {
    const [a, b] = [readingEvent("b"), readingEvent("a")].map((event) => ({
      ...event,
      orderKey: "row",
    }));
    const { commit } = fold(snapshot([a as LogEvent, b as LogEvent]));
    expect(commit.folded.map(({ eventId }) => eventId)).toEqual(["a", "b"]);
  });

  it("leaves a state alone of which nothing can be taken back", () => {
    const retraction: LogEvent = { ...readingEvent("a"), sign: -1 };
    const { commit, poison: refused } = fold(snapshot([retraction]));
    expect([commit.folded.length, commit.states, refused]).toEqual([1, [], []]);
  });

  it("writes the states that changed, and those alone", () => {
    const states = (events: readonly LogEvent[]) =>
      fold(snapshot(events)).commit.states.map(({ stateId }) => stateId);
    expect(states([readingEvent("a")])).toEqual([byDevice]);
    expect(states([readingEvent("a", { source: "corrections" })])).toEqual([corrected]);
    expect(states([readingEvent("a"), readingEvent("b", { source: "corrections" })])).toEqual([
      byDevice,
      corrected,
    ]);
    // An event of which no view makes use any more is numbered all the same.
    const { commit } = fold(snapshot([{ ...readingEvent("a"), source: "gone" }]));
    expect([commit.folded.length, commit.states]).toEqual([1, []]);
  });

  it("leaves an event out of the views that cannot take it, as if it had never been", () => {
    const [a, b] = [readingEvent("a"), readingEvent("b")];
    const { commit, poison: refused } = fold(snapshot([poison("p"), a, poison("q"), b]));
    const without = fold(snapshot([a, b])).commit;
    expect(commit.states).toEqual(without.states);
    expect([commit.folded.map(({ eventId }) => eventId), commit.poisoned]).toEqual([
      ["a", "b", "p", "q"],
      [],
    ]);
    expect(refused.map(({ event, detail }) => [event.eventId, detail])).toEqual([
      ["p", "level: expected a decimal number"],
      ["q", "level: expected a decimal number"],
    ]);
    expect(fold(snapshot([poison("p")])).commit).toMatchObject({ poisoned: [], states: [] });
  });

  it("takes an event away without a number whose record cannot be read", () => {
    const torn = (order: string, sign: 1 | -1): LogEvent => ({
      ...readingEvent(order),
      sign,
      body: "{",
    });
    const { commit, poison: refused } = fold(
      snapshot([torn("p", 1), readingEvent("a"), torn("q", -1)]),
    );
    expect(commit).toEqual({
      ...fold(snapshot([readingEvent("a")])).commit,
      poisoned: [
        { source: "readings", eventId: "p" },
        { source: "readings", eventId: "q" },
      ],
    });
    // What only takes back something that is refused needs no refusal of its own.
    expect(refused.map(({ event }) => event.eventId)).toEqual(["p"]);
  });

  it("quotes nothing of a record that it cannot read", () => {
    const torn = { ...readingEvent("p"), body: '{"email":"ada@example.com"' };
    expect(fold(snapshot([torn])).poison[0]?.detail).toBe("its record cannot be read");
  });

  it("begins a state where there is no history, or where the view is complete", () => {
    const event = [readingEvent("a")];
    const writes = (version: number, complete: readonly (string | undefined)[] = []) =>
      fold(snapshot(event, { version }), complete).commit.states.length;
    expect(writes(0)).toBe(1);
    expect(writes(3, [byDevice])).toBe(1);
    // Its building has yet to begin for this entity, and will find the event in the log.
    expect(writes(3)).toBe(0);
    expect(writes(3, [corrected])).toBe(0);
  });

  it("goes on with a state that is there, complete or not", () => {
    const first = fold(snapshot([readingEvent("a")])).commit;
    const bytes = first.states[0]?.bytes ?? "";
    const { commit } = fold(
      snapshot([readingEvent("b")], { version: 1, states: new Map([[byDevice ?? "", bytes]]) }),
    );
    const both = fold(snapshot([readingEvent("a"), readingEvent("b")])).commit;
    expect(commit.states).toEqual(both.states);
    expect(commit.readVersion).toBe(1);
    const plan = views[0];
    if (plan === undefined) throw new Error("no view");
    expect(decodeState(plan, both.states[0]?.bytes ?? "").newest).toBe(NOON - 60_000);
  });
});
