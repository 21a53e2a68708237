import { AppError } from "../errors.ts";
import type { Facts } from "../log.ts";
import type { CollectionPlan } from "./collection-plan.ts";
import { changeDocuments, indexRefOf, type IndexContext } from "./index-documents.ts";
import type { IndexRegistry } from "./index-registry.ts";
import type { DocumentChange } from "./prepare-change.ts";
import { readStored } from "./read-stored.ts";

export interface MaintainContext extends IndexContext {
  readonly collections: ReadonlyMap<string, CollectionPlan>;
  readonly indexes: IndexRegistry;
  readonly note: (message: string, facts: Facts) => void;
}

export interface Maintained {
  /** Documents put into an index that is being built. */
  readonly reindexed: number;
  /** Documents removed because they expired. */
  readonly expired: number;
  /** Chunks removed with retired indexes. */
  readonly purged: number;
}

/** A document has up to a million characters. */
const PAGE = 20;
/** A run ends after so long; the next one goes on. */
const BUDGET_MS = 40_000;
const PURGED_AT_ONCE = 1_000;

/**
 * What searches need done beside them: removes documents that expired, builds indexes that are new
 * from the stored documents, and removes what retired indexes left. Run by cron; safe beside
 * writers. A collection that cannot be built keeps no other waiting; its error is thrown at the end.
 */
export async function maintainIndexes(ctx: MaintainContext): Promise<Maintained> {
  const until = ctx.now() + BUDGET_MS;
  let [reindexed, expired, purged] = [0, 0, 0];
  const failures: unknown[] = [];
  for (const plan of ctx.collections.values()) expired += await expire(ctx, plan, until);
  const registered = await ctx.indexes.list();
  for (const plan of ctx.collections.values()) {
    const { indexId } = indexRefOf("", plan, ctx.vectorSpaceOf(plan));
    const index = registered.find((one) => one.indexId === indexId);
    if (index === undefined || (index.complete && index.waiting === 0)) continue;
    try {
      reindexed += await build(ctx, plan, indexId, until);
    } catch (error) {
      failures.push(error);
    }
  }
  while (ctx.now() < until) {
    const removed = await ctx.indexes.purgeRetired(PURGED_AT_ONCE);
    purged += removed;
    if (removed === 0) break;
  }
  if (failures.length > 0) throw failures[0];
  return { reindexed, expired, purged };
}

/** Puts every document of the collection that is not in the index into it, page by page. */
async function build(
  ctx: MaintainContext,
  plan: CollectionPlan,
  indexId: string,
  until: number,
): Promise<number> {
  const misfits = { documents: 0, fields: new Set<string>() };
  let [moved, before] = [0, -1];
  while (ctx.now() < until && moved > before) {
    before = moved;
    const stale = await ctx.documents.findStale(plan.name, indexId, PAGE);
    if (stale.length === 0) {
      await ctx.indexes.completeIfBuilt(indexId);
      break;
    }
    for (const [tenant, documents] of Map.groupBy(stale, (one) => one.tenant)) {
      const changes = documents.map(({ id, version, body }): DocumentChange => {
        const { document, dropped } = readStored(plan, ctx.vectorSpaceOf(plan), body);
        if (dropped.length > 0) misfits.documents += 1;
        for (const name of dropped) misfits.fields.add(name);
        return { kind: "put", id, document, stored: body, onlyVersion: version };
      });
      moved += await changeWhereQuiet(ctx, { tenant, collection: plan }, changes);
    }
  }
  if (misfits.documents > 0) {
    ctx.note("documents do not fit their collection any more", {
      collection: plan.name,
      documents: misfits.documents,
      fields: [...misfits.fields].join(", "),
    });
  }
  return moved;
}

async function expire(ctx: MaintainContext, plan: CollectionPlan, until: number): Promise<number> {
  let [removed, before] = [0, -1];
  while (ctx.now() < until && removed > before) {
    before = removed;
    const found = await ctx.documents.findExpired(plan.name, ctx.now(), PAGE);
    if (found.length === 0) break;
    for (const [tenant, documents] of Map.groupBy(found, (one) => one.tenant)) {
      const changes = documents.map(({ id, version }): DocumentChange => ({
        kind: "delete",
        id,
        onlyVersion: version,
      }));
      removed += await changeWhereQuiet(ctx, { tenant, collection: plan }, changes);
    }
  }
  return removed;
}

/** What somebody keeps changing is left to the next run. */
async function changeWhereQuiet(
  ctx: MaintainContext,
  where: { readonly tenant: string; readonly collection: CollectionPlan },
  changes: readonly DocumentChange[],
): Promise<number> {
  try {
    const outcomes = await changeDocuments(ctx, where, changes);
    return outcomes.filter(({ kind }) => kind !== "left").length;
  } catch (error) {
    if (error instanceof AppError && error.code === "conflict") return 0;
    throw error;
  }
}
