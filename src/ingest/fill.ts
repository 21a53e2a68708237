import type { IngestMessage } from "./envelope.ts";
import {
  beginFilling,
  copyPage,
  endFilling,
  isUnderWay,
  lookAtFilling,
  type FillingContext,
  type SeenFilling,
} from "./filling.ts";
import type { IngestQueue } from "./ingest-queue.ts";

/** Filling by the queue: every page is a message of its own. */
export interface FillContext extends FillingContext {
  readonly queue: IngestQueue;
}

/** Entities per page: a page is one read, one write and one message. */
const PAGE = 200;

async function begin(ctx: FillContext, tenant: string, seen: SeenFilling): Promise<void> {
  const filling = await beginFilling(ctx, tenant, seen);
  if (filling !== null) await ctx.queue.send([{ v: 1, kind: "fill", ...filling }]);
}

/**
 * Begins to fill the online store of a tenant from the truth. Reads are refused (or say that they
 * are degraded) until it ends. A later beginning takes over from an earlier one.
 */
export async function beginFill(ctx: FillContext, tenant: string): Promise<void> {
  await begin(ctx, tenant, await lookAtFilling(ctx, tenant));
}

/**
 * Begins to fill the online store of a tenant that has no meta, unless a filling is under way: a
 * large one takes longer than the time between two sweeps. Answers whether it began.
 */
export async function fillWhereEmpty(ctx: FillContext, tenant: string): Promise<boolean> {
  const seen = await lookAtFilling(ctx, tenant);
  if (seen.meta !== null || isUnderWay(seen, ctx.now())) return false;
  await begin(ctx, tenant, seen);
  return true;
}

/**
 * Copies one page of states and queues the next; after the last, writes the meta key. Stops where a
 * flush or a later filling came in between.
 */
export async function fillPage(
  ctx: FillContext,
  message: Extract<IngestMessage, { kind: "fill" }>,
): Promise<void> {
  const page = await copyPage(ctx, message, PAGE);
  if (page === null) return;
  if (page.next === null) await endFilling(ctx, message);
  else await ctx.queue.send([{ ...message, after: page.next }]);
}
