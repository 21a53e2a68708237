import type { ByteReader, ByteWriter } from "../bytes.ts";
import { addInPlace, exactToNumber, exactToText, type Exact, type Sum } from "../exact.ts";

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

export function decodeExact(reader: ByteReader): Exact {
  const head = reader.uint();
  const s = head >>> 1;
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

/** Adds what encodeExact wrote, without building it. */
export function addEncoded(sum: Sum, reader: ByteReader): void {
  const head = reader.uint();
  addInPlace(sum, head % 2 === 0 ? reader.int() : reader.big(), head >>> 1);
}

/** Adds in place. */
export const addToSum = (sum: Sum, { m, s }: Exact): void => addInPlace(sum, m, s);
