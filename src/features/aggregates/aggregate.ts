import type { ByteReader, ByteWriter } from "../bytes.ts";
import type { Exact } from "../exact.ts";

/** What a feature returns: decimals and bigints as text, other numbers as doubles. */
export type FeatureValue = number | string | boolean | null;

/** A field's value inside the engine; numbers are exact. */
export type FieldValue = Exact | string | boolean;

/** One event as an aggregate sees it. Ties of `time` are ordered by `order`, the later wins. */
export interface Observation {
  readonly value: FieldValue;
  readonly time: number;
  readonly order: string;
}

/**
 * An aggregate as partial states that can be merged. `add` and `merge` may change and return
 * their first argument. Laws: merge is associative and commutative with `empty` as its identity,
 * adding in any order gives equal results, and decode(encode(p)) equals p.
 */
export interface Aggregate<P> {
  empty(): P;
  add(partial: P, observation: Observation): P;
  merge(into: P, from: P): P;
  /** The value, or null where nothing was added; numbers as text where `asText`. */
  finish(partial: P, asText: boolean): FeatureValue;
  encode(writer: ByteWriter, partial: P): void;
  decode(reader: ByteReader): P;
  /** The same as merge(into, decode(reader)), in less time where nobody else reads the partial. */
  mergeFrom(into: P, reader: ByteReader): P;
  /** Reads past one partial without building it. */
  skip(reader: ByteReader): void;
}
