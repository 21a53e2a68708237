import { SECOND_MS } from "../time.ts";
import { applyEvents } from "./apply.ts";
import { applying, type ConsumeContext } from "./consume.ts";
import { fillWhereEmpty } from "./fill.ts";

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

/**
 * Finishes what consumers left: folds contributions that wait, projects what is committed but not
 * online, and fills online stores that were flushed. Run by cron; safe beside consumers.
 */
export async function sweep(ctx: ConsumeContext): Promise<Swept> {
  const joins = [...ctx.registry.joinsByEntity.keys()];
  let entities = 0;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const refs = await ctx.log.findUnfinished(ctx.now() - SETTLED_MS, PAGE, joins);
    if (refs.length === 0) break;
    const applied = await applyEvents(applying(ctx), [], refs);
    if (applied.projected.length > 0) await ctx.log.settleOutbox(applied.projected);
    entities += applied.projected.length;
    if (applied.projectionError !== null || applied.projected.length === 0) {
      ctx.note("the sweep stops early", { error: applied.projectionError });
      break;
    }
  }
  let fillings = 0;
  for (const tenant of await ctx.archive.listTenants()) {
    if (await fillWhereEmpty(ctx, tenant)) fillings += 1;
  }
  return { entities, fillings };
}
