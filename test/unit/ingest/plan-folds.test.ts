import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EntityRef } from "../../../src/features/event-log.ts";
import { planFolds } from "../../../src/ingest/plan-folds.ts";
import { NodeBuffer } from "../../support/node-buffer.ts";

const anyRef = fc.record({
  tenant: fc.constantFrom("t", "u".repeat(63)),
  entity: fc.constantFrom("device", "e".repeat(63)),
  key: fc.oneof(
    fc.nat({ max: 400 }).map(String),
    fc.nat({ max: 99 }).map((n) => `${"漢".repeat(169)}${n}`),
    fc.nat({ max: 99 }).map((n) => `${'"'.repeat(509)}${n}`),
  ),
});
const anyRefs = fc.uniqueArray(anyRef, { maxLength: 300, selector: (ref) => JSON.stringify(ref) });

const anyMet = fc.record({
  source: fc.constantFrom("clicks", "s".repeat(63)),
  eventId: fc.constantFrom("e", "漢".repeat(169), '"'.repeat(509)),
  at: anyRef,
});

const anyPlan = anyRefs.chain((entities) =>
  fc.record({
    entities: fc.constant(entities),
    waits: fc.array(
      fc.record({
        tenant: fc.constant("t"),
        token: fc.constantFrom("a", "b"),
        part: fc.nat({ max: 9 }),
        refs: fc.subarray([...entities], { maxLength: Math.min(60, entities.length) }),
        met: fc.array(anyMet, { maxLength: 9 }),
      }),
      { maxLength: entities.length === 0 ? 0 : 12 },
    ),
  }),
);

const texts = (refs: readonly EntityRef[]): readonly string[] =>
  refs.map((ref) => JSON.stringify(ref));

describe("planning later folds", () => {
  it("leaves out no entity, and sends each wait once, along with all that it waits for", () => {
    fc.assert(
      fc.property(anyPlan, ({ entities, waits }) => {
        const messages = planFolds(entities, waits, 2);
        const planned = messages.flatMap((message) => texts(message.entities));
        expect(new Set(planned)).toEqual(new Set(texts(entities)));
        for (const message of messages) {
          expect(new Set(texts(message.entities)).size).toBe(message.entities.length);
          expect(NodeBuffer.byteLength(JSON.stringify(message))).toBeLessThanOrEqual(127_900);
        }
        const told = messages.flatMap((message) => message.waits);
        expect(told).toEqual(
          waits.map(({ tenant, token, part, met }) => ({ tenant, token, part, met })),
        );
        let at = 0;
        for (const message of messages) {
          const with_ = waits.slice(at, (at += message.waits.length));
          const here = new Set(texts(message.entities));
          for (const { refs } of with_) {
            for (const text of texts(refs)) expect(here.has(text)).toBe(true);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("sends nothing where nothing is left", () => {
    expect(planFolds([], [], 0)).toEqual([]);
  });
});
