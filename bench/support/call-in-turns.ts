import { percentile } from "../../local/demo/words.ts";
import type { Called } from "./http-call.ts";

/** Makes one call; another one for each turn. */
export type Call = (turn: number) => Promise<Called>;

/** Percentiles of one round of one variant, in milliseconds. */
export interface Round {
  readonly p50: number;
  readonly p95: number;
}

/**
 * Calls all variants in turns, one call at a time and each turn beginning with another one, in
 * rounds of `calls` each; the first round warms up. Each variant's rounds.
 */
export async function callInTurns(
  variants: readonly Call[],
  { rounds, calls }: { readonly rounds: number; readonly calls: number },
): Promise<readonly (readonly Round[])[]> {
  const measured = variants.map((): Round[] => []);
  for (let round = 0; round <= rounds; round += 1) {
    const ms = variants.map((): number[] => []);
    for (let turn = 0; turn < calls; turn += 1) {
      for (let i = 0; i < variants.length; i += 1) {
        const at = (turn + i) % variants.length;
        ms[at]?.push(await timeOf(variants[at] as Call, round * calls + turn));
      }
    }
    if (round === 0) continue;
    for (const [at, times] of ms.entries()) {
      measured[at]?.push({ p50: percentile(times, 0.5), p95: percentile(times, 0.95) });
    }
  }
  return measured;
}

async function timeOf(call: Call, turn: number): Promise<number> {
  const { status, text, ms } = await call(turn);
  if (status !== 200) throw new Error(`a call was answered ${status}: ${text.slice(0, 300)}`);
  return ms;
}
