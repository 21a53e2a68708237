import { approxPercentile } from "../aggregates/approx-percentile.ts";
import { mean } from "../aggregates/sum.ts";
import { ByteReader, ByteWriter, fromBase64, toBase64 } from "../bytes.ts";
import { exactOf } from "../exact.ts";

/** A DDSketch: how many values fell into each bucket, by its number; buckets are in their order. */
export type Sketch = ReadonlyMap<number, number>;

/** How a number is distributed over a sample. */
export interface NumberProfile {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly sketch: Sketch;
}

/** The largest magnitude that percentiles tell apart: of what is above, no more is known. */
export const SKETCH_TO = 1e15;

/** Stored sketches have these buckets: to change them is to begin anew. */
const sketchOf = (p: number) => approxPercentile({ p, accuracy: 0.01, from: 1e-9, to: SKETCH_TO });
const [low, middle, high] = [sketchOf(0.05), sketchOf(0.5), sketchOf(0.95)];

/** What is beyond the range of doubles has no JSON. */
const finite = (value: number): number =>
  Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));

/** Pure. The profile of at least one number: extremes exact, the mean rounded once. */
export function profileNumbers(values: readonly number[]): NumberProfile {
  const total = mean.empty();
  const sketch = middle.empty();
  let [min, max] = [Number.MAX_VALUE, -Number.MAX_VALUE];
  for (const number of values.map(finite)) {
    const observation = { value: exactOf(String(number)), time: 0, order: "" };
    middle.add(sketch, observation);
    mean.add(total, observation);
    min = Math.min(min, number);
    max = Math.max(max, number);
  }
  return { min, max, mean: finite(Number(mean.finish(total, false, 0))), sketch };
}

/**
 * Pure. Percentiles of at least one number, within 1 % (magnitudes from 1e−9 to 1e15), and never
 * beyond the exact extremes.
 */
export function percentiles({ sketch, min, max }: Omit<NumberProfile, "mean">) {
  const at = (of: typeof low) =>
    Math.max(min, Math.min(max, of.finish(new Map(sketch), false, 0) as number));
  return { p5: at(low), p50: at(middle), p95: at(high) };
}

/** Pure. The sketch of all values that any of these are of. */
export const mergeSketches = (sketches: readonly Sketch[]): Sketch =>
  sketches.reduce<Map<number, number>>((all, one) => middle.merge(all, new Map(one)), new Map());

/** Pure. A sketch as text, a few bytes a bucket. */
export function packSketch(sketch: Sketch): string {
  const writer = new ByteWriter();
  middle.encode(writer, new Map(sketch));
  return toBase64(writer.finish());
}

/** Pure. What packSketch packed. */
export const unpackSketch = (text: string): Sketch =>
  middle.decode(new ByteReader(fromBase64(text)));
