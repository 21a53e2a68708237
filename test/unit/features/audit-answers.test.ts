import { describe, expect, it } from "vitest";
import {
  auditAnswers,
  type AuditInput,
  type SkewReport,
} from "../../../src/features/audit-answers.ts";
import { count } from "../../../src/features/aggregation.ts";
import { featureView } from "../../../src/features/define.ts";
import { readOnline } from "../../../src/features/read-online.ts";
import { compileDefinitions } from "../../../src/features/registry.ts";
import type { ServedAnswer } from "../../../src/features/served-answers.ts";
import { logAnswer } from "../../../src/ingest/log-answer.ts";
import { applyFor } from "../../support/apply-for.ts";
import { createMemoryHistoryLog } from "../../support/fakes/memory-history-log.ts";
import { createMemoryServedAnswers } from "../../support/fakes/memory-served-answers.ts";
import { entityRecord, eventKey } from "../../support/fakes/memory-truth.ts";
import { loggedAnswer } from "../../support/skew.ts";
import { device, readings } from "../../support/views.ts";
import { NOON, openFilledWorld, reading, readingEvent, type World } from "../../support/world.ts";
import { eventsMessage, registry, vault } from "../../support/write-path.ts";

const FEATURES = ["by_device:n", "by_device:total", "by_device:newest", "by_device:colours"];

/** A world in which three events of `d` were answered; nobody knows `nobody`. */
async function openAnswered(): Promise<World> {
  const world = await openFilledWorld();
  const colours = ["red", "blue", "green"];
  const events = colours.map((colour, i) =>
    readingEvent(`e${i}`, {
      time: NOON - 3 * 3_600_000 - i,
      fields: { ...reading("").fields, colour },
    }),
  );
  await world.consume([eventsMessage(events)]);
  await ask(world);
  return world;
}

async function ask(world: World, devices: readonly string[] = ["d", "nobody"]): Promise<void> {
  const { online, tenant, clock } = world;
  const logged: Promise<void>[] = [];
  await readOnline(
    {
      registry,
      vault,
      online,
      now: () => clock.now,
      whenIncomplete: "unavailable",
      answered: (read) => void logged.push(logAnswer(world.ctx(), read)),
    },
    { tenant, features: FEATURES, entities: devices.map((of) => ({ device: of })) },
  );
  await Promise.all(logged);
  await world.drain();
}

function audit(
  { truth, definitions, tenant }: World,
  input: Partial<AuditInput> = {},
): Promise<SkewReport> {
  const ctx = {
    definitions,
    history: createMemoryHistoryLog(truth),
    servedAnswers: createMemoryServedAnswers(truth),
  };
  const limit = Number.POSITIVE_INFINITY;
  return auditAnswers(ctx, { tenants: [tenant], since: 0, limit, shown: 20, ...input });
}

const NOTHING = { unknown_view: 0, not_understood: 0, erased: 0 };

/** The logged answer of `d`, changed as if it had been given so. */
function tamper({ truth }: World, change: (answer: ServedAnswer) => Partial<ServedAnswer>): void {
  for (const [id, answer] of truth.servedAnswers) {
    if (answer.key === "d") truth.servedAnswers.set(id, { ...answer, ...change(answer) });
  }
}

const at = <T>(list: readonly T[], index: number, value: T): readonly T[] =>
  list.map((one, i) => (i === index ? value : one));

describe("the skew audit", () => {
  it("compares every value that was answered, and finds none that differs", async () => {
    const world = await openAnswered();
    const done: number[] = [];
    const report = await audit(world, { progress: (answers) => void done.push(answers) });
    const counts = { answers: 2, values: 8, mismatched: 0, missing: 0, extra: 0 };
    expect(report).toEqual({ ...counts, notReplayed: NOTHING, differences: [] });
    expect(done).toEqual([2]);
    const [first] = world.truth.servedAnswers.values();
    expect(first).toMatchObject({ values: [0, "4.5", "1.5", 2], capped: ["colours"] });
  });

  it("finds nothing after anything else became known: late events, other answers", async () => {
    const world = await openAnswered();
    await world.consume([eventsMessage([readingEvent("late", { time: NOON - 86_400_000 })])]);
    world.clock.now += 60_000;
    await ask(world);
    expect(await audit(world)).toMatchObject({ answers: 4, values: 16, differences: [] });
  });

  it("finds a value that is another: mismatched", async () => {
    const world = await openAnswered();
    tamper(world, ({ values }) => ({ values: at(values, 1, "4.50") }));
    const report = await audit(world);
    expect(report).toMatchObject({ values: 8, mismatched: 1, missing: 0, extra: 0 });
    expect(report.differences).toMatchObject([
      {
        skew: "mismatched",
        feature: "total",
        answer: { tenant: "t", view: "by_device", key: "d", asOf: NOON, version: "1.3" },
        online: { value: "4.50", status: "PRESENT", capped: false },
        history: { value: "4.5", status: "PRESENT", capped: false },
      },
    ]);
  });

  it("finds an online answer that had none where history has one: missing", async () => {
    const world = await openAnswered();
    tamper(world, ({ values, statuses }) => ({
      values: at(values, 2, null),
      statuses: at(statuses, 2, "NULL_VALUE"),
    }));
    expect(await audit(world)).toMatchObject({ mismatched: 0, missing: 1, extra: 0 });
    // An answer from before its events: the entity was not found at all.
    tamper(world, ({ values, statuses }) => ({
      values: values.map(() => null),
      statuses: statuses.map(() => "NOT_FOUND"),
      capped: [],
    }));
    expect(await audit(world)).toMatchObject({ mismatched: 0, missing: 4, extra: 0 });
  });

  it("finds a value that the log does not bear out: extra", async () => {
    const world = await openAnswered();
    tamper(world, ({ version }) => ({ version: version.replace(".3", ".0") }));
    expect(await audit(world)).toMatchObject({ mismatched: 0, missing: 0, extra: 4 });
    tamper(world, ({ version }) => ({ version: version.replace(".0", ".9") }));
    const report = await audit(world, { shown: 1 });
    expect(report).toMatchObject({ mismatched: 0, missing: 0, extra: 4 });
    // The entity does not have version 9.
    expect(report.differences.map(({ history }) => history)).toEqual([null]);
    tamper(world, () => ({ version: "1.3", features: ["n", "total", "gone", "colours"] }));
    expect(await audit(world)).toMatchObject({ mismatched: 0, missing: 0, extra: 1 });
  });

  it.each([
    [
      "the status of a value",
      { statuses: ["PRESENT", "PRESENT", "OUTSIDE_MAX_AGE", "PRESENT"] },
      [0, 1],
    ],
    ["a bound that it says was reached", { capped: ["colours", "n"] }, [1, 0]],
    ["a bound that it does not say was reached", { capped: [] }, [1, 0]],
    ["its time", { asOf: NOON - 2 * 3_600_000 - 30 * 60_000 }, [1, 0, 1]],
    ["its entity", { key: "nobody", version: "1.0" }, [0, 0, 4]],
  ] as const)(
    "finds an answer with %s changed",
    async (_what, change, [mismatched, missing, extra = 0]) => {
      const world = await openAnswered();
      tamper(world, () => change);
      expect(await audit(world)).toMatchObject({ mismatched, missing, extra });
    },
  );

  it("finds a log that is not as it was: an event gone, changed, or not numbered", async () => {
    const key = eventKey(readingEvent("e1"));
    const gone = await openAnswered();
    gone.truth.events.delete(key);
    // Two colours are no bound that was passed, and the sum is less.
    expect(await audit(gone)).toMatchObject({ mismatched: 2, missing: 0, extra: 0 });
    const emptied = await openAnswered();
    emptied.truth.events.clear();
    expect(await audit(emptied)).toMatchObject({ mismatched: 0, missing: 0, extra: 4 });
    const changed = await openAnswered();
    const event = changed.truth.events.get(key) ?? readingEvent("e1");
    changed.truth.events.set(key, { ...event, body: event.body.replace('"1.5"', '"2.5"') });
    expect((await audit(changed)).differences.map(({ feature }) => feature)).toEqual(["total"]);
    const swapped = await openAnswered();
    entityRecord(swapped.truth, { tenant: "t", entity: "device", key: "d" }).log.pop();
    expect((await audit(swapped)).mismatched + (await audit(swapped)).extra).toBeGreaterThan(0);
  });

  it("replays what an earlier version of a view said, also after it was retired", async () => {
    const world = await openAnswered();
    const next = compileDefinitions([
      device,
      readings,
      featureView("by_device", { entity: device, source: readings, features: { n: count() } }),
    ]);
    await applyFor(world.ctx({ registry: next }), world.definitions);
    await world.consume([eventsMessage([readingEvent("after")])], { registry: next });
    expect(await audit(world)).toMatchObject({
      values: 8,
      notReplayed: NOTHING,
      differences: [],
    });
    tamper(world, ({ values }) => ({ values: at(values, 1, "4.25") }));
    expect(await audit(world)).toMatchObject({ mismatched: 1, extra: 0 });
  });

  it("does not replay what nobody registered, or what it does not understand, and says so", async () => {
    const world = await openAnswered();
    tamper(world, () => ({ version: "2.3" }));
    const other = await audit(world);
    expect(other.notReplayed).toEqual({ ...NOTHING, unknown_view: 1 });
    expect(other).toMatchObject({ answers: 2, values: 4, differences: [] });
    const { views } = world.truth;
    for (const [i, view] of views.entries()) {
      views[i] = { ...view, spec: view.spec.replace('"format":1', '"format":9') };
    }
    const strange = await audit(world);
    expect(strange.notReplayed).toEqual({ ...NOTHING, unknown_view: 1, not_understood: 1 });
  });

  it("counts what differs of an erased entity apart", async () => {
    const world = await openAnswered();
    const record = entityRecord(world.truth, { tenant: "t", entity: "device", key: "d" });
    record.erasedAt = NOON;
    // Its events are still there: the answer can be replayed as ever.
    expect(await audit(world)).toMatchObject({ values: 8, notReplayed: NOTHING });
    world.truth.events.clear();
    const report = await audit(world);
    expect(report.notReplayed).toEqual({ ...NOTHING, erased: 1 });
    expect(report).toMatchObject({ values: 4, mismatched: 0, missing: 0, extra: 0 });
  });

  it("takes the newest of each tenant, from a time on, page by page", async () => {
    const world = await openFilledWorld();
    const servedAnswers = createMemoryServedAnswers(world.truth);
    const id = (i: number): string => `ans_${String(i).padStart(5, "0")}`;
    const shared = { key: "nobody", version: "1.0", values: [0], statuses: ["NOT_FOUND"] };
    const all = Array.from({ length: 2_500 }, (_, i) =>
      loggedAnswer({ ...shared, id: id(i), servedAt: i, values: [i === 0 ? 5 : 0] }),
    );
    await servedAnswers.add([...all, loggedAnswer({ ...shared, tenant: "other" })]);
    const pages: number[] = [];
    const progress = (answers: number): void => void pages.push(answers);
    expect(await audit(world, { progress })).toMatchObject({ answers: 2_500, mismatched: 1 });
    expect(pages).toEqual([1_000, 1_000, 500]);
    expect(await audit(world, { limit: 2_000 })).toMatchObject({ answers: 2_000, mismatched: 0 });
    expect(await audit(world, { limit: 0 })).toMatchObject({ answers: 0 });
    expect(await audit(world, { since: 2_400 })).toMatchObject({ answers: 100 });
    const tenants = ["t", "other", "none"];
    expect(await audit(world, { tenants, limit: 7 })).toMatchObject({ answers: 8, values: 8 });
  });
});
