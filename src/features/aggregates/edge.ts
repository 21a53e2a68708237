import type { ByteReader, ByteWriter } from "../bytes.ts";
import type { Aggregate, FeatureValue, FieldValue, Observation } from "./aggregate.ts";
import { decodeExact, encodeExact, exactValue, skipExact } from "./exact-codec.ts";

type Edge = Observation | null;

const TEXT = 1;
const NUMBER = 2;
const FALSE = 3;
const TRUE = 4;

function encodeValue(writer: ByteWriter, value: FieldValue): void {
  if (typeof value === "boolean") return writer.uint(value ? TRUE : FALSE);
  writer.uint(typeof value === "string" ? TEXT : NUMBER);
  if (typeof value === "string") writer.text(value);
  else encodeExact(writer, value);
}

function decodeValue(reader: ByteReader, tag: number): FieldValue {
  if (tag === TEXT) return reader.text();
  return tag === NUMBER ? decodeExact(reader) : tag === TRUE;
}

const readable = (value: FieldValue, asText: boolean): FeatureValue =>
  typeof value === "object" ? exactValue(value, asText) : value;

/** Pure. Whether `a` comes after `b` by (time, order). */
const isAfter = (a: Observation, b: Observation): boolean =>
  a.time !== b.time ? a.time > b.time : a.order > b.order;

function decode(reader: ByteReader): Edge {
  const tag = reader.uint();
  if (tag === 0) return null;
  const value = decodeValue(reader, tag);
  return { value, time: reader.int(), order: reader.text() };
}

function edge(later: boolean): Aggregate<Edge> {
  const pick = (a: Edge, b: Edge): Edge => {
    if (a === null || b === null) return a ?? b;
    return isAfter(a, b) === later ? a : b;
  };
  return {
    empty: () => null,
    add: pick,
    merge: pick,
    finish: (found, asText) => (found === null ? null : readable(found.value, asText)),
    encode: (writer, found) => {
      if (found === null) return writer.uint(0);
      encodeValue(writer, found.value);
      writer.int(found.time);
      writer.text(found.order);
    },
    decode,
    mergeFrom: (found, reader) => pick(found, decode(reader)),
    skip: (reader) => {
      const tag = reader.uint();
      if (tag === 0) return;
      if (tag === TEXT) reader.skip(reader.uint());
      else if (tag === NUMBER) skipExact(reader);
      reader.uint();
      reader.skip(reader.uint());
    },
  };
}

/** The value of the latest event by (event time, order key). */
export const last = edge(true);

/** The value of the earliest event by (event time, order key). */
export const first = edge(false);
