import type { Aggregate } from "./aggregate.ts";

/** Two million events, in 7 bits a byte: the most that a size reckons with in one tile. */
export const COUNT_BYTES = 3;

/** Counts events (or, over a column, its non-null values). Empty is 0. */
export const count: Aggregate<number> = {
  empty: () => 0,
  add: (n) => n + 1,
  retract: (n) => (n > 0 ? n - 1 : null),
  merge: (a, b) => a + b,
  finish: (n) => n,
  encode: (writer, n) => writer.uint(n),
  decode: (reader) => reader.uint(),
  mergeFrom: (n, reader) => n + reader.uint(),
  skip: (reader) => void reader.uint(),
  maxBytes: () => COUNT_BYTES,
};
