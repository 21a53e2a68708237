import { divideExact, negateExact, normaliseExact, type Exact, type Sum } from "../exact.ts";
import type { KeptField } from "../plan.ts";
import type { Aggregate, FieldValue } from "./aggregate.ts";
import { COUNT_BYTES } from "./count.ts";
import {
  addEncoded,
  addToSum,
  decodeExact,
  encodeExact,
  exactBytes,
  skipExact,
} from "./exact-codec.ts";
import type { Parameters } from "./parameters.ts";

/** How many vectors, and the exact sum of each component; without components until there is one. */
interface VectorTotal {
  n: number;
  sums: Sum[];
}

const zeros = (length: number): Sum[] => Array.from({ length }, () => ({ m: 0, s: 0 }));

function addTo(total: VectorTotal, n: number, vector: readonly Exact[]): VectorTotal {
  total.n += n;
  if (total.sums.length === 0) total.sums = zeros(vector.length);
  for (const [i, sum] of total.sums.entries()) addToSum(sum, vector[i] as Exact);
  return total;
}

/** The mean vector: each component the double nearest to its exact mean. */
export function vectorMean(
  _parameters: Parameters,
  field: KeptField | null,
): Aggregate<VectorTotal> {
  const dimensions = field?.dimensions ?? 0;
  const components = (value: FieldValue): readonly Exact[] => {
    const vector = value as readonly Exact[];
    if (vector.length === dimensions) return vector;
    throw new RangeError(`${field?.name}: expected ${dimensions} numbers`);
  };
  return {
    empty: () => ({ n: 0, sums: [] }),
    add: (total, { value }) => addTo(total, 1, components(value)),
    retract(total, { value }) {
      if (total.n === 0) return null;
      return addTo(total, -1, components(value).map(negateExact));
    },
    merge: (into, from) => (from.n === 0 ? into : addTo(into, from.n, from.sums)),
    finish: ({ n, sums }) => (n === 0 ? null : sums.map((sum) => divideExact(sum, n))),
    encode(writer, { n, sums }) {
      writer.uint(n);
      if (n > 0) for (const sum of sums) encodeExact(writer, normaliseExact(sum));
    },
    decode(reader) {
      const n = reader.uint();
      const length = n === 0 ? 0 : dimensions;
      return { n, sums: Array.from({ length }, () => ({ ...decodeExact(reader) })) };
    },
    mergeFrom(into, reader) {
      const n = reader.uint();
      if (n === 0) return into;
      into.n += n;
      if (into.sums.length === 0) into.sums = zeros(dimensions);
      for (const sum of into.sums) addEncoded(sum, reader);
      return into;
    },
    skip(reader) {
      if (reader.uint() === 0) return;
      for (let left = dimensions; left > 0; left -= 1) skipExact(reader);
    },
    // a double's 17 digits at its scale, times two million
    maxBytes: () => COUNT_BYTES + dimensions * exactBytes(24),
  };
}
