import { describe, expect, it } from "vitest";
import {
  approxCountDistinct,
  approxPercentile,
  count,
  countDistinct,
  expDecaySum,
  first,
  firstN,
  last,
  lastN,
  max,
  mean,
  min,
  sum,
  topN,
  type Aggregation,
} from "../../../src/features/aggregation.ts";
import { compileView } from "../../../src/features/compile-view.ts";
import { featureView } from "../../../src/features/define.ts";
import type { ViewPlan } from "../../../src/features/plan.ts";
import { decodeState, openState } from "../../../src/features/state.ts";
import { foldEntity } from "../../../src/ingest/fold.ts";
import { isOpen } from "../../../src/ingest/open-fold.ts";
import type { Duration } from "../../../src/time.ts";
import { rowEvent, rows, type RowEvent, type RowImage } from "../../support/changed-rows.ts";
import { FoldedEntity } from "../../support/folded-rows.ts";
import { device } from "../../support/views.ts";

const NOON = Date.UTC(2026, 5, 15, 12);
const HOUR = 3_600_000;

const viewOf = (
  features: Readonly<Record<string, Aggregation>>,
  maxAge?: Duration,
  boundary: "exclusive" | "inclusive" = "exclusive",
): ViewPlan =>
  compileView(
    featureView("taken", {
      entity: device,
      source: rows,
      features: features as Record<string, never>,
      boundary,
      ...(maxAge !== undefined && { maxAge }),
    }),
  );

const row = (order: string, level: number, parts: Partial<RowImage> = {}): RowImage => ({
  order,
  time: NOON,
  device: "d1",
  ...parts,
  fields: { price: null, level, colour: "red", on: true, spot: null, ...parts.fields },
});

let changes = 0;
const change = (image: RowImage, sign: 1 | -1, number: number): RowEvent => ({
  event: rowEvent(image, sign, number),
  device: image.device ?? "",
  image,
  knownAt: NOON,
});
const insert = (image: RowImage): RowEvent => change(image, 1, (changes += 1));
const remove = (image: RowImage): RowEvent => change(image, -1, (changes += 1));
const update = (from: RowImage, to: RowImage): readonly RowEvent[] => {
  changes += 1;
  return [change(from, -1, changes), change(to, 1, changes)];
};

/** The value of one feature after rows were inserted and then changed, and reads of the log. */
async function after(
  feature: Aggregation,
  images: readonly RowImage[],
  then: readonly RowEvent[],
): Promise<readonly [value: unknown, reads: number]> {
  const entity = new FoldedEntity(viewOf({ it: feature }), "d1");
  await entity.fold(images.map((image) => insert(image)));
  await entity.fold(then);
  expect(entity.bytes).toBe(entity.built);
  return [entity.answer(NOON + 1).values[0], entity.reads];
}

const three = [row("a", 1), row("b", 5), row("c", 3)] as const;
const [a, b, c] = three;

describe("taking back a row", () => {
  it("is subtracted where the state tells what is left", async () => {
    expect(await after(count(), three, [remove(b)])).toEqual([2, 0]);
    expect(await after(sum("level"), three, [remove(b)])).toEqual([4, 0]);
    expect(await after(mean("level"), three, [remove(b)])).toEqual([2, 0]);
    expect(await after(max("level"), three, [remove(c)])).toEqual([5, 0]);
    expect(await after(last("level"), three, [remove(a)])).toEqual([3, 0]);
    expect(await after(countDistinct("level", { max: 3 }), three, [remove(b)])).toEqual([2, 0]);
    expect(await after(lastN("level", 5), three, [remove(b)])).toEqual([[3, 1], 0]);
    expect(await after(approxPercentile("level", 1), three, [remove(b)])).toEqual([
      expect.closeTo(3, 1),
      0,
    ]);
  });

  it.each([
    ["the largest", max("level"), b, 3],
    ["the smallest", min("level"), a, 3],
    ["the first", first("level"), a, 5],
    ["the last", last("level"), c, 5],
    ["one of the first", firstN("level", 2), a, [5, 3]],
    ["one of the last", lastN("level", 2), c, [5, 1]],
    ["one of the largest", topN("level", 2), b, [3, 1]],
    ["one of too many", countDistinct("level", { max: 2 }), b, 2],
    ["a value of a sketch", approxCountDistinct("level"), b, 2],
  ])("is read from the log once where it was %s", async (_what, feature, gone, left) => {
    expect(await after(feature, three, [remove(gone)])).toEqual([left, 1]);
  });

  it("brings back what was too old to matter beside it", async () => {
    const old = row("o", 8, { time: NOON - 100 * HOUR });
    const decayed = await after(expDecaySum("level", "1h"), [old, b], [remove(b)]);
    expect(decayed).toEqual([expect.closeTo(8 * 2 ** -100, 35), 1]);
  });

  it("reads nothing for an update that leaves what is kept, replaces it, or outdoes it", async () => {
    const repainted = { ...c, fields: { ...c.fields, colour: "blue" } };
    expect(await after(max("level"), [c], update(c, repainted))).toEqual([3, 0]);
    expect(await after(approxCountDistinct("level"), [c], update(c, repainted))).toEqual([1, 0]);
    expect(await after(last("colour"), three, update(c, repainted))).toEqual(["blue", 0]);
    expect(await after(lastN("level", 2), three, update(c, row("c", 9)))).toEqual([[9, 5], 0]);
    expect(await after(max("level"), three, update(b, row("b", 6)))).toEqual([6, 0]);
    expect(await after(max("level"), three, update(b, row("b", 2)))).toEqual([3, 1]);
  });

  it("reads nothing where it is pending together with what it takes back", async () => {
    const entity = new FoldedEntity(viewOf({ n: count(), most: max("level") }), "d1");
    await entity.fold([insert(a), insert(b), remove(b), ...update(a, c), remove(c), insert(a)]);
    expect([entity.answer(NOON + 1).values, entity.reads]).toEqual([[1, 1], 0]);
    expect(entity.bytes).toBe(entity.built);
  });

  it("asks the log for the tiles in question, newest events first, page by page", async () => {
    const plan = viewOf({ most: max("level").over("1h"), n: count() });
    const entity = new FoldedEntity(plan, "d1");
    const many = Array.from({ length: 8_001 }, (_, i) => insert(row(`r${i}`, i)));
    const top = row("x", 9_000, { time: NOON + 1_000 });
    entity.load([...many, insert(top)]);
    const gone = remove(top);
    const snapshot = {
      tenant: "t",
      entity: "device",
      key: "d1",
      version: 8_002,
      builds: 0,
      states: new Map([[plan.stateId, entity.bytes ?? ""]]),
      pending: [gone.event],
      waitingSince: [],
      erased: false,
    };
    const open = foldEntity([plan], snapshot, new Set());
    expect(isOpen(open) && open.filter).toEqual({
      sources: ["rows"],
      from: NOON,
      before: NOON + 300_000,
    });
    await entity.fold([gone]);
    expect(entity.answer(NOON + 1_001).values).toEqual([8_000, 8_001]);
    expect(entity.reads).toBe(3);
  });

  it("leaves nothing of a row in the entity that it moves away from", async () => {
    const plan = viewOf({ n: count(), newest: last("level") });
    const [from, to] = [new FoldedEntity(plan, "d1"), new FoldedEntity(plan, "d2")];
    await from.fold([insert(a), insert(c)]);
    const [gone, come] = update(c, { ...c, device: "d2" }) as [RowEvent, RowEvent];
    await from.fold([gone]);
    await to.fold([come]);
    expect(from.answer(NOON + 1).values).toEqual([1, 1]);
    expect(to.answer(NOON + 1).values).toEqual([1, 3]);
  });

  it("leaves an empty state, and no tile, when all is taken back", async () => {
    const plan = viewOf({ n: count().over("1d"), average: mean("level"), most: max("level") });
    const entity = new FoldedEntity(plan, "d1");
    await entity.fold(three.map((image) => insert(image)));
    await entity.fold(three.map((image) => remove(image)));
    expect(entity.answer(NOON + 1)).toEqual({
      values: [0, null, null],
      statuses: ["NOT_FOUND", "NOT_FOUND", "NOT_FOUND"],
      capped: [],
    });
    const state = decodeState(plan, entity.bytes ?? "");
    expect(state.levels.map((tiles) => tiles.size)).toEqual([0, 0]);
    expect(state.horizon).toBe(NOON);
  });

  it("makes no tile for what no feature of it takes", async () => {
    const plan = viewOf({ reds: count().where({ colour: "red" }).over("1d"), n: count() });
    const entity = new FoldedEntity(plan, "d1");
    await entity.fold([insert({ ...a, fields: { ...a.fields, colour: "blue" } })]);
    const sizes = decodeState(plan, entity.bytes ?? "").levels.map((tiles) => tiles.size);
    expect(sizes).toEqual([0, 1]);
  });

  it("does no harm where the event that it takes back comes later", async () => {
    const plan = viewOf({ most: max("level").over("1d"), n: count(), newest: last("level") }, "1h");
    const entity = new FoldedEntity(plan, "d1");
    const [added, taken] = [insert(a), remove(a)];
    for (const one of [taken, insert(c), remove(b), added]) {
      expect((await entity.fold([one])).commit.folded).toHaveLength(1);
    }
    // Such a state is built from the log before anybody reads it.
    entity.bytes = entity.built;
    expect(entity.answer(NOON + 1).values).toEqual([3, 1, 3]);
    await entity.fold([remove(c)]);
    expect(entity.answer(NOON + 1).statuses[0]).toBe("NOT_FOUND");
    expect(entity.bytes).toBe(entity.built);
  });

  it("is left out without a refusal of its own where what it takes back was refused", async () => {
    const entity = new FoldedEntity(viewOf({ most: max("level"), n: count() }), "d1");
    const torn = ({ event, ...rest }: RowEvent): RowEvent => ({
      ...rest,
      event: { ...event, body: event.body.replace('"level":"5"', '"level":"high"') },
    });
    const [added, taken] = [torn(insert(b)), torn(remove(b))];
    const fold = await entity.fold([added, insert(a), taken]);
    expect(fold.poison.map(({ event }) => event.eventId)).toEqual([added.event.eventId]);
    expect([fold.commit.folded.length, fold.commit.poisoned]).toEqual([3, []]);
    expect(entity.answer(NOON + 1).values).toEqual([1, 1]);
  });

  it("changes nothing where what it takes back was refused in an earlier fold", async () => {
    const plan = viewOf({ most: max("level"), n: count() }, "1h");
    const entity = new FoldedEntity(plan, "d1");
    const torn = ({ event, ...rest }: RowEvent): RowEvent => ({
      ...rest,
      event: { ...event, body: event.body.replace('"level":"5"', '"level":"high"') },
    });
    for (const one of [torn(insert(b)), insert(a), torn(remove(b)), insert(c)]) {
      await entity.fold([one]);
      expect(entity.bytes ?? entity.built).toBe(entity.built);
    }
    expect([entity.answer(NOON + 1).values, entity.log.length]).toEqual([[3, 2], 4]);
  });
});

describe("the newest event of what is left", () => {
  const plan = viewOf({ n: count() }, "1h");
  const [early, late] = [
    row("a", 1, { time: NOON - 2 * HOUR }),
    row("b", 2, { time: NOON - 30 * 60_000 }),
  ];
  const newest = row("c", 3);

  it("decides on the maxAge, and is looked for in the log where the newest went", async () => {
    const entity = new FoldedEntity(plan, "d1");
    await entity.fold([early, late, newest].map((image) => insert(image)));
    const statusAt = (asOf: number) => entity.answer(asOf).statuses[0];
    expect(statusAt(NOON + HOUR)).toBe("PRESENT");
    await entity.fold([remove(newest)]);
    expect(entity.reads).toBe(1);
    expect(openState(entity.bytes ?? "")).toMatchObject({ newest: late.time, horizon: NOON });
    expect(statusAt(NOON + 1)).toBe("PRESENT");
    expect(statusAt(late.time + HOUR)).toBe("PRESENT");
    expect(statusAt(late.time + HOUR + 1)).toBe("OUTSIDE_MAX_AGE");
    await entity.fold([remove(late)]);
    // What is older than the maxAge is as old as anything.
    expect(openState(entity.bytes ?? "").newest).toBe(NOON - HOUR);
    expect(statusAt(NOON + 1)).toBe("OUTSIDE_MAX_AGE");
    expect(entity.bytes).toBe(entity.built);
    await entity.fold([remove(early)]);
    expect([statusAt(NOON + 1), entity.reads]).toEqual(["NOT_FOUND", 2]);
  });

  it("is not looked for where another is as new or newer", async () => {
    const entity = new FoldedEntity(plan, "d1");
    await entity.fold([insert(late), insert(newest)]);
    await entity.fold([...update(newest, { ...newest, fields: { level: 9 } }), remove(late)]);
    expect([openState(entity.bytes ?? "").newest, entity.reads]).toEqual([NOON, 0]);
  });

  it("takes its horizon along in a state's bytes only where it differs", async () => {
    const entity = new FoldedEntity(plan, "d1");
    await entity.fold([insert(late), insert(newest)]);
    const before = atob(entity.bytes ?? "");
    await entity.fold([remove(newest)]);
    const then = atob(entity.bytes ?? "");
    expect([before.charCodeAt(0), then.charCodeAt(0)]).toEqual([1, 2]);
  });
});

describe("an inclusive view", () => {
  it("is at T what an exclusive one is a millisecond later", async () => {
    const values = async (boundary: "exclusive" | "inclusive", at: number) => {
      const entity = new FoldedEntity(viewOf({ n: count().over("1h") }, "1h", boundary), "d1");
      await entity.fold([insert(row("a", 1, { time: NOON }))]);
      return entity.answer(at);
    };
    for (const at of [NOON, NOON + HOUR - 1, NOON + HOUR, NOON + HOUR + 299_999]) {
      expect(await values("inclusive", at)).toEqual(await values("exclusive", at + 1));
    }
    expect((await values("inclusive", NOON)).values).toEqual([1]);
  });
});
