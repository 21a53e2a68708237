import type { ByteReader } from "../bytes.ts";
import type { Aggregate, Observation } from "./aggregate.ts";
import {
  compareObservations,
  decodeObservation,
  decodeUnordered,
  encodeObservation,
  observationBytes,
  plainValue,
  skipObservation,
} from "./value-codec.ts";

type Edge = Observation | null;

function decode(reader: ByteReader): Edge {
  const tag = reader.uint();
  return tag === 0 ? null : decodeObservation(reader, tag);
}

function edge(later: boolean): Aggregate<Edge> {
  const pick = (a: Edge, b: Edge): Edge => {
    if (a === null || b === null) return a ?? b;
    return compareObservations(a, b) > 0 === later ? a : b;
  };
  return {
    empty: () => null,
    add: pick,
    retract(found, observation) {
      if (found === null) return null;
      const order = compareObservations(found, observation);
      return order !== 0 && order > 0 === later ? found : null;
    },
    // What takes the place of the one that is kept is the edge as well.
    replace(found, gone, come) {
      if (found === null) return null;
      return compareObservations(found, gone) === 0 ? come : found;
    },
    merge: pick,
    finish: (found, asText) => (found === null ? null : plainValue(found.value, asText)),
    encode: (writer, found) => {
      if (found === null) writer.uint(0);
      else encodeObservation(writer, found);
    },
    decode,
    decodeAlone(reader) {
      const tag = reader.uint();
      return tag === 0 ? null : decodeUnordered(reader, tag);
    },
    mergeFrom: (found, reader) => pick(found, decode(reader)),
    skip: (reader) => {
      const tag = reader.uint();
      if (tag !== 0) skipObservation(reader, tag);
    },
    maxBytes: observationBytes,
  };
}

/** The value of the latest event by (event time, order key). */
export const last = edge(true);

/** The value of the earliest event by (event time, order key). */
export const first = edge(false);
