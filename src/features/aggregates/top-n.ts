import type { ByteReader } from "../bytes.ts";
import { compareExact, type Exact } from "../exact.ts";
import type { Aggregate } from "./aggregate.ts";
import { decodeExact, encodeExact, exactValue, skipExact } from "./exact-codec.ts";
import { checkedWhole, type Parameters } from "./parameters.ts";

/** The values that are kept, largest first; equal ones as often as they came. */
type Top = readonly Exact[];

const decode = (reader: ByteReader): Top =>
  Array.from({ length: reader.uint() }, () => decodeExact(reader));

const descending = (a: Exact, b: Exact): number => compareExact(b, a);

/** The n largest values, largest first, compared exactly. */
export function topN(parameters: Parameters): Aggregate<Top> {
  const n = checkedWhole(parameters, "n", 1, 100);
  const merge = (a: Top, b: Top): Top => {
    if (a.length === 0 || b.length === 0) return a.length === 0 ? b : a;
    return [...a, ...b].toSorted(descending).slice(0, n);
  };
  return {
    empty: () => [],
    add(top, { value }) {
      const isBelow = top.length === n && descending(top[n - 1] as Exact, value as Exact) <= 0;
      return isBelow ? top : merge(top, [value as Exact]);
    },
    retract(top, { value }) {
      const at = top.findIndex((one) => compareExact(one, value as Exact) <= 0);
      // A list that is not full holds everything; below a full one lies what it left out.
      if (at < 0) return top.length === n ? top : null;
      const isKept = compareExact(top[at] as Exact, value as Exact) === 0;
      return isKept && top.length < n ? top.toSpliced(at, 1) : null;
    },
    merge,
    finish: (top, asText) => (top.length === 0 ? null : top.map((one) => exactValue(one, asText))),
    encode: (writer, top) => {
      writer.uint(top.length);
      for (const one of top) encodeExact(writer, one);
    },
    decode,
    mergeFrom: (top, reader) => merge(top, decode(reader)),
    skip: (reader) => {
      for (let left = reader.uint(); left > 0; left -= 1) skipExact(reader);
    },
    maxBytes: ({ valueBytes }) => 1 + n * valueBytes,
  };
}
