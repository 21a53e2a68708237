import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ByteReader,
  ByteWriter,
  fromBase64,
  readersOf,
  toBase64,
} from "../../../src/features/bytes.ts";
import { NodeBuffer } from "../../support/node-buffer.ts";

const anyPart = fc.oneof(
  fc.record({
    kind: fc.constant("uint" as const),
    value: fc.oneof(fc.maxSafeNat(), fc.nat(), fc.constantFrom(2 ** 28 - 1, 2 ** 28, 2 ** 35)),
  }),
  fc.record({
    kind: fc.constant("int" as const),
    value: fc.oneof(
      fc.integer(),
      fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
      fc.constantFrom(0, -1, 63, 64, -64, -65, 2 ** 52 - 1, -(2 ** 52)),
      fc.constantFrom(2 ** 27 - 1, 2 ** 27, -(2 ** 27), -(2 ** 27) - 1),
    ),
  }),
  fc.record({
    kind: fc.constant("big" as const),
    value: fc.oneof(fc.bigInt(), fc.constantFrom(0n, -1n, 255n, 256n, -(2n ** 200n))),
  }),
  fc.record({ kind: fc.constant("text" as const), value: fc.string({ unit: "grapheme" }) }),
);
type Part = typeof anyPart extends fc.Arbitrary<infer P> ? P : never;

function write(parts: readonly Part[]): Uint8Array {
  const writer = new ByteWriter();
  for (const { kind, value } of parts) {
    if (kind === "uint") writer.uint(value);
    else if (kind === "int") writer.int(value);
    else if (kind === "big") writer.big(value);
    else writer.text(value);
  }
  return writer.finish();
}

describe("bytes", () => {
  it("are read as they were written, across every growth of the buffer", () => {
    fc.assert(
      fc.property(fc.array(anyPart, { maxLength: 200 }), (parts) => {
        const reader = new ByteReader(write(parts));
        for (const { kind, value } of parts) expect(reader[kind]()).toEqual(value);
        expect(reader.done).toBe(true);
      }),
    );
  });

  it("that end early are a RangeError, never something else", () => {
    fc.assert(
      fc.property(anyPart, fc.nat({ max: 1_000 }), (part, cut) => {
        const bytes = write([part]);
        const reader = new ByteReader(bytes.subarray(0, cut % bytes.length));
        expect(() => reader[part.kind]()).toThrow(RangeError);
      }),
    );
    const reader = new ByteReader(Uint8Array.of(200, 1));
    reader.skip(7);
    expect(() => reader.uint()).toThrow(RangeError);
  });

  it("are given back raw, as many as are asked for", () => {
    const writer = new ByteWriter();
    writer.raw(Uint8Array.of(1, 2, 255));
    writer.uint(7);
    const reader = new ByteReader(writer.finish());
    expect(reader.raw(3)).toEqual(Uint8Array.of(1, 2, 255));
    expect(reader.uint()).toBe(7);
    expect(() => reader.raw(1)).toThrow(RangeError);
  });

  it("keep a byte order mark and refuse what is no UTF-8", () => {
    const writer = new ByteWriter();
    writer.text("\uFEFFa");
    expect(new ByteReader(writer.finish()).text()).toBe("\uFEFFa");
    expect(() => new ByteReader(Uint8Array.of(1, 0xff)).text()).toThrow(TypeError);
  });

  it("cross as base64 and back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(toBase64(bytes)).toBe(NodeBuffer.from(bytes).toString("base64"));
        expect(fromBase64(toBase64(bytes))).toEqual(bytes);
      }),
    );
  });

  it("are read from many base64 texts as from each by itself", () => {
    fc.assert(
      fc.property(fc.array(fc.array(anyPart, { maxLength: 5 })), (several) => {
        const readers = readersOf(several.map((parts) => toBase64(write(parts))));
        for (const [i, parts] of several.entries()) {
          const reader = readers[i] as ByteReader;
          expect(parts.map(({ kind }) => reader[kind]())).toEqual(parts.map(({ value }) => value));
          expect(reader.done).toBe(true);
          expect(() => reader.uint()).toThrow(RangeError);
        }
      }),
    );
  });

  it.each([["QQ"], ["QQ==", "A"], ["Q=Q="], ["A A A A A A ", "QUFB"]])(
    "refuse texts that are not whole base64: %j %j",
    (...texts) => {
      expect(() => readersOf(texts)).toThrow(/whole|encoded|character/i);
    },
  );

  it("are small: what is near nothing takes a byte", () => {
    expect(write([{ kind: "uint", value: 127 }])).toHaveLength(1);
    expect(write([{ kind: "int", value: -64 }])).toHaveLength(1);
    expect(write([{ kind: "big", value: 0n }])).toHaveLength(1);
    expect(write([{ kind: "text", value: "" }])).toHaveLength(1);
  });
});
