import { DAY_MS } from "../time.ts";
import type { ServedAnswers } from "./served-answers.ts";

/** How long sampled answers are kept. */
export const ANSWERS_KEPT_MS = 7 * DAY_MS;
const AT_ONCE = 2_000;
const MAX_PIECES = 20;

/**
 * Forgets sampled answers that are old enough, piece by piece; answers how many. Run by cron: what
 * one run leaves, the next one finds.
 */
export async function forgetAnswers(ctx: {
  readonly servedAnswers: Pick<ServedAnswers, "removeBefore">;
  readonly now: () => number;
}): Promise<number> {
  const before = ctx.now() - ANSWERS_KEPT_MS;
  let forgotten = 0;
  for (let piece = 0; piece < MAX_PIECES; piece += 1) {
    const removed = await ctx.servedAnswers.removeBefore(before, AT_ONCE);
    forgotten += removed;
    if (removed < AT_ONCE) break;
  }
  return forgotten;
}
