import type { Aggregate } from "./aggregate.ts";

/** Counts events (or, over a column, its non-null values). Empty is 0. */
export const count: Aggregate<number> = {
  empty: () => 0,
  add: (n) => n + 1,
  merge: (a, b) => a + b,
  finish: (n) => n,
  encode: (writer, n) => writer.uint(n),
  decode: (reader) => reader.uint(),
  mergeFrom: (n, reader) => n + reader.uint(),
  skip: (reader) => void reader.uint(),
};
