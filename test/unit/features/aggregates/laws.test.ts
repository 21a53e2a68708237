import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type {
  Aggregate,
  AggregateValue,
  Observation,
} from "../../../../src/features/aggregates/aggregate.ts";
import { partialOf } from "../../../../src/features/aggregates/catalogue.ts";
import { ByteReader, ByteWriter } from "../../../../src/features/bytes.ts";
import { naiveValue, toleranceOf } from "../../../support/naive-aggregates.ts";
import { anyOrder, shuffled } from "../../../support/shuffle.ts";
import { CASES, made, seen } from "./cases.ts";

function packed(aggregate: Aggregate<unknown>, partial: unknown): Uint8Array {
  const writer = new ByteWriter();
  aggregate.encode(writer, partial);
  return writer.finish();
}

/** A partial of its own, as a reader of the state has it. */
const unpacked = (aggregate: Aggregate<unknown>, bytes: Uint8Array): unknown =>
  aggregate.decode(new ByteReader(bytes));

const summed = (aggregate: Aggregate<unknown>, of: readonly Observation[]): unknown =>
  of.reduce((sum, one) => aggregate.add(sum, one), aggregate.empty());

const added = (aggregate: Aggregate<unknown>, of: readonly Observation[]): Uint8Array =>
  packed(aggregate, summed(aggregate, of));

const merged = (aggregate: Aggregate<unknown>, parts: readonly Uint8Array[]): Uint8Array => {
  const partial = parts.reduce(
    (sum, part) => aggregate.merge(sum, unpacked(aggregate, part)),
    aggregate.empty(),
  );
  return packed(aggregate, partial);
};

/** A read after every observation. */
const after = (of: readonly Observation[]): number =>
  Math.max(0, ...of.map(({ time }) => time + 1));

/** Those whose partials tell everything: whatever they hold can be taken away again. */
const RETRACTABLE = new Set([
  "count",
  "sum",
  "mean",
  "varPop",
  "varSamp",
  "stddevPop",
  "stddevSamp",
  "approxPercentile",
  "vectorMean",
]);

describe.each(CASES.map((one) => [partialLabel(one), one] as const))("%s", (_label, one) => {
  const aggregate = made(one);
  const { name, parameters, observations: anyObservations } = one;

  it("comes out the same whatever the order and the split", () => {
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

  it("has the empty one as its identity, on either side", () => {
    fc.assert(
      fc.property(anyObservations, (all) => {
        const some = added(aggregate, all);
        const none = packed(aggregate, aggregate.empty());
        expect(none).toHaveLength(1);
        expect(merged(aggregate, [none, some])).toEqual(some);
        expect(merged(aggregate, [some, none])).toEqual(some);
      }),
    );
  });

  it("is without a retracted observation what it would have been, or says that it cannot tell", () => {
    fc.assert(
      fc.property(anyObservations, fc.nat(), (all, at) => {
        if (all.length === 0) return;
        const gone = all[at % all.length] as Observation;
        const rest = all.filter((other) => other !== gone);
        const partial = summed(aggregate, all);
        const retracted = aggregate.retract(partial, gone);
        const expected = retracted === null ? all : rest;
        expect(packed(aggregate, retracted ?? partial)).toEqual(added(aggregate, expected));
        expect(retracted === null && RETRACTABLE.has(name)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it("is after a replacement what it would have been, or says that it cannot tell", () => {
    fc.assert(
      fc.property(anyObservations, fc.nat(), fc.nat(), (all, at, by) => {
        if (all.length === 0 || aggregate.replace === undefined) return;
        const gone = all[at % all.length] as Observation;
        const { value } = all[by % all.length] as Observation;
        const come = { ...gone, value };
        const partial = summed(aggregate, all);
        const replaced = aggregate.replace(partial, gone, come);
        const others = all.map((other) => (other === gone ? come : other));
        expect(packed(aggregate, replaced ?? partial)).toEqual(
          added(aggregate, replaced === null ? all : others),
        );
        expect(aggregate.replace(aggregate.empty(), gone, come)).toBeNull();
      }),
      { numRuns: 300 },
    );
  });

  it("takes nothing away from nothing", () => {
    const observation = { value: { m: 1, s: 0 }, time: 0, order: "a" };
    const value = name === "vectorMean" ? [observation.value, observation.value] : undefined;
    const gone = value === undefined ? observation : { ...observation, value };
    expect(aggregate.retract(aggregate.empty(), gone)).toBeNull();
  });

  it("is decoded as it was encoded, and skipped to the byte", () => {
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
          const value = aggregate.finish(summed(aggregate, all), asText, after(all));
          expect(aggregate.finish(partial, asText, after(all))).toEqual(value);
        }
      }),
    );
  });

  it("is finished alone as it is finished whole, to the byte", () => {
    fc.assert(
      fc.property(anyObservations, (all) => {
        const bytes = added(aggregate, all);
        const reader = new ByteReader(Uint8Array.from([...bytes, 42]));
        const alone =
          aggregate.decodeAlone === undefined
            ? aggregate.decode(reader)
            : aggregate.decodeAlone(reader);
        expect(reader.uint()).toBe(42);
        for (const asText of [true, false]) {
          const value = aggregate.finish(unpacked(aggregate, bytes), asText, after(all));
          expect(aggregate.finish(alone, asText, after(all))).toEqual(value);
        }
      }),
    );
  });

  it("is merged from its bytes as from itself, to the byte", () => {
    fc.assert(
      fc.property(anyObservations, anyObservations, (first, second) => {
        const [into, from] = [added(aggregate, first), added(aggregate, second)];
        const reader = new ByteReader(Uint8Array.from([...from, 42]));
        const both = aggregate.mergeFrom(unpacked(aggregate, into), reader);
        expect(reader.uint()).toBe(42);
        expect(packed(aggregate, both)).toEqual(merged(aggregate, [into, from]));
      }),
    );
  });

  it("shares nothing: a partial that is merged into two others stays as it was", () => {
    fc.assert(
      fc.property(anyObservations, anyObservations, (first, second) => {
        const shared = unpacked(aggregate, added(aggregate, first));
        const into = aggregate.merge(aggregate.empty(), shared);
        const other = aggregate.merge(aggregate.empty(), shared);
        const more = unpacked(aggregate, added(aggregate, second));
        const grown = aggregate.merge(into, more);
        expect(packed(aggregate, shared)).toEqual(added(aggregate, first));
        expect(packed(aggregate, other)).toEqual(added(aggregate, first));
        const again = [added(aggregate, first), added(aggregate, second)];
        expect(packed(aggregate, grown)).toEqual(merged(aggregate, again));
        expect(packed(aggregate, more)).toEqual(added(aggregate, second));
        // Nor does adding to what came of the shared one change it, or taking from it.
        for (const observation of second) aggregate.add(other, observation);
        for (const observation of first) aggregate.retract(other, observation);
        expect(packed(aggregate, shared)).toEqual(added(aggregate, first));
      }),
    );
  });

  it("is empty without events: 0 for a count, null for all else", () => {
    const nothing = name === "count" ? 0 : null;
    expect(aggregate.finish(aggregate.empty(), false, 0)).toBe(nothing);
    expect(aggregate.finish(aggregate.empty(), true, 0)).toBe(nothing);
  });

  it("finishes as its definition says", () => {
    fc.assert(
      fc.property(anyObservations, fc.boolean(), (all, asText) => {
        const naive = { aggregate: name, parameters, asText };
        const asOf = after(all);
        const value = aggregate.finish(summed(aggregate, all), asText, asOf);
        const expected = naiveValue(naive, seen(all), asOf);
        const tolerance = toleranceOf(naive, seen(all), expected, asOf);
        const isNear = Math.abs(Number(value) - Number(expected)) <= tolerance;
        // What is near enough is taken for what is expected, so that a failure shows both.
        expect(plain(tolerance > 0 && isNear ? expected : value)).toEqual(plain(expected));
      }),
      { numRuns: 300 },
    );
  });
});

/** −0 and 0 are one. */
const plain = (value: AggregateValue): unknown =>
  Array.isArray(value)
    ? value.map((one: unknown) => (one === 0 ? 0 : one))
    : value === 0
      ? 0
      : value;

function partialLabel({ name, parameters }: (typeof CASES)[number]): string {
  return [name, ...Object.entries(parameters).map(([key, value]) => `${key} ${value}`)].join(", ");
}

describe("partial states", () => {
  it("are shared exactly where their merges are the same", () => {
    expect(partialOf("mean")).toBe(partialOf("sum"));
    const spreads = ["varPop", "varSamp", "stddevPop", "stddevSamp"] as const;
    expect(new Set(spreads.map((name) => partialOf(name))).size).toBe(1);
    const [a, b] = [0.5, 0.9].map((p) =>
      partialOf("approxPercentile", { p, accuracy: 0.01, from: 1, to: 2 }),
    );
    expect(a).toBe(b);
    const own = CASES.filter(({ name }) => name !== "mean" && !/^(std|varSamp)/.test(name));
    const names = own.map(({ name, parameters }) => partialOf(name, parameters));
    expect(new Set(names).size).toBe(own.length);
  });
});
