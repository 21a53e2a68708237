import type { ApplyDefinitionsContext } from "../features/apply-definitions.ts";
import type { EntityRef, EventLog } from "../features/event-log.ts";
import { feedNamesOf } from "../features/feeds.ts";
import { applyEvents } from "./apply.ts";
import { applying } from "./consume.ts";
import { refText } from "./entity-refs.ts";
import { giveEvents } from "./give-events.ts";

const PAGE = 500;

/** Events that are given at once. */
const GIVEN = 300;

type FoldingContext = Parameters<typeof applying>[0] & {
  readonly log: Pick<EventLog, "findMissed">;
};

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

/**
 * Gives events to entities that missed them, because whoever stored them did not know these
 * entities. They are known from now on, as nothing was served of them before.
 */
export async function giveMissed(ctx: FoldingContext, mostPages: number): Promise<void> {
  const names = feedNamesOf(ctx.registry.feedsBySource, ctx.registry.feedsBySource.keys());
  for (let page = 0; page < mostPages; page += 1) {
    const missed = await ctx.log.findMissed(names, GIVEN);
    if (missed.length === 0) return;
    await foldPending(ctx, await giveEvents(ctx, missed, ctx.now()));
  }
}

/**
 * Folds what waits by now for whatever entities, also since they missed it, and what that makes, and
 * projects it. What cannot be folded here is left to the sweep, and so is the rest where that is a
 * page of the oldest. Throws what applyEvents throws.
 */
async function foldWaiting(
  ctx: FoldingContext,
  progress: (entities: number) => void,
): Promise<void> {
  await giveMissed(ctx, Number.POSITIVE_INFINITY);
  const before = ctx.now() + 1;
  const joins = [...ctx.registry.joinsByEntity.keys()];
  const seen = new Set<string>();
  for (;;) {
    const oldest = await ctx.log.findUnfinished(before, PAGE, joins);
    const refs = oldest.filter((ref) => !seen.has(refText(ref)));
    if (refs.length === 0) return;
    for (const ref of refs) seen.add(refText(ref));
    await foldPending(ctx, refs);
    progress(seen.size);
  }
}

/** What applying definitions folds by (features/apply-definitions.ts). */
export const foldingOf = (
  ctx: FoldingContext,
): Pick<ApplyDefinitionsContext, "fold" | "foldWaiting"> => ({
  fold: (entities) => foldPending(ctx, entities),
  foldWaiting: (progress) => foldWaiting(ctx, progress),
});
