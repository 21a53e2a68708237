import { missedBy } from "../features/backfill.ts";
import { feedName } from "../features/feeds.ts";
import type { ConsumeContext } from "./consume.ts";
import { distinctRefs } from "./entity-refs.ts";
import { foldPending } from "./fold-pending.ts";

/** Events that are given at once, and the most turns of a run. */
const PAGE = 300;
const MAX_PAGES = 20;

/**
 * Gives events to entities that missed them, because a consumer of the deployment before stored them:
 * it did not know these entities. They are known from now on, as nothing was served of them before.
 */
export async function giveMissed(ctx: ConsumeContext): Promise<void> {
  const feeds = new Map(
    [...ctx.registry.feedsBySource.values()].flat().map((feed) => [feedName(feed), feed]),
  );
  const names = [...feeds.keys()];
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const missed = await ctx.log.findMissed(names, PAGE);
    if (missed.length === 0) return;
    const given = missed.flatMap(({ event, feeds: unknown }) =>
      missedBy(
        unknown.flatMap((name) => feeds.get(name) ?? []),
        event,
      ),
    );
    await ctx.log.giveMissed(missed, given, names, ctx.now());
    const refs = given.map(({ tenant, entity, key }) => ({ tenant, entity, key }));
    await foldPending(ctx, distinctRefs(refs));
  }
}
