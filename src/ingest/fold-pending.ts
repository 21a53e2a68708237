import type { EntityRef } from "../features/event-log.ts";
import { applyEvents } from "./apply.ts";
import { applying } from "./consume.ts";

/**
 * Folds all that is pending for entities, and for those to which that gives events, and projects it.
 * Ends when nothing is left, or nothing more can be folded here. Throws what applyEvents throws.
 */
export async function foldPending(
  ctx: Parameters<typeof applying>[0],
  entities: readonly EntityRef[],
): Promise<void> {
  for (let left = entities; left.length > 0;) {
    const { projected, unfinished, figures } = await applyEvents(applying(ctx), [], left, {
      events: new Set(),
      entities: left,
      met: [],
    });
    await ctx.log.settleOutbox(projected);
    left = figures.folded + figures.refused > 0 ? unfinished : [];
  }
}
