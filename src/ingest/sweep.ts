import type { EntityRef } from "../features/event-log.ts";
import { SECOND_MS } from "../time.ts";
import { applyEvents } from "./apply.ts";
import { applying, withRegistry, type ConsumeContext } from "./consume.ts";
import { distinctRefs } from "./entity-refs.ts";
import { fillWhereEmpty } from "./fill.ts";
import { giveMissed } from "./fold-pending.ts";
import { learnViews } from "./views-in-use.ts";

export interface Swept {
  /** Entities folded or projected again. */
  readonly entities: number;
  /** Tenants whose online store is being filled. */
  readonly fillings: number;
}

/** Younger than this, a consumer is probably still at it. */
const SETTLED_MS = 5 * SECOND_MS;
const PAGE = 300;
const MAX_PAGES = 20;
const HALF = (PAGE * MAX_PAGES) / 2;

const UNKNOWN_VIEWS =
  "events wait: views are in use that this version of Freshet cannot compute; npm run apply retires them";

/**
 * The oldest ones, and where there are more, as many of all: what cannot be finished for now stays
 * among the oldest, and nothing may wait behind it for ever.
 */
async function findSome(ctx: ConsumeContext): Promise<readonly EntityRef[]> {
  const before = ctx.now() - SETTLED_MS;
  const joins = [...ctx.registry.joinsByEntity.keys()];
  const oldest = await ctx.log.findUnfinished(before, HALF, joins);
  if (oldest.length < HALF) return oldest;
  const seed = Math.floor(ctx.random() * 2 ** 32);
  return distinctRefs([...oldest, ...(await ctx.log.findUnfinished(before, HALF, joins, seed))]);
}

/**
 * Finishes what consumers left: gives events to entities of which whoever stored them did not
 * know, folds contributions that wait, projects what is committed but not online, and fills
 * online stores that were flushed. Run by cron; safe beside consumers.
 */
export async function sweep(given: ConsumeContext): Promise<Swept> {
  const ctx =
    given.inUse === undefined ? given : withRegistry(given, await learnViews(given.inUse));
  await giveMissed(ctx, MAX_PAGES);
  const refs = await findSome(ctx);
  let [entities, foreign] = [0, 0];
  for (let at = 0; at < refs.length; at += PAGE) {
    const applied = await applyEvents(applying(ctx), [], refs.slice(at, at + PAGE));
    if (applied.projected.length > 0) await ctx.log.settleOutbox(applied.projected);
    entities += applied.projected.length;
    foreign += applied.figures.foreign;
    if (applied.projectionError === null) continue;
    ctx.note("the sweep stops early", { error: applied.projectionError });
    break;
  }
  if (foreign > 0) ctx.note(UNKNOWN_VIEWS, { entities: foreign });
  let fillings = 0;
  for (const tenant of await ctx.archive.listTenants()) {
    if (await fillWhereEmpty(ctx, tenant)) fillings += 1;
  }
  return { entities, fillings };
}
