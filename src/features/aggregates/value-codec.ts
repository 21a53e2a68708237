import type { ByteReader, ByteWriter } from "../bytes.ts";
import type { Exact } from "../exact.ts";
import type { Extent, FieldValue, Observation, ScalarValue } from "./aggregate.ts";
import { decodeExact, encodeExact, exactValue, skipExact } from "./exact-codec.ts";

/** What kind of value follows; 0 is left to say that none does. */
const TEXT = 1;
const NUMBER = 2;
const FALSE = 3;
const TRUE = 4;

/** Writes a plain value (no vector) behind its type. */
export function encodeValue(writer: ByteWriter, value: FieldValue): void {
  if (typeof value === "boolean") return writer.uint(value ? TRUE : FALSE);
  writer.uint(typeof value === "string" ? TEXT : NUMBER);
  if (typeof value === "string") writer.text(value);
  else encodeExact(writer, value as Exact);
}

/** Reads a value whose type was read already. */
export function decodeValue(reader: ByteReader, tag: number): FieldValue {
  if (tag === TEXT) return reader.text();
  return tag === NUMBER ? decodeExact(reader) : tag === TRUE;
}

/** Writes an observation of a plain value (no vector): its type, value, time and order. */
export function encodeObservation(writer: ByteWriter, { value, time, order }: Observation): void {
  encodeValue(writer, value);
  writer.int(time);
  writer.text(order);
}

/** Reads an observation whose type was read already. */
export function decodeObservation(reader: ByteReader, tag: number): Observation {
  const value = decodeValue(reader, tag);
  return { value, time: reader.int(), order: reader.text() };
}

/** Reads an observation whose type was read already, all but its order. */
export function decodeUnordered(reader: ByteReader, tag: number): Observation {
  const value = decodeValue(reader, tag);
  const time = reader.int();
  reader.skip(reader.uint());
  return { value, time, order: "" };
}

/** Reads past an observation whose type was read already. */
export function skipObservation(reader: ByteReader, tag: number): void {
  if (tag === TEXT) reader.skip(reader.uint());
  else if (tag === NUMBER) skipExact(reader);
  reader.uint();
  reader.skip(reader.uint());
}

const TIME_BYTES = 7;

/** Pure. The most bytes of an observation whose value and order key take so many. */
export const observationBytes = ({ valueBytes, orderBytes }: Extent): number =>
  1 + valueBytes + TIME_BYTES + orderBytes;

/** Pure. The value that a client reads. */
export const plainValue = (value: FieldValue, asText: boolean): ScalarValue =>
  typeof value === "object" ? exactValue(value as Exact, asText) : value;

/** Pure. Whether two values of one field are the same, where same ones have the same text. */
export function isSameValue(a: FieldValue, b: FieldValue): boolean {
  if (typeof a !== "object" || typeof b !== "object") return a === b;
  if (Array.isArray(a)) {
    const other = b as readonly Exact[];
    return (a as readonly Exact[]).every((one, i) => isSameValue(one, other[i] as Exact));
  }
  const [one, other] = [a as Exact, b as Exact];
  return one.m === other.m && one.s === other.s;
}

/** Pure. Above zero where `a` comes after `b` by (time, order), below where before. */
export function compareObservations(a: Observation, b: Observation): number {
  if (a.time !== b.time) return a.time - b.time;
  return a.order === b.order ? 0 : a.order > b.order ? 1 : -1;
}
