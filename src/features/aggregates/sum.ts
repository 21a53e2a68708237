import { divideExact, negateExact, normaliseExact, type Exact, type Sum } from "../exact.ts";
import type { Aggregate } from "./aggregate.ts";
import { COUNT_BYTES } from "./count.ts";
import {
  addEncoded,
  addToSum,
  encodeExact,
  exactBytes,
  exactValue,
  skipExact,
} from "./exact-codec.ts";

/** How many values, and their exact sum. */
export interface Total extends Sum {
  n: number;
}

/** Made in one place, so that engines hold all of them alike, whatever their numbers become. */
const totalOf = (n: number, m: number, s: number): Total => ({ n, m, s });

function addTo(total: Total, n: number, value: Exact): Total {
  total.n += n;
  addToSum(total, value);
  return total;
}

const partial: Omit<Aggregate<Total>, "finish"> = {
  empty: () => totalOf(0, 0, 0),
  add: (total, { value }) => addTo(total, 1, value as Exact),
  retract: (total, { value }) =>
    total.n > 0 ? addTo(total, -1, negateExact(value as Exact)) : null,
  merge: (into, from) => (from.n === 0 ? into : addTo(into, from.n, from)),
  encode: (writer, total) => {
    writer.uint(total.n);
    if (total.n > 0) encodeExact(writer, normaliseExact(total));
  },
  decode: (reader) => {
    const total = totalOf(reader.uint(), 0, 0);
    if (total.n > 0) addEncoded(total, reader);
    return total;
  },
  mergeFrom: (into, reader) => {
    const n = reader.uint();
    if (n === 0) return into;
    into.n += n;
    addEncoded(into, reader);
    return into;
  },
  skip: (reader) => {
    if (reader.uint() > 0) skipExact(reader);
  },
  // 38 digits, times two million
  maxBytes: () => COUNT_BYTES + exactBytes(45),
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
