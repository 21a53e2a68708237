import { feedNamesOf } from "../features/feeds.ts";
import type { ConsumeContext } from "./consume.ts";
import { giveEvents } from "./give-events.ts";
import { foldPending } from "./fold-pending.ts";

/** Events that are given at once, and the most turns of a run. */
const PAGE = 300;
const MAX_PAGES = 20;

/**
 * Gives events to entities that missed them, because a consumer of the deployment before stored them:
 * it did not know these entities. They are known from now on, as nothing was served of them before.
 */
export async function giveMissed(ctx: ConsumeContext): Promise<void> {
  const names = feedNamesOf(ctx.registry.feedsBySource, ctx.registry.feedsBySource.keys());
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const missed = await ctx.log.findMissed(names, PAGE);
    if (missed.length === 0) return;
    await foldPending(ctx, await giveEvents(ctx, missed, ctx.now()));
  }
}
