import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type {
  Aggregate,
  FieldValue,
  Observation,
} from "../../../src/features/aggregates/aggregate.ts";
import {
  aggregateOf,
  partialOf,
  type AggregateName,
} from "../../../src/features/aggregates/catalogue.ts";
import { ByteReader, ByteWriter } from "../../../src/features/bytes.ts";
import { exactOf } from "../../../src/features/exact.ts";
import { anyOrder, shuffled } from "../../support/shuffle.ts";

const anyExact = fc
  .oneof(
    fc.integer({ min: -(10 ** 6), max: 10 ** 6 }).map((n) => String(n / 1_000)),
    fc.bigInt({ min: -(10n ** 37n), max: 10n ** 37n }).map(String),
    fc.constantFrom("0", "-0", "1e-300", "-9.99e299", "4503599627370496", "-4503599627370495"),
  )
  .map((text) => exactOf(text));

const anyText = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("", "ぶどう色", "🍇", "é"),
);
const anyTime = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 });

/** Few times and orders, so that ties are common; an order is one event's. */
const observations = (value: fc.Arbitrary<FieldValue>): fc.Arbitrary<readonly Observation[]> =>
  fc
    .array(fc.tuple(value, fc.oneof(fc.constantFrom(-1, 0, 1), anyTime)), { maxLength: 12 })
    .map((all) => all.map(([one, time], i) => ({ value: one, time, order: `e${i % 3}é${i}` })));

const numbers = observations(anyExact);
const anything = observations(fc.oneof(anyExact, anyText, fc.boolean()));

const CASES: readonly (readonly [AggregateName, fc.Arbitrary<readonly Observation[]>])[] = [
  ["count", anything],
  ["sum", numbers],
  ["mean", numbers],
  ["min", numbers],
  ["max", numbers],
  ["first", anything],
  ["last", anything],
];

function packed<P>(aggregate: Aggregate<P>, partial: P): Uint8Array {
  const writer = new ByteWriter();
  aggregate.encode(writer, partial);
  return writer.finish();
}

/** A partial of its own, as a reader of the state has it. */
const unpacked = (aggregate: Aggregate<unknown>, bytes: Uint8Array): unknown =>
  aggregate.decode(new ByteReader(bytes));

const added = (aggregate: Aggregate<unknown>, of: readonly Observation[]): Uint8Array => {
  const partial = of.reduce((sum, one) => aggregate.add(sum, one), aggregate.empty());
  return packed(aggregate, partial);
};

const merged = (aggregate: Aggregate<unknown>, parts: readonly Uint8Array[]): Uint8Array => {
  const partial = parts.reduce(
    (sum, part) => aggregate.merge(sum, unpacked(aggregate, part)),
    aggregate.empty(),
  );
  return packed(aggregate, partial);
};

describe.each(CASES)("the partial states of %s", (name, anyObservations) => {
  const aggregate = aggregateOf(name);

  it("come out the same whatever the order and the split", () => {
    fc.assert(
      fc.property(anyObservations, anyOrder, fc.integer({ min: 1, max: 5 }), (all, order, size) => {
        const whole = added(aggregate, all);
        const mixed = shuffled(all, order);
        const parts = Array.from({ length: Math.ceil(all.length / size) }, (_, i) =>
          added(aggregate, mixed.slice(i * size, (i + 1) * size)),
        );
        expect(added(aggregate, mixed)).toEqual(whole);
        expect(merged(aggregate, parts)).toEqual(whole);
        expect(merged(aggregate, parts.toReversed())).toEqual(whole);
        // Merged in pairs first, then the pairs: the other way to put the brackets.
        const pairs = Array.from({ length: Math.ceil(parts.length / 2) }, (_, i) =>
          merged(aggregate, parts.slice(i * 2, i * 2 + 2)),
        );
        expect(merged(aggregate, pairs)).toEqual(whole);
      }),
    );
  });

  it("have the empty one as their identity, on either side", () => {
    fc.assert(
      fc.property(anyObservations, (all) => {
        const one = added(aggregate, all);
        const none = packed(aggregate, aggregate.empty());
        expect(merged(aggregate, [none, one])).toEqual(one);
        expect(merged(aggregate, [one, none])).toEqual(one);
      }),
    );
  });

  it("are decoded as they were encoded, and skipped to the byte", () => {
    fc.assert(
      fc.property(anyObservations, (all) => {
        const bytes = added(aggregate, all);
        const partial = unpacked(aggregate, bytes);
        expect(packed(aggregate, partial)).toEqual(bytes);
        const followed = new ByteReader(Uint8Array.from([...bytes, 42]));
        aggregate.skip(followed);
        expect(followed.uint()).toBe(42);
        expect(followed.done).toBe(true);
        for (const asText of [true, false]) {
          const value = all.reduce((sum, one) => aggregate.add(sum, one), aggregate.empty());
          expect(aggregate.finish(partial, asText)).toEqual(aggregate.finish(value, asText));
        }
      }),
    );
  });

  it("are merged from their bytes as from themselves, to the byte", () => {
    fc.assert(
      fc.property(anyObservations, anyObservations, (first, second) => {
        const [into, from] = [added(aggregate, first), added(aggregate, second)];
        const reader = new ByteReader(Uint8Array.from([...from, 42]));
        const one = aggregate.mergeFrom(unpacked(aggregate, into), reader);
        expect(reader.uint()).toBe(42);
        expect(packed(aggregate, one)).toEqual(merged(aggregate, [into, from]));
      }),
    );
  });

  it("share nothing: a partial that is merged into two others stays as it was", () => {
    fc.assert(
      fc.property(anyObservations, anyObservations, (first, second) => {
        const shared = unpacked(aggregate, added(aggregate, first));
        const one = aggregate.merge(aggregate.empty(), shared);
        const other = aggregate.merge(aggregate.empty(), shared);
        const more = unpacked(aggregate, added(aggregate, second));
        const grown = aggregate.merge(one, more);
        expect(packed(aggregate, shared)).toEqual(added(aggregate, first));
        expect(packed(aggregate, other)).toEqual(added(aggregate, first));
        const again = [added(aggregate, first), added(aggregate, second)];
        expect(packed(aggregate, grown)).toEqual(merged(aggregate, again));
        expect(packed(aggregate, more)).toEqual(added(aggregate, second));
        // Nor does adding to what came of the shared one change it.
        for (const observation of second) aggregate.add(other, observation);
        expect(packed(aggregate, shared)).toEqual(added(aggregate, first));
      }),
    );
  });

  it("are empty without events: 0 for a count, null for all else", () => {
    expect(aggregate.finish(aggregate.empty(), false)).toBe(name === "count" ? 0 : null);
    expect(aggregate.finish(aggregate.empty(), true)).toBe(name === "count" ? 0 : null);
  });
});

describe("aggregates", () => {
  const finish = (name: AggregateName, values: readonly string[], asText = false) => {
    const aggregate = aggregateOf(name);
    const partial = values.reduce(
      (sum, value, i) => aggregate.add(sum, { value: exactOf(value), time: i, order: String(i) }),
      aggregate.empty(),
    );
    return aggregate.finish(partial, asText);
  };

  it("round once, from the exact result", () => {
    expect(finish("sum", ["0.1", "0.2"])).toBe(0.3);
    expect(finish("sum", ["0.1", "0.2"], true)).toBe("0.3");
    expect(finish("sum", ["1e21", "1", "-1e21"])).toBe(1);
    expect(finish("mean", ["9007199254740993", "9007199254740993"])).toBe(9007199254740992);
    expect(finish("mean", ["1", "1", "2"])).toBe(4 / 3);
    expect(finish("mean", ["0.1", "0.2"], true)).toBe(0.15);
  });

  it("compare exactly, where doubles are equal", () => {
    expect(finish("max", ["9007199254740992", "9007199254740993"], true)).toBe("9007199254740993");
    expect(finish("min", ["0.10000000000000000001", "0.1"], true)).toBe("0.1");
    expect(finish("max", ["-5", "-7"])).toBe(-5);
  });

  it("share a partial exactly where their merges are the same", () => {
    expect(partialOf("mean")).toBe(partialOf("sum"));
    const names = ["count", "sum", "min", "max", "first", "last"] as const;
    expect(new Set(names.map(partialOf)).size).toBe(names.length);
  });
});
