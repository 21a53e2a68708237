import { describe, expect, it } from "vitest";
import type { FieldValue } from "../../../../src/features/aggregates/aggregate.ts";
import { aggregateOf } from "../../../../src/features/aggregates/catalogue.ts";
import { ByteReader, ByteWriter } from "../../../../src/features/bytes.ts";
import { exactOf } from "../../../../src/features/exact.ts";
import type { Field } from "../../../../src/features/fields.ts";
import { hash64 } from "../../../../src/features/hash64.ts";

const observed = (value: FieldValue) => ({ value, time: 0, order: "" });

const field = (kind: Field["kind"]): Field => ({
  name: "it",
  kind,
  nullable: false,
  pii: null,
  email: false,
});

describe("countDistinct", () => {
  const counted = (max: number, values: readonly FieldValue[], over: Field | null = null) => {
    const aggregate = aggregateOf("countDistinct", { max }, over);
    const partial = values.reduce(
      (sum, value) => aggregate.add(sum, observed(value)),
      aggregate.empty(),
    );
    return { value: aggregate.finish(partial, false, 1), isCapped: aggregate.isCapped?.(partial) };
  };

  it("is exact up to its bound, and beyond it says that it is the bound", () => {
    const values = Array.from({ length: 1_001 }, (_, i) => `m${i}`);
    const known = values.slice(0, 1_000);
    expect(counted(1_000, [...known, ...known])).toEqual({ value: 1_000, isCapped: false });
    expect(counted(1_000, values)).toEqual({ value: 1_000, isCapped: true });
  });

  it("takes numbers by their value, and times by their instant", () => {
    expect(counted(9, ["1", "1.0", "10e-1", "1.00000000000000000001"].map(exactOf)).value).toBe(2);
    expect(counted(9, [true, false, true]).value).toBe(2);
    const instants = [
      "2026-01-01T00:00:00Z",
      "2026-01-01T09:00:00+09:00",
      "2026-01-01T00:00:00.0009Z",
      "2026-01-01T00:00:00.001Z",
    ];
    expect(counted(9, instants, field("time")).value).toBe(2);
    expect(counted(9, instants, field("string")).value).toBe(4);
  });

  it("counts again what was retracted once for each time that it came", () => {
    const aggregate = aggregateOf("countDistinct", { max: 2 });
    let partial = aggregate.empty();
    for (const value of ["a", "a", "b"]) partial = aggregate.add(partial, observed(value));
    expect(aggregate.retract(partial, observed("a"))).not.toBeNull();
    expect(aggregate.finish(partial, false, 1)).toBe(2);
    expect(aggregate.retract(partial, observed("a"))).not.toBeNull();
    expect(aggregate.finish(partial, false, 1)).toBe(1);
    expect(aggregate.retract(partial, observed("a"))).toBeNull();
    const full = ["x", "y"].reduce((sum, one) => aggregate.add(sum, observed(one)), partial);
    expect(aggregate.retract(full, observed("b"))).toBeNull();
  });
});

describe("approxCountDistinct", () => {
  const of = (precision: number) => aggregateOf("approxCountDistinct", { precision });

  /** The root mean square of the relative error over trials with values of their own. */
  function errorOf(precision: number, n: number, trials: number): number {
    const aggregate = of(precision);
    let squares = 0;
    for (let trial = 0; trial < trials; trial += 1) {
      let partial = aggregate.empty();
      for (let i = 0; i < n; i += 1) {
        partial = aggregate.add(partial, observed(`merchant_${trial}_${i}`));
      }
      squares += (Number(aggregate.finish(partial, false, 1)) / n - 1) ** 2;
    }
    return Math.sqrt(squares / trials);
  }

  it.each([
    [8, 1_000, 30],
    [11, 100, 50],
    [11, 1_000, 30],
    [11, 20_000, 12],
    [14, 20_000, 8],
  ])("of precision %i is about as right as theory says for %i values", (precision, n, trials) => {
    expect(errorOf(precision, n, trials)).toBeLessThan((1.3 * 1.04) / Math.sqrt(2 ** precision));
  });

  it("takes few bytes for few values, and at most six bits a register", () => {
    const sizeOf = (precision: number, n: number): number => {
      const aggregate = of(precision);
      let partial = aggregate.empty();
      for (let i = 0; i < n; i += 1) partial = aggregate.add(partial, observed(`v${i}`));
      const writer = new ByteWriter();
      aggregate.encode(writer, partial);
      const bytes = writer.finish();
      expect(aggregate.finish(aggregate.decode(new ByteReader(bytes)), false, 1)).toBe(
        aggregate.finish(partial, false, 1),
      );
      return bytes.length;
    };
    expect(sizeOf(11, 1)).toBeLessThanOrEqual(5);
    expect(sizeOf(11, 100)).toBeLessThan(220);
    expect(sizeOf(11, 5_000)).toBe(1 + 1_536);
    expect(sizeOf(16, 5_000)).toBeLessThan(1 + 49_152);
  });

  it("packs registers of every rank, four in three bytes", () => {
    const aggregate = of(8);
    const writer = new ByteWriter();
    writer.uint(257);
    for (let i = 0; i < 256; i += 1) writer.uint((i === 0 ? 0 : 64) + ((i * 7) % 57) + 1);
    const sparse = aggregate.decode(new ByteReader(writer.finish()));
    const packed = new ByteWriter();
    aggregate.encode(packed, sparse);
    const bytes = packed.finish();
    expect(bytes).toHaveLength(1 + 192);
    expect(aggregate.decode(new ByteReader(bytes))).toEqual(sparse);
  });

  it("refuses registers that there are not", () => {
    const writer = new ByteWriter();
    writer.uint(2);
    writer.uint(16 * 64 + 1);
    expect(() => of(4).decode(new ByteReader(writer.finish()))).toThrow(RangeError);
  });
});

describe("hash64", () => {
  it("is FNV-1a of the UTF-8 bytes, finished by fmix64, for ever", () => {
    const hex = (text: string): string => {
      const { high, low } = hash64(text);
      return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
    };
    const mask = 2n ** 64n - 1n;
    const finished = (fnv: bigint): string => {
      let h = ((fnv ^ (fnv >> 33n)) * 0xff51afd7ed558ccdn) & mask;
      h = ((h ^ (h >> 33n)) * 0xc4ceb9fe1a85ec53n) & mask;
      return (h ^ (h >> 33n)).toString(16).padStart(16, "0");
    };
    // The published values of FNV-1a.
    expect(hex("")).toBe(finished(0xcbf29ce484222325n));
    expect(hex("a")).toBe(finished(0xaf63dc4c8601ec8cn));
    expect(hex("foobar")).toBe(finished(0x85944171f73967e8n));
    expect(hex("ぶどう色")).toBe("b4d3f78fd28528c7");
  });
});
