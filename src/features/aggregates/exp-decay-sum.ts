import type { ByteReader } from "../bytes.ts";
import { exp2 } from "../exp2.ts";
import {
  addExact,
  divideExact,
  multiplyExact,
  negateExact,
  normaliseExact,
  type Exact,
} from "../exact.ts";
import type { Aggregate, Observation } from "./aggregate.ts";
import { COUNT_BYTES } from "./count.ts";
import { addToSum, decodeExact, encodeExact, exactBytes, skipExact } from "./exact-codec.ts";
import { checkedWhole, type Parameters } from "./parameters.ts";
import type { Total } from "./sum.ts";

/**
 * Exact weighted sums, one for each half-life of time: block k holds the events with
 * k = floor(t / H), and the sum of v · w, with w = 2^(t / H − k) as a whole number of 2^−52.
 */
interface Blocks {
  readonly totals: Map<number, Total>;
  /** The largest block number, −Infinity where there is none. */
  newest: number;
  /** Whether any event was left out because it is too old beside the newest. */
  hasDropped: boolean;
}

/**
 * What lies in an older block than this is over 64 half-lives older than an event of the newest, so
 * that it weighs less than 2^−64 of that one: for values alike, less than a sum of doubles shows.
 */
const KEPT = 64;

const WEIGHT_ONE = 2 ** 52;

/**
 * So many half-lives after the newest block, a sum is below half the smallest double: values are
 * below 10^350, of which fewer than 2^53 are weighed with less than 2.
 */
const FADED = 2_400;

const NOTHING: Exact = { m: 0, s: 0 };

/**
 * Drops what is too old beside the newest. What is dropped early would be dropped at the end too,
 * since the newest only moves on: what is left, and whether anything went, depend on the set alone.
 */
function dropOld(blocks: Blocks): void {
  for (const k of blocks.totals.keys()) {
    if (k >= blocks.newest - KEPT) continue;
    blocks.totals.delete(k);
    blocks.hasDropped = true;
  }
}

function addTo(blocks: Blocks, k: number, n: number, sum: Exact): void {
  const total = blocks.totals.get(k) ?? { n: 0, m: 0, s: 0 };
  total.n += n;
  addToSum(total, sum);
  blocks.totals.set(k, total);
  if (k > blocks.newest) blocks.newest = k;
}

/**
 * Σ v · 2^(−(T − t) / H) at the time T of the read: it goes on decaying when nothing arrives. Within
 * 1e−14 of Σ |v| · 2^(−(T − t) / H), and of what is left out for its age, see KEPT; and, as every
 * double, within half the distance of doubles there, which is 2^−1074 for the smallest.
 */
export function expDecaySum(parameters: Parameters): Aggregate<Blocks> {
  const halfLifeMs = checkedWhole(parameters, "half_life_ms", 1_000, 2 ** 40);
  const blockOf = (time: number): number => Math.floor(time / halfLifeMs);
  const growth = (time: number): number => exp2((time - blockOf(time) * halfLifeMs) / halfLifeMs);
  const weighted = ({ value, time }: Observation): Exact =>
    multiplyExact(value as Exact, { m: growth(time) * WEIGHT_ONE, s: 0 });
  const mergeFrom = (into: Blocks, reader: ByteReader): Blocks => {
    const head = reader.uint();
    if (head === 0) return into;
    if (head % 2 === 1) into.hasDropped = true;
    let k = reader.int();
    for (let left = Math.floor(head / 2); left > 0; left -= 1) {
      k -= reader.uint();
      addTo(into, k, reader.uint(), decodeExact(reader));
    }
    dropOld(into);
    return into;
  };
  const empty = (): Blocks => ({
    totals: new Map(),
    newest: Number.NEGATIVE_INFINITY,
    hasDropped: false,
  });
  return {
    empty,
    add(blocks, observation) {
      addTo(blocks, blockOf(observation.time), 1, weighted(observation));
      dropOld(blocks);
      return blocks;
    },
    retract(blocks, observation) {
      const k = blockOf(observation.time);
      const total = blocks.totals.get(k);
      if (total === undefined) return null;
      // Without its newest block, what was too old beside it may count again.
      const isLast = total.n === 1;
      if (isLast && k === blocks.newest && blocks.hasDropped) return null;
      addTo(blocks, k, -1, negateExact(weighted(observation)));
      if (isLast) {
        blocks.totals.delete(k);
        blocks.newest = Math.max(...blocks.totals.keys());
      }
      return blocks;
    },
    merge(into, from) {
      for (const [k, total] of from.totals) addTo(into, k, total.n, total);
      into.hasDropped ||= from.hasDropped;
      dropOld(into);
      return into;
    },
    finish({ totals, newest }, _asText, asOf) {
      if (totals.size === 0) return null;
      const age = blockOf(asOf) - newest;
      if (age > FADED) return 0;
      // All is exact but the weights, and rounded once: nothing is lost or overflows on the way.
      let sum = NOTHING;
      for (const [k, total] of totals) {
        const shift = k - newest + KEPT;
        const power = shift < 52 ? 2 ** shift : 2n ** BigInt(shift);
        sum = addExact(sum, multiplyExact(total, { m: power, s: 0 }));
      }
      const weights = BigInt(growth(asOf) * WEIGHT_ONE) * 2n ** BigInt(age + KEPT);
      // What is too small for a double is 0, never −0.
      return divideExact(sum, weights) + 0;
    },
    encode(writer, { totals, newest, hasDropped }) {
      writer.uint(totals.size * 2 + (hasDropped ? 1 : 0));
      if (totals.size === 0) return;
      writer.int(newest);
      let previous = newest;
      for (const [k, total] of [...totals].toSorted(([a], [b]) => b - a)) {
        writer.uint(previous - k);
        writer.uint(total.n);
        encodeExact(writer, normaliseExact(total));
        previous = k;
      }
    },
    decode: (reader) => mergeFrom(empty(), reader),
    mergeFrom,
    skip(reader) {
      const head = reader.uint();
      if (head === 0) return;
      reader.int();
      for (let left = Math.floor(head / 2); left > 0; left -= 1) {
        reader.uint();
        reader.uint();
        skipExact(reader);
      }
    },
    // 38 digits, times 2^53, times two million
    maxBytes: ({ tileMs }) =>
      9 +
      Math.min(KEPT + 1, Math.ceil(tileMs / halfLifeMs) + 1) * (1 + COUNT_BYTES + exactBytes(61)),
  };
}
