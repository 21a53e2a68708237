import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ViewPlan } from "../../../src/features/plan.ts";
import { worstCaseBytes } from "../../../src/features/state-size.ts";
import { openState } from "../../../src/features/state.ts";
import { anyRowEvents, anyRowView, type RowEvent } from "../../support/changed-rows.ts";
import { FoldedEntity } from "../../support/folded-rows.ts";
import { netImages, wrongOf } from "../../support/row-oracle.ts";
import { anyOrder, shuffled } from "../../support/shuffle.ts";

const BASE = Date.UTC(2026, 5, 15, 13, 37, 11, 123);
const DAY = 86_400_000;
const DEVICES = ["d1", "d2"] as const;

const anySizes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 8 });
const anyLags = fc.array(fc.integer({ min: 0, max: 40 * DAY }), { minLength: 3, maxLength: 3 });

async function foldAll(
  entity: FoldedEntity,
  events: readonly RowEvent[],
  sizes: readonly number[],
) {
  for (let from = 0, n = 0; from < events.length; n += 1) {
    const size = sizes[n % sizes.length] ?? 1;
    const { poison } = await entity.fold(events.slice(from, from + size));
    expect(poison).toEqual([]);
    expect(entity.bytes).toBe(entity.built);
    from += size;
  }
}

/** The state answers what the oracle does of its log, at any instant that an answer may have. */
function expectRight(plan: ViewPlan, entity: FoldedEntity, lags: readonly number[]): void {
  const { log, bytes } = entity;
  if (bytes === null) return;
  const { horizon } = openState(bytes);
  expect(atob(bytes).length).toBeLessThanOrEqual(worstCaseBytes(plan));
  const added = log.filter(({ event }) => event.sign === 1);
  expect(horizon).toBe(Math.max(...added.map(({ image }) => image.time)));
  for (const lag of [0, ...lags]) {
    const asOf = (horizon ?? 0) + 1 + lag;
    expect(wrongOf(plan, netImages(log), asOf, entity.answer(asOf))).toEqual([]);
  }
}

describe("folding rows that change", () => {
  it("is what is left of the rows, and to the byte what is built from the log, at every step", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyRowView,
        anyRowEvents(BASE),
        anySizes,
        anyLags,
        async (plan, events, sizes, lags) => {
          for (const key of DEVICES) {
            const entity = new FoldedEntity(plan, key);
            const own = events.filter(({ device }) => device === key);
            await foldAll(entity, own, sizes);
            expectRight(plan, entity, lags);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("takes back what the log has of old of a longer text than is kept, by passing over both", async () => {
    const anyLong = fc.subarray(["red", "blue"], { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(
        anyRowView,
        anyRowEvents(BASE),
        anySizes,
        anyLong,
        async (plan, events, sizes, colours) => {
          const lengthened = events.map((one) => {
            const body = colours.reduce(
              (text, colour) => text.replace(`"${colour}"`, `"${colour.repeat(100)}"`),
              one.event.body,
            );
            return { ...one, event: { ...one.event, body } };
          });
          for (const key of DEVICES) {
            const entity = new FoldedEntity(plan, key);
            const own = lengthened.filter(({ device }) => device === key);
            for (let from = 0, n = 0; from < own.length; n += 1) {
              const size = sizes[n % sizes.length] ?? 1;
              const { poison } = await entity.fold(own.slice(from, from + size));
              expect(poison).toEqual([]);
              // Nothing taken yet is no state, or an empty one.
              expect([entity.built, null]).toContain(entity.bytes);
              const { horizon } = openState(entity.built);
              expect(entity.bytes === null && horizon !== null).toBe(false);
              from += size;
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("is so too where the log numbers what takes back before what it takes back", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyRowView,
        anyRowEvents(BASE),
        anyOrder,
        anySizes,
        async (plan, events, order, sizes) => {
          for (const key of DEVICES) {
            const entity = new FoldedEntity(plan, key);
            const own = events.filter(({ device }) => device === key);
            const middle = Math.ceil(own.length / 2);
            entity.load(shuffled(own.slice(0, middle), order));
            await foldAll(entity, own.slice(middle), sizes);
            expectRight(plan, entity, []);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
