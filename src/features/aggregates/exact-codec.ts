import type { ByteReader, ByteWriter } from "../bytes.ts";
import { addExact, exactToNumber, exactToText, isFast, type Exact } from "../exact.ts";

/** Writes an Exact: scale and form in one head, then the integer. */
export function encodeExact(writer: ByteWriter, { m, s }: Exact): void {
  if (typeof m === "number" && Math.abs(m) < 2 ** 52) {
    writer.uint(s * 2);
    writer.int(m);
  } else {
    writer.uint(s * 2 + 1);
    writer.big(BigInt(m));
  }
}

export const decodeExact = (reader: ByteReader): Exact => decodeAfter(reader, reader.uint());

function decodeAfter(reader: ByteReader, head: number): Exact {
  const s = Math.floor(head / 2);
  return { m: head % 2 === 0 ? reader.int() : reader.big(), s };
}

export function skipExact(reader: ByteReader): void {
  const head = reader.uint();
  const next = reader.uint();
  if (head % 2 === 1) reader.skip(Math.floor(next / 2));
}

/** Pure. The most bytes of an Exact whose digits, at its scale, are at most so many. */
export const exactBytes = (digits: number): number => 4 + Math.ceil((digits * Math.log2(10)) / 8);

/** Pure. The value that a client reads. */
export const exactValue = (value: Exact, asText: boolean): number | string =>
  asText ? exactToText(value) : exactToNumber(value);

/** An exact sum that grows: m · 10^−s. */
export interface Sum {
  m: number | bigint;
  s: number;
}

/** Adds what encodeExact wrote, without building it where both are small and of one scale. */
export function addEncoded(sum: Sum, reader: ByteReader): void {
  const head = reader.uint();
  if (head !== sum.s * 2 || !isFast(sum.m)) return addToSum(sum, decodeAfter(reader, head));
  sum.m += reader.int();
}

/** Adds in place; most sums of one column have few scales and stay small. */
export function addToSum(sum: Sum, value: Exact): void {
  if (sum.s === value.s && isFast(sum.m) && isFast(value.m)) {
    sum.m += value.m;
    return;
  }
  const total = addExact(sum, value);
  sum.m = total.m;
  sum.s = total.s;
}
