import { addExact, divideExact, isFast, type Exact } from "../exact.ts";
import type { Aggregate } from "./aggregate.ts";
import { decodeExact, encodeExact, exactValue, skipExact } from "./exact-codec.ts";

/** How many values, and their exact total m · 10^−s. */
export interface Total {
  n: number;
  m: number | bigint;
  s: number;
}

/** Adds in place; most totals of one column have one scale and stay small. */
function addTo(total: Total, n: number, { m, s }: Exact): Total {
  total.n += n;
  if (total.s === s && isFast(total.m) && isFast(m)) {
    total.m += m;
    return total;
  }
  const sum = addExact(total, { m, s });
  total.m = sum.m;
  total.s = sum.s;
  return total;
}

const partial: Omit<Aggregate<Total>, "finish"> = {
  empty: () => ({ n: 0, m: 0, s: 0 }),
  add: (total, { value }) => addTo(total, 1, value as Exact),
  merge: (into, from) => (from.n === 0 ? into : addTo(into, from.n, from)),
  encode: (writer, total) => {
    writer.uint(total.n);
    if (total.n > 0) encodeExact(writer, total);
  },
  decode: (reader) => {
    const n = reader.uint();
    return { n, ...(n > 0 ? decodeExact(reader) : { m: 0, s: 0 }) };
  },
  mergeFrom: (into, reader) => {
    const n = reader.uint();
    return n === 0 ? into : addTo(into, n, decodeExact(reader));
  },
  skip: (reader) => {
    if (reader.uint() > 0) skipExact(reader);
  },
};

/** The exact sum, rounded once when it is read. */
export const sum: Aggregate<Total> = {
  ...partial,
  finish: (total, asText) => (total.n === 0 ? null : exactValue(total, asText)),
};

/** The exact sum over the count, rounded once; always a double, since a quotient has no end. */
export const mean: Aggregate<Total> = {
  ...partial,
  finish: (total) => (total.n === 0 ? null : divideExact(total, total.n)),
};
