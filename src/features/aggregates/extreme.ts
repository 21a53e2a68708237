import type { ByteReader } from "../bytes.ts";
import { compareExact, type Exact } from "../exact.ts";
import type { Aggregate } from "./aggregate.ts";
import { decodeExact, encodeExact, exactValue, skipExact } from "./exact-codec.ts";

type Extreme = Exact | null;

const decode = (reader: ByteReader): Extreme => (reader.uint() === 0 ? null : decodeExact(reader));

/** The value for which `sign` · comparison is largest: 1 keeps the maximum, −1 the minimum. */
function extreme(sign: 1 | -1): Aggregate<Extreme> {
  const pick = (a: Extreme, b: Extreme): Extreme => {
    if (a === null) return b;
    return b === null || sign * compareExact(a, b) >= 0 ? a : b;
  };
  return {
    empty: () => null,
    add: (best, { value }) => pick(best, value as Exact),
    retract: (best, { value }) =>
      best !== null && sign * compareExact(best, value as Exact) > 0 ? best : null,
    // Beside what comes, nothing that it reaches matters any more.
    replace(best, gone, come) {
      if (best === null) return null;
      if (sign * compareExact(come.value as Exact, gone.value as Exact) >= 0) {
        return pick(best, come.value as Exact);
      }
      return sign * compareExact(best, gone.value as Exact) > 0 ? best : null;
    },
    merge: pick,
    finish: (best, asText) => (best === null ? null : exactValue(best, asText)),
    encode: (writer, best) => {
      writer.uint(best === null ? 0 : 1);
      if (best !== null) encodeExact(writer, best);
    },
    decode,
    mergeFrom: (best, reader) => pick(best, decode(reader)),
    skip: (reader) => {
      if (reader.uint() !== 0) skipExact(reader);
    },
    maxBytes: ({ valueBytes }) => 1 + valueBytes,
  };
}

/** The largest value, compared exactly. */
export const max = extreme(1);

/** The smallest value, compared exactly. */
export const min = extreme(-1);
