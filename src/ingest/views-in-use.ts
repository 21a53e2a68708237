import type { DefinitionStore } from "../features/definition-store.ts";
import type { Registry } from "../features/registry.ts";
import { withForeignViews } from "../features/views-in-use.ts";
import { readAgain, type AppendContext, type Read } from "./append-batch.ts";
import { refOf } from "./entity-refs.ts";

/** What an isolate knows of the views in use: plain data, which outlives a request. */
export interface KnownViews {
  /** The deployment's own registry, with the others' views that are in use. */
  registry: Registry;
  /** Names the set of views in use of which it was made; null where no append has told it. */
  views: string | null;
}

/**
 * The views in use that a deployment does not have, because it is new and not applied yet, or older
 * than what was applied: it folds into their states too, so that each deployment can be switched to,
 * and back to, at any time.
 */
export interface ViewsInUse {
  readonly own: Registry;
  /** What is known so far; mended in place. */
  readonly known: KnownViews;
  /** Asks what is in use now: one round trip. */
  readonly list: () => ReturnType<DefinitionStore["listViews"]>;
}

/** Nothing is known yet but the deployment's own. */
export const knowOwn = (registry: Registry): KnownViews => ({ registry, views: null });

/** What a process knows that does everything with one registry. */
export const openViewsInUse = (own: Registry, list: ViewsInUse["list"]): ViewsInUse => ({
  own,
  known: knowOwn(own),
  list,
});

/** Asks which views are in use, and keeps the answer, as the one to `views` of an append. */
export async function learnViews(
  { own, known, list }: ViewsInUse,
  views: string | null = null,
): Promise<Registry> {
  const { registry } = withForeignViews(own, await list());
  known.registry = registry;
  known.views = views;
  return registry;
}

/**
 * Where entities were read that have views in use of which nothing is known here, learns of them and
 * reads once more; and where other views are in use than before, learns that. So it does where somebody
 * else of this isolate learnt it since the context was made.
 */
export async function readWithAll<
  C extends AppendContext & { readonly inUse?: ViewsInUse | undefined },
>(ctx: C, read: Read, now: number): Promise<{ readonly ctx: C; readonly read: Read }> {
  const { inUse } = ctx;
  if (inUse === undefined) return { ctx, read };
  const { own, known } = inUse;
  const views = [...read.views].join(" ");
  const isForOthers = read.newerFor.size > 0 || read.setsAside;
  // Where all are own, and stay so, nobody asks; what a sweep found of others may be out of use by now.
  const isNew =
    known.views === null ? isForOthers || known.registry !== own : known.views !== views;
  const registry = isNew ? await learnViews(inUse, views) : known.registry;
  if (!isNew && registry === ctx.registry) return { ctx, read };
  const learnt = { ...ctx, registry };
  return { ctx: learnt, read: await readAgain(learnt, read.snapshots.map(refOf), now) };
}
