import type { ByteReader } from "../bytes.ts";
import { exactToNumber, type Exact } from "../exact.ts";
import type { Aggregate, FieldValue } from "./aggregate.ts";
import { checked, type Parameters } from "./parameters.ts";

/**
 * DDSketch: how many values fell into each bucket, by its number. Bucket i > 0 holds the values in
 * (from · γ^(i−2), from · γ^(i−1)], the first also what is closer to 0 and the last what is beyond
 * it; −i the same below 0, and bucket 0 zero itself.
 */
type Buckets = Map<number, number>;

const MAX_BUCKETS = 4_096;

const addTo = (buckets: Buckets, bucket: number, n: number): void =>
  void buckets.set(bucket, (buckets.get(bucket) ?? 0) + n);

/**
 * Pure. The upper ends of the buckets. They are multiplied up, which IEEE 754 rounds alike
 * everywhere; a logarithm may differ between engines in the last bit, and with it a bucket.
 */
function upperEnds(from: number, to: number, gamma: number): Float64Array {
  const ends = [from];
  for (let end = from; end < to && ends.length <= MAX_BUCKETS; ends.push(end)) end *= gamma;
  if (ends.length <= MAX_BUCKETS) return Float64Array.from(ends);
  throw new RangeError(
    `"accuracy" makes more than ${MAX_BUCKETS} buckets: raise it, or bring "from" and "to" closer`,
  );
}

/** Pure. The number of the first bucket whose upper end is not below the magnitude. */
function bucketOf(ends: Float64Array, value: FieldValue): number {
  const number = exactToNumber(value as Exact);
  if (number === 0) return 0;
  const magnitude = Math.abs(number);
  let [low, high] = [0, ends.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ends[middle] as number) < magnitude) low = middle + 1;
    else high = middle;
  }
  return number > 0 ? low + 1 : -(low + 1);
}

/**
 * The value of rank 1 + floor(p · (n − 1)) among n, to a relative accuracy: a DDSketch (C. Masson,
 * J. Rim, H. Lee, PVLDB 12, 2019) whose buckets are fixed, so that none is ever collapsed. Magnitudes
 * below `from` or above `to` count as about these.
 */
export function approxPercentile(parameters: Parameters): Aggregate<Buckets> {
  const p = checked(parameters, "p", 0, 1);
  const accuracy = checked(parameters, "accuracy", 0.001, 0.2);
  const from = checked(parameters, "from", 1e-300, 1e300);
  const to = checked(parameters, "to", from, 1e300);
  const gamma = (1 + accuracy) / (1 - accuracy);
  const ends = upperEnds(from, to, gamma);
  const valueOf = (bucket: number): number => {
    if (bucket === 0) return 0;
    return (Math.sign(bucket) * 2 * (ends[Math.abs(bucket) - 1] as number)) / (1 + gamma);
  };
  const mergeFrom = (into: Buckets, reader: ByteReader): Buckets => {
    let bucket = -ends.length;
    for (let left = reader.uint(); left > 0; left -= 1) {
      bucket += reader.uint();
      addTo(into, bucket, reader.uint());
    }
    return into;
  };
  return {
    empty: () => new Map(),
    add(buckets, { value }) {
      addTo(buckets, bucketOf(ends, value), 1);
      return buckets;
    },
    retract(buckets, { value }) {
      const bucket = bucketOf(ends, value);
      const n = buckets.get(bucket);
      if (n === undefined) return null;
      if (n > 1) buckets.set(bucket, n - 1);
      else buckets.delete(bucket);
      return buckets;
    },
    merge(into, fromOther) {
      for (const [bucket, n] of fromOther) addTo(into, bucket, n);
      return into;
    },
    finish(buckets) {
      const sorted = [...buckets].toSorted(([a], [b]) => a - b);
      const n = sorted.reduce((sum, [, count]) => sum + count, 0);
      let left = Math.floor(p * (n - 1));
      for (const [bucket, count] of sorted) {
        if (left < count) return valueOf(bucket);
        left -= count;
      }
      return null;
    },
    encode(writer, buckets) {
      writer.uint(buckets.size);
      let previous = -ends.length;
      for (const [bucket, n] of [...buckets].toSorted(([a], [b]) => a - b)) {
        writer.uint(bucket - previous);
        writer.uint(n);
        previous = bucket;
      }
    },
    decode: (reader) => mergeFrom(new Map(), reader),
    mergeFrom,
    skip(reader) {
      for (let left = reader.uint(); left > 0; left -= 1) {
        reader.uint();
        reader.uint();
      }
    },
    // every bucket, its distance in a byte and, of two million values, most counts in two
    maxBytes: () => 3 + (2 * ends.length + 1) * 3 + 128,
  };
}
