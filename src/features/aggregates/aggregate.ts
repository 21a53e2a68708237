import type { ByteReader, ByteWriter } from "../bytes.ts";
import type { Exact } from "../exact.ts";

/** One value: decimals and bigints as text, other numbers as doubles. */
export type ScalarValue = number | string | boolean | null;

/** What an aggregate returns: a value, or a list of them. */
export type AggregateValue = ScalarValue | readonly ScalarValue[];

/** What a feature returns: what its aggregate does, or that for each key of `by()`. */
export type FeatureValue = AggregateValue | { readonly [key: string]: AggregateValue };

/** A field's value inside the engine; numbers are exact. */
export type FieldValue = Exact | string | boolean | readonly Exact[];

/** One event as an aggregate sees it. Ties of `time` are ordered by `order`, the later wins. */
export interface Observation {
  readonly value: FieldValue;
  readonly time: number;
  readonly order: string;
}

/** What bounds the size of a partial state. */
export interface Extent {
  /** The length of its tile, ms. */
  readonly tileMs: number;
  /** The most bytes that one value of its field takes, packed. */
  readonly valueBytes: number;
  /** The most bytes that the order key of an event takes, packed. */
  readonly orderBytes: number;
}

/**
 * An aggregate as partial states that can be merged. `add`, `retract` and `merge` may change and
 * return their first argument, and never the second. Laws: merge is associative and commutative with
 * `empty` as its identity, adding in any order gives equal results, to retract what was added last
 * gives back what was, and decode(encode(p)) equals p. Equal partials have equal bytes.
 */
export interface Aggregate<P> {
  empty(): P;
  add(partial: P, observation: Observation): P;
  /**
   * The partial as it would be without an observation that it holds. Null where the partial does not
   * tell: it is then unchanged, and whoever needs it adds up its tile anew.
   */
  retract(partial: P, observation: Observation): P | null;
  /**
   * The same as retract(gone), then add(come), for two observations of one time and order; in its
   * place where it can tell more often. Null, and the partial unchanged, where it cannot.
   */
  replace?(partial: P, gone: Observation, come: Observation): P | null;
  merge(into: P, from: P): P;
  /**
   * The value at `asOf` (epoch ms, after every observation), or null where nothing was added;
   * numbers as text where `asText`.
   */
  finish(partial: P, asText: boolean, asOf: number): AggregateValue;
  encode(writer: ByteWriter, partial: P): void;
  decode(reader: ByteReader): P;
  /** The same as merge(into, decode(reader)), in less time where nobody else reads the partial. */
  mergeFrom(into: P, reader: ByteReader): P;
  /**
   * The same as decode, in less time, where the partial is finished and never merged: what only tells
   * which of two comes first may be missing.
   */
  decodeAlone?(reader: ByteReader): P;
  /** Reads past one partial without building it. */
  skip(reader: ByteReader): void;
  /** The most bytes that a partial takes (state-size.ts says of which events). */
  maxBytes(extent: Extent): number;
  /** Whether the value is a bound that was reached: the truth is more. */
  isCapped?(partial: P): boolean;
}
