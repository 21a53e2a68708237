import { describe, expect, it } from "vitest";
import { changeLines } from "../../../cli/change-text.ts";
import { planJson } from "../../../cli/plan-json.ts";
import { planText } from "../../../cli/plan-text.ts";
import { durationText } from "../../../cli/support/number-text.ts";
import { compileDeployment } from "../../../src/deployment.ts";
import type { DefinitionKind, Json } from "../../../src/planning/definition-record.ts";
import { diffSpec } from "../../../src/planning/diff-spec.ts";
import type { Plan, PlannedChange } from "../../../src/planning/plan.ts";
import { shop } from "../../support/shop-definitions.ts";

const lines = (kind: DefinitionKind, before: Json, after: Json): readonly string[] =>
  changeLines(kind, diffSpec(JSON.stringify(before), JSON.stringify(after)));

const DAY = 86_400_000;
const sawtooth = (days: number) => ({ kind: "sawtooth", lengthMs: days * DAY, hopMs: 3_600_000 });
const feature = (name: string, more: Readonly<Record<string, Json>> = {}) => ({
  name,
  aggregate: "sum",
  field: "amount",
  kind: "decimal",
  where: [],
  window: sawtooth(7),
  default: null,
  ...more,
});

describe("changes in words", () => {
  it("say of a feature what it was and what it will be, in one line", () => {
    const before = { features: [feature("a"), feature("b")] };
    const where = [
      { field: "country", values: ["DE", "AT"] },
      { field: "on", values: [true] },
    ];
    const after = {
      features: [
        feature("a", { aggregate: "mean", window: sawtooth(30), where, default: "0" }),
        feature("b", { window: { kind: "lifetime" } }),
      ],
    };
    expect(lines("view", before, after)).toEqual([
      "~ feature a: aggregate sum → mean, where every event → country = DE | AT, on = true, " +
        "window 7d → 30d, default none → 0",
      "~ feature b: window 7d → lifetime",
    ]);
  });

  it("show new and removed features whole, with members that nobody foresaw", () => {
    const count = {
      name: "n",
      aggregate: "count",
      field: null,
      kind: null,
      where: [],
      default: null,
    };
    const after = [
      { ...count, window: { kind: "hopping", lengthMs: DAY, hopMs: 3_600_000 } },
      feature("top", { aggregate: "topN", n: 3, window: { kind: "tumbling", lengthMs: DAY } }),
    ];
    expect(lines("view", { features: [feature("a")] }, { features: after })).toEqual([
      "+ feature n: count() over hopping 1d by 1h",
      "+ feature top: topN(amount) over tumbling 1d n 3",
      "- feature a: sum(amount) over 7d",
    ]);
  });

  it("tell new names, orders, and members of other definitions", () => {
    const [a, b] = [feature("a"), feature("b", { field: "x" })];
    const [ab, ba, ac] = [
      [a, b],
      [b, a],
      [a, { ...b, name: "c" }],
    ];
    expect(lines("view", { features: ab }, { features: ba })).toEqual([
      "~ order of features: b, a",
    ]);
    expect(lines("view", { features: ab }, { features: ac })).toEqual(["~ feature c was b"]);
    expect(lines("view", { max_age_ms: null }, { max_age_ms: 2 * DAY })).toEqual([
      "~ max age: none → 2d",
    ]);
    const field = (name: string, more: object = {}) => ({
      name,
      kind: "string",
      nullable: false,
      pii: null,
      email: false,
      ...more,
    });
    const before = { id: "a", event_time: "at", fields: [field("a"), field("b")] };
    const after = {
      id: "b",
      event_time: "t",
      fields: [field("b", { kind: "time" }), field("c", { pii: "token", nullable: true })],
    };
    expect(lines("source", before, after)).toEqual([
      "~ the event's id: a → b",
      "~ event time: at → t",
      "~ field b: type string → time",
      "+ field c: string, nullable, token",
      "- field a: string",
    ]);
    expect(lines("service", { views: ["a"] }, { views: ["a", "b"] })).toEqual([
      "~ views: a → a, b",
    ]);
    expect(lines("model", { version: "1", file: "x" }, { version: "2", file: "y" })).toEqual([
      "~ version: 1 → 2",
      "~ contents of the file",
    ]);
    expect(lines("collection", { embedder: { kind: "a" } }, { embedder: { kind: "b" } })).toEqual([
      "~ embedder type: a → b",
    ]);
    expect(changeLines("view", diffSpec('{"a":1}', '{"a": 1}'))[0]).toMatch(/^~ the same/);
  });
});

const change = (fields: Partial<PlannedChange>): PlannedChange => ({
  kind: "view",
  name: "spend",
  action: "changed",
  from: 1,
  to: 2,
  changes: [],
  readers: [],
  build: null,
  stateBytes: null,
  documents: null,
  ...fields,
});

const plan = (fields: Partial<Plan>): Plan => ({
  deployment: compileDeployment(shop()),
  changes: [],
  beside: [],
  unchanged: 3,
  incompatible: [],
  sameFeatures: [],
  problems: [],
  warnings: [],
  seconds: 0,
  ...fields,
});

const text = (fields: Partial<Plan>): string => planText(plan(fields)).join("\n");

describe("a plan in words", () => {
  it("says that there is nothing to do", () => {
    expect(text({})).toBe("Nothing to do: 3 definitions are as applied.");
    expect(text({ unchanged: 1 })).toBe("Nothing to do: 1 definition is as applied.");
  });

  it("says what a view costs and who reads it", () => {
    const removed = { kind: "view", name: "old", from: 4, to: null, action: "removed" } as const;
    const window = { before: sawtooth(7), after: sawtooth(30) };
    const printed = text({
      seconds: 200,
      changes: [
        change({
          changes: [{ path: ["features", "a", "window"], action: "changed", ...window }],
          build: { backfill: null, entities: 1, events: 12_345, exact: true, seconds: 200 },
          stateBytes: 2_048,
          readers: [
            { kind: "service", name: "all", takes: null },
            { kind: "model", name: "risk", takes: ["a", "b"] },
          ],
        }),
        change({ ...removed, readers: [{ kind: "on_demand_view", name: "r", takes: ["x"] }] }),
      ],
    });
    expect(printed).toBe(
      [
        "~ view spend, version 1 → 2",
        "    ~ feature a: window 7d → 30d",
        "    to be built from 12,345 events of 1 entity: about 3 min",
        "    state size at most 2,048 bytes an entity (of numbers below 1e38)",
        "    read by service all, model risk (a (changed), b)",
        "- view old, version 4",
        "    was read by on-demand view r (x)",
        "",
        "1 changed, 1 removed, 3 unchanged; about 3 min to build views.",
      ].join("\n"),
    );
  });

  it("tells estimates from counts, and past events from those that are known", () => {
    const build = { backfill: 7, entities: 0, events: 7, exact: false, seconds: 0.1 };
    const added = { action: "added", from: null, to: 1 } as const;
    const documents = { count: 1_000_000, exact: false };
    const printed = text({
      changes: [
        change({ ...added, build }),
        change({ ...added, name: "b", build: { ...build, events: 0, backfill: null } }),
        change({ kind: "collection", name: "help", action: "unfinished", documents }),
        change({ ...added, kind: "entity", name: "e" }),
      ],
    });
    expect(printed).toContain("+ view spend, version 1\n");
    expect(printed).toContain(
      "    to be built from about 7 events, after 7 past events are given to it: about 1 s\n",
    );
    expect(printed).toContain("    nothing to build: no event in the log\n");
    expect(printed).toContain("… collection help: registered, and not completely built\n");
    expect(printed).toContain("    about 1,000,000 documents to be indexed again\n");
    expect(printed).toContain("+ entity e\n\n3 added, 1 unfinished, 3 unchanged.");
  });

  it("ends with what does not fit, what is there already, and why it cannot be applied", () => {
    const amount = { path: ["fields", "amount", "kind"], before: "decimal", after: "number" };
    const printed = text({
      incompatible: [
        {
          source: "orders",
          change: { ...amount, action: "changed" },
          views: ["spend"],
          events: { count: 5, exact: true },
        },
      ],
      sameFeatures: [{ feature: "a:x", existing: "b:y" }],
      warnings: ["mind this"],
      problems: ["no way"],
    });
    expect(printed).toContain(
      [
        "Not compatible with what is in the log:",
        "  source orders, field amount: type decimal → number: not so in the 5 events of the log, " +
          "used by spend",
        "",
        "There already under another name:",
        "  a:x is computed as b:y is",
        "",
        "Take note:",
        "  mind this",
        "",
        "Cannot be applied:",
        "  no way",
      ].join("\n"),
    );
  });

  it("is there for machines", () => {
    const build = { backfill: null, entities: 1, events: 2, exact: true, seconds: 0.2 };
    const printed = planJson(plan({ changes: [change({ build, stateBytes: 9 })], seconds: 0.2 }));
    expect(JSON.parse(JSON.stringify(printed))).toEqual({
      beside: [],
      changes: [
        {
          kind: "view",
          name: "spend",
          action: "changed",
          from_version: 1,
          to_version: 2,
          changes: [],
          read_by: [],
          build: { backfilled_events: null, entities: 1, events: 2, exact: true, seconds: 1 },
          state_bytes: 9,
          documents: null,
        },
      ],
      unchanged: 3,
      incompatible: [],
      same_features: [],
      warnings: [],
      problems: [],
      seconds: 1,
    });
  });

  it("writes durations as people say them", () => {
    expect([0.1, 1, 89, 90, 3_600, 9_000].map(durationText)).toEqual([
      "1 s",
      "1 s",
      "89 s",
      "2 min",
      "60 min",
      "2.5 h",
    ]);
  });
});
