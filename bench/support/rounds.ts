import { percentile } from "../../local/demo/words.ts";

/** Pure. The middle of the values. */
export const median = (values: readonly number[]): number => percentile(values, 0.5);

/** A number that was measured once per round: its middle, and how far the rounds were apart. */
export interface Spread {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

/** Pure. */
export const spreadOf = (values: readonly number[]): Spread => ({
  median: median(values),
  lowest: Math.min(...values),
  highest: Math.max(...values),
});

/**
 * Pure. Two variants compared within each round, where both met the same neighbours on the machine:
 * the spread of the rounds' ratios of a statistic.
 */
export function ratioOf<T>(
  measured: readonly T[],
  plain: readonly T[],
  statistic: (round: T) => number,
): Spread {
  return spreadOf(measured.map((round, i) => statistic(round) / statistic(plain[i] as T)));
}

/** Runs every variant once in each round; each round begins with another one. */
export async function alternate<T>(
  rounds: number,
  variants: readonly ((round: number) => Promise<T>)[],
): Promise<readonly (readonly T[])[]> {
  const measured = variants.map((): T[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < variants.length; turn += 1) {
      const at = (round + turn) % variants.length;
      measured[at]?.push(await (variants[at] as (round: number) => Promise<T>)(round));
    }
  }
  return measured;
}

/** Pure. "1.21 (1.18–1.30)". */
export function spreadText(
  { median: middle, lowest, highest }: Spread,
  print: (n: number) => string,
): string {
  return `${print(middle)} (${print(lowest)}–${print(highest)})`;
}
