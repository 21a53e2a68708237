import {
  addExact,
  divideExact,
  multiplyExact,
  negateExact,
  normaliseExact,
  rootOfQuotient,
  type Exact,
  type Sum,
} from "../exact.ts";
import type { Aggregate } from "./aggregate.ts";
import { COUNT_BYTES } from "./count.ts";
import {
  addEncoded,
  addToSum,
  decodeExact,
  encodeExact,
  exactBytes,
  skipExact,
} from "./exact-codec.ts";

/** How many values, their exact sum, and that of their squares. */
interface Moments {
  n: number;
  readonly sum: Sum;
  readonly squares: Sum;
}

function addTo(moments: Moments, n: number, sum: Exact, squares: Exact): Moments {
  moments.n += n;
  addToSum(moments.sum, sum);
  addToSum(moments.squares, squares);
  return moments;
}

const partial: Omit<Aggregate<Moments>, "finish"> = {
  empty: () => ({ n: 0, sum: { m: 0, s: 0 }, squares: { m: 0, s: 0 } }),
  add(moments, { value }) {
    const one = value as Exact;
    return addTo(moments, 1, one, multiplyExact(one, one));
  },
  retract(moments, { value }) {
    const one = value as Exact;
    if (moments.n === 0) return null;
    return addTo(moments, -1, negateExact(one), negateExact(multiplyExact(one, one)));
  },
  merge: (into, from) => (from.n === 0 ? into : addTo(into, from.n, from.sum, from.squares)),
  encode(writer, { n, sum, squares }) {
    writer.uint(n);
    if (n === 0) return;
    encodeExact(writer, normaliseExact(sum));
    encodeExact(writer, normaliseExact(squares));
  },
  decode(reader) {
    const n = reader.uint();
    if (n === 0) return partial.empty();
    return { n, sum: { ...decodeExact(reader) }, squares: { ...decodeExact(reader) } };
  },
  mergeFrom(into, reader) {
    const n = reader.uint();
    if (n === 0) return into;
    into.n += n;
    addEncoded(into.sum, reader);
    addEncoded(into.squares, reader);
    return into;
  },
  skip(reader) {
    if (reader.uint() === 0) return;
    skipExact(reader);
    skipExact(reader);
  },
  // 38 digits and their squares, times two million
  maxBytes: () => COUNT_BYTES + exactBytes(45) + exactBytes(83),
};

/** n · Σx² − (Σx)², which is n · Σ(x − mean)² and never below 0. */
const spread = ({ n, sum, squares }: Moments): Exact =>
  addExact(multiplyExact({ m: n, s: 0 }, squares), negateExact(multiplyExact(sum, sum)));

/** What the spread is divided by: n · n for a population, n · (n − 1) for a sample of one. */
const divisor = (n: number, isSample: boolean): bigint =>
  BigInt(n) * BigInt(n - (isSample ? 1 : 0));

const variance = (isSample: boolean): Aggregate<Moments> => ({
  ...partial,
  finish(moments) {
    const by = divisor(moments.n, isSample);
    return by === 0n ? null : divideExact(spread(moments), by);
  },
});

const deviation = (isSample: boolean): Aggregate<Moments> => ({
  ...partial,
  finish(moments) {
    const by = divisor(moments.n, isSample);
    return by === 0n ? null : rootOfQuotient(spread(moments), by);
  },
});

/** The variance of the values, the double nearest to it; one value has 0. */
export const varPop = variance(false);

/** The variance of what the values are a sample of (n − 1 below); null for a single value. */
export const varSamp = variance(true);

/** The double nearest to the square root of the exact varPop. */
export const stddevPop = deviation(false);

/** The double nearest to the square root of the exact varSamp; null for a single value. */
export const stddevSamp = deviation(true);
