import type { ByteReader } from "../bytes.ts";
import type { KeptField } from "../plan.ts";
import type { Aggregate } from "./aggregate.ts";
import { COUNT_BYTES } from "./count.ts";
import { identityBytes, identityOf } from "./identity.ts";
import { checkedWhole, type Parameters } from "./parameters.ts";

/** How often each value came; null once there are more values than the bound. */
interface Values {
  counts: Map<string, number> | null;
}

/** What is packed: 0 nothing, 1 too many values, or one more than their number and each of them. */
const TOO_MANY = 1;

const skip = (reader: ByteReader): void => {
  for (let left = reader.uint() - 1; left > 0; left -= 1) {
    reader.skip(reader.uint());
    reader.uint();
  }
};

/**
 * The number of different values, exact up to a bound: beyond it the answer is the bound, and says
 * so. The values are kept with their counts, so that they can be retracted.
 */
export function countDistinct(parameters: Parameters, field: KeptField | null): Aggregate<Values> {
  const max = checkedWhole(parameters, "max", 1, 10_000);
  const identity = identityOf(field);
  const addTo = (values: Values, value: string, n: number): void => {
    if (values.counts === null) return;
    values.counts.set(value, (values.counts.get(value) ?? 0) + n);
    if (values.counts.size > max) values.counts = null;
  };
  const decode = (reader: ByteReader): Values => {
    const head = reader.uint();
    if (head === TOO_MANY) return { counts: null };
    const counts = new Map<string, number>();
    for (let left = head - 1; left > 0; left -= 1) counts.set(reader.text(), reader.uint());
    return { counts };
  };
  return {
    empty: () => ({ counts: new Map() }),
    add(values, { value }) {
      addTo(values, identity(value), 1);
      return values;
    },
    retract(values, { value }) {
      const key = identity(value);
      const n = values.counts?.get(key);
      if (n === undefined) return null;
      if (n > 1) values.counts?.set(key, n - 1);
      else values.counts?.delete(key);
      return values;
    },
    merge(into, from) {
      if (from.counts === null) into.counts = null;
      for (const [value, n] of from.counts ?? []) addTo(into, value, n);
      return into;
    },
    finish({ counts }) {
      if (counts === null) return max;
      return counts.size === 0 ? null : counts.size;
    },
    isCapped: ({ counts }) => counts === null,
    encode(writer, { counts }) {
      if (counts === null) return writer.uint(TOO_MANY);
      writer.uint(counts.size === 0 ? 0 : counts.size + 1);
      for (const value of [...counts.keys()].toSorted()) {
        writer.text(value);
        writer.uint(counts.get(value) ?? 0);
      }
    },
    decode,
    mergeFrom(into, reader) {
      const head = reader.uint();
      if (head === TOO_MANY) into.counts = null;
      for (let left = head - 1; left > 0; left -= 1) {
        addTo(into, reader.text(), reader.uint());
      }
      return into;
    },
    skip,
    maxBytes: ({ valueBytes }) => 2 + max * (identityBytes(field, valueBytes) + COUNT_BYTES),
  };
}
