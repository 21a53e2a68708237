import type { ByteReader, ByteWriter } from "../bytes.ts";
import type { KeptField } from "../plan.ts";
import { hash64 } from "../hash64.ts";
import type { Aggregate } from "./aggregate.ts";
import { identityOf } from "./identity.ts";
import { checkedWhole, type Parameters } from "./parameters.ts";

/**
 * HyperLogLog: of the values whose hash begins with i, registers[i] is the longest run of zeros that
 * follows, and one more. Empty until there is a value.
 */
type Registers = Uint8Array;

/** What is packed: 0 nothing, 1 all registers, or one more than the number of those above 0. */
const DENSE = 1;

/** A register is at most 61: six bits. */
const RANKS = 64;

const uintBytes = (value: number): number => (value < 0x80 ? 1 : value < 0x4000 ? 2 : 3);

/** Registers above 0 as distance to the one before, times 64, and rank. */
function sparseOf(registers: Registers): { readonly parts: number[]; readonly bytes: number } {
  const parts: number[] = [];
  let bytes = 0;
  let previous = 0;
  for (let i = 0; i < registers.length; i += 1) {
    const rank = registers[i] as number;
    if (rank === 0) continue;
    const part = (i - previous) * RANKS + rank;
    previous = i;
    parts.push(part);
    bytes += uintBytes(part);
  }
  return { parts, bytes };
}

const raise = (registers: Registers, i: number, rank: number): void => {
  if ((registers[i] as number) < rank) registers[i] = rank;
};

/** Four registers in three bytes. */
function packDense(registers: Registers): Uint8Array {
  const packed = new Uint8Array((registers.length / 4) * 3);
  let at = 0;
  for (let i = 0; i < registers.length; i += 4) {
    const [a = 0, b = 0, c = 0, d = 0] = registers.subarray(i, i + 4);
    packed[at++] = (a << 2) | (b >> 4);
    packed[at++] = (b << 4) | (c >> 2);
    packed[at++] = (c << 6) | d;
  }
  return packed;
}

/** Raises registers to those that packDense wrote. */
function raiseDense(registers: Registers, packed: Uint8Array): void {
  let i = 0;
  for (let at = 0; at < packed.length; at += 3) {
    const x = packed[at] as number;
    const y = packed[at + 1] as number;
    const z = packed[at + 2] as number;
    raise(registers, i++, x >> 2);
    raise(registers, i++, ((x & 3) << 4) | (y >> 4));
    raise(registers, i++, ((y & 15) << 2) | (z >> 6));
    raise(registers, i++, z & 63);
  }
}

/** σ of Ertl, for the registers at 0: x + Σ x^(2^k) · 2^(k−1), k from 1 until it stands still. */
function sigma(x: number): number {
  if (x === 1) return Number.POSITIVE_INFINITY;
  let [power, factor, sum, before] = [x, 1, x, -1];
  while (sum !== before) {
    before = sum;
    power *= power;
    sum += power * factor;
    factor *= 2;
  }
  return sum;
}

/** τ of Ertl, for the registers at their end: (1 − x − Σ (1 − x^(2^−k))² · 2^−k) / 3. */
function tau(x: number): number {
  if (x === 0 || x === 1) return 0;
  let [root, factor, sum, before] = [x, 1, 1 - x, -1];
  while (sum !== before) {
    before = sum;
    root = Math.sqrt(root);
    factor /= 2;
    sum -= (1 - root) * (1 - root) * factor;
  }
  return sum / 3;
}

/**
 * Pure. The improved raw estimator: O. Ertl, "New cardinality estimation algorithms for HyperLogLog
 * sketches", 2017 (arXiv 1702.01284), algorithm 6. Unbiased over the whole range, without tables.
 */
function estimate(registers: Registers, longest: number): number {
  const m = registers.length;
  const counts = Array.from({ length: longest + 1 }, () => 0);
  for (const rank of registers) counts[rank] = (counts[rank] ?? 0) + 1;
  let z = m * tau(1 - (counts[longest] ?? 0) / m);
  for (let k = longest - 1; k > 0; k -= 1) z = 0.5 * (z + (counts[k] ?? 0));
  z += m * sigma((counts[0] ?? 0) / m);
  return Math.round((m * m) / (2 * Math.LN2 * z));
}

/** About how many different values there are: a HyperLogLog of 2^precision registers. */
export function approxCountDistinct(
  parameters: Parameters,
  field: KeptField | null,
): Aggregate<Registers> {
  const precision = checkedWhole(parameters, "precision", 4, 16);
  const m = 2 ** precision;
  const denseBytes = (m / 4) * 3;
  const longest = 64 - precision + 1;
  const identity = identityOf(field);
  const none = new Uint8Array(0);
  const filled = (registers: Registers): Registers =>
    registers.length === 0 ? new Uint8Array(m) : registers;
  const placeOf = (text: string): readonly [register: number, rank: number] => {
    const { high, low } = hash64(text);
    const rest = (high << precision) | (low >>> (32 - precision));
    const zeros = rest === 0 ? 32 + Math.clz32(low << precision) : Math.clz32(rest);
    return [high >>> (32 - precision), Math.min(zeros + 1, longest)];
  };
  const mergeFrom = (into: Registers, reader: ByteReader): Registers => {
    const head = reader.uint();
    if (head === 0) return into;
    const registers = filled(into);
    if (head === DENSE) {
      raiseDense(registers, reader.raw(denseBytes));
      return registers;
    }
    let i = 0;
    for (let left = head - 1; left > 0; left -= 1) {
      const part = reader.uint();
      i += Math.floor(part / RANKS);
      if (i >= m) throw new RangeError("a state holds a register that is none");
      raise(registers, i, part % RANKS);
    }
    return registers;
  };
  return {
    empty: () => none,
    add(into, { value }) {
      const registers = filled(into);
      raise(registers, ...placeOf(identity(value)));
      return registers;
    },
    // A value that does not reach its register's rank left no trace there.
    retract(registers, { value }) {
      const [i, rank] = placeOf(identity(value));
      return (registers[i] ?? 0) > rank ? registers : null;
    },
    merge(into, from) {
      if (from.length === 0) return into;
      const registers = filled(into);
      for (let i = 0; i < m; i += 1) raise(registers, i, from[i] as number);
      return registers;
    },
    finish: (registers) => (registers.length === 0 ? null : estimate(registers, longest)),
    encode(writer: ByteWriter, registers) {
      const { parts, bytes } = sparseOf(registers);
      if (parts.length === 0) return writer.uint(0);
      if (bytes < denseBytes) {
        writer.uint(parts.length + 1);
        for (const part of parts) writer.uint(part);
      } else {
        writer.uint(DENSE);
        writer.raw(packDense(registers));
      }
    },
    decode: (reader) => mergeFrom(none, reader),
    mergeFrom,
    skip(reader) {
      const head = reader.uint();
      if (head === DENSE) reader.skip(denseBytes);
      else for (let left = head - 1; left > 0; left -= 1) reader.uint();
    },
    maxBytes: () => 3 + denseBytes,
  };
}
