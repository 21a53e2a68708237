import { describe, expect, it } from "vitest";
import { count, sum, type Aggregation, type Where } from "../../../src/features/aggregation.ts";
import { answerFrom, planRead } from "../../../src/features/assemble.ts";
import { compileView } from "../../../src/features/compile-view.ts";
import { featureView } from "../../../src/features/define.ts";
import { addEvent } from "../../../src/features/fold-view.ts";
import { recordFromText } from "../../../src/features/source-record.ts";
import { emptyState, encodeState, openState } from "../../../src/features/state.ts";
import { device, readings, toLogEvent } from "../../support/views.ts";

const NOW = 1_000_000;

const viewOf = (...wheres: readonly Where[]) =>
  compileView(
    featureView("conditioned", {
      entity: device,
      source: readings,
      features: {
        n: wheres.reduce((feature, where) => feature.where(where), count() as Aggregation),
        level: wheres.reduce((feature, where) => feature.where(where), sum("level") as Aggregation),
      } as never,
    }),
  );

type Fields = Readonly<Record<string, string | number | boolean | null>>;

/** How many of the records a condition lets through. */
function counted(where: Where | readonly Where[], records: readonly Fields[]): unknown {
  const plan = viewOf(...[where].flat());
  const state = emptyState(plan);
  for (const [i, fields] of records.entries()) {
    const event = toLogEvent({ time: NOW - 1, order: `e${i}`, fields }, "d");
    addEvent(plan, state, "d", { event, record: recordFromText(event.body) });
  }
  return answerFrom(planRead(plan, NOW), openState(encodeState(plan, state))).values[0];
}

describe("where()", () => {
  it("lets one value through, or any of a list, and every condition must hold", () => {
    const records = [{ colour: "red", on: true }, { colour: "blue", on: true }, { colour: "red" }];
    expect(counted({ colour: "red" }, records)).toBe(2);
    expect(counted({ colour: ["red", "blue"] }, records)).toBe(3);
    expect(counted({ colour: "red", on: true }, records)).toBe(1);
    expect(counted({ on: false }, records)).toBe(0);
  });

  it("holds together with another one: of a field that both name, what they have in common", () => {
    const records = [
      { colour: "red", on: true, level: 1 },
      { colour: "blue", on: true },
      { colour: "red", on: false },
    ];
    expect(counted([{ colour: "red" }, { on: true }], records)).toBe(1);
    expect(counted([{ colour: ["red", "blue"] }, { colour: ["blue", "green"] }], records)).toBe(1);
    expect(counted([{ level: [1, 2] }, { level: ["1.0", 3] }], records)).toBe(1);
    expect(counted([{ colour: "red" }, { colour: "red" }], records)).toBe(2);
    expect(viewOf({ colour: "red" }, { on: true }).specHash).toBe(
      viewOf({ on: true, colour: "red" }).specHash,
    );
  });

  it("is refused where it leaves a field no value", () => {
    const nothing = /view "conditioned", feature "n", where\(\): it leaves "colour" no value/;
    expect(() => viewOf({ colour: [] })).toThrow(nothing);
    expect(() => viewOf({ colour: "red" }, { on: true }, { colour: "blue" })).toThrow(nothing);
  });

  it("tells a null from an empty text and from false", () => {
    const records = [{ colour: null, on: null }, { colour: "", on: false }, {}];
    expect(counted({ colour: "" }, records)).toBe(1);
    expect(counted({ on: false }, records)).toBe(1);
  });

  it("compares numbers by value, however they are written", () => {
    const records = [{ price: "12.5", level: 3 }, { price: "12.50000000000000000001" }];
    for (const price of ["12.50", 12.5, "1.25e1"]) expect(counted({ price }, records)).toBe(1);
    for (const level of ["3.0", 3]) expect(counted({ level }, records)).toBe(1);
  });

  it("says so when no record can have the value", () => {
    expect(() => viewOf({ level: "high" })).toThrow(
      /view "conditioned", feature "n", where\(\): "level" is a number, and is never "high"/,
    );
    expect(() => viewOf({ price: true })).toThrow(/"price" is a decimal, and is never true/);
    expect(() => viewOf({ on: "true" })).toThrow(/"on" is a boolean, and is never "true"/);
    expect(() => viewOf({ colour: 5 })).toThrow(/"colour" is a string, and is never 5/);
  });
});

describe("an event that cannot be added", () => {
  it("is named by its field, never by its value, and changes nothing", () => {
    const plan = viewOf({});
    const state = emptyState(plan);
    const event = toLogEvent({ time: NOW, order: "e", fields: { level: 1 } }, "d");
    const record = { ...recordFromText(event.body), level: "ada@example.com" };
    expect(() => addEvent(plan, state, "d", { event, record })).toThrow(
      new RangeError("level: expected a decimal number"),
    );
    const retraction = {
      event: { ...event, sign: -1 as const },
      record: { ...record, level: "1" },
    };
    expect(() => addEvent(plan, state, "d", retraction)).toThrow(/cannot be retracted/);
    expect(state).toEqual(emptyState(plan));
  });
});
