import type { ByteReader } from "../bytes.ts";
import type { Aggregate, Observation } from "./aggregate.ts";
import { checkedWhole, type Parameters } from "./parameters.ts";
import {
  compareObservations,
  decodeObservation,
  encodeObservation,
  isSameValue,
  observationBytes,
  plainValue,
  skipObservation,
} from "./value-codec.ts";

/** The observations that are kept, nearest to the edge first. */
type EdgeList = readonly Observation[];

function decode(reader: ByteReader): EdgeList {
  return Array.from({ length: reader.uint() }, () => decodeObservation(reader, reader.uint()));
}

function edgeList(later: boolean, n: number): Aggregate<EdgeList> {
  const compare = (a: Observation, b: Observation): number =>
    later ? compareObservations(b, a) : compareObservations(a, b);
  const merge = (a: EdgeList, b: EdgeList): EdgeList => {
    if (a.length === 0 || b.length === 0) return a.length === 0 ? b : a;
    return [...a, ...b].toSorted(compare).slice(0, n);
  };
  const placeOf = (list: EdgeList, observation: Observation): number =>
    list.findIndex(
      (one) => compare(one, observation) === 0 && isSameValue(one.value, observation.value),
    );
  const isBeyond = (list: EdgeList, observation: Observation): boolean =>
    list.length === n && compare(list[n - 1] as Observation, observation) < 0;
  return {
    empty: () => [],
    add: (list, observation) => (isBeyond(list, observation) ? list : merge(list, [observation])),
    retract(list, observation) {
      const at = placeOf(list, observation);
      if (at >= 0) return list.length < n ? list.toSpliced(at, 1) : null;
      return isBeyond(list, observation) ? list : null;
    },
    replace(list, gone, come) {
      const at = placeOf(list, gone);
      if (at >= 0) return list.with(at, come);
      return isBeyond(list, gone) ? list : null;
    },
    merge,
    finish: (list, asText) =>
      list.length === 0 ? null : list.map(({ value }) => plainValue(value, asText)),
    encode: (writer, list) => {
      writer.uint(list.length);
      for (const one of list) encodeObservation(writer, one);
    },
    decode,
    mergeFrom: (list, reader) => merge(list, decode(reader)),
    skip: (reader) => {
      for (let left = reader.uint(); left > 0; left -= 1) skipObservation(reader, reader.uint());
    },
    maxBytes: (extent) => 1 + n * observationBytes(extent),
  };
}

const sizeOf = (parameters: Parameters): number => checkedWhole(parameters, "n", 1, 100);

/** The values of the n earliest events by (event time, order key), earliest first. */
export const firstN = (parameters: Parameters) => edgeList(false, sizeOf(parameters));

/** The values of the n latest events by (event time, order key), latest first. */
export const lastN = (parameters: Parameters) => edgeList(true, sizeOf(parameters));
