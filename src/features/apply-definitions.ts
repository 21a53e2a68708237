import { backfill, newFeeds } from "./backfill.ts";
import { buildView, type BuildContext } from "./build-view.ts";
import type { DefinitionStore, RegisteredView } from "./definition-store.ts";
import type { EntityRef } from "./event-log.ts";
import { feedName } from "./feeds.ts";
import type { OnlineStore } from "./online-store.ts";
import type { Registry } from "./registry.ts";
import type { StateArchive } from "./state-filling.ts";

export interface ApplyDefinitionsContext {
  readonly registry: Registry;
  readonly definitions: DefinitionStore;
  readonly archive: StateArchive;
  readonly online: Pick<OnlineStore, "write" | "writeMeta">;
  readonly now: () => number;
  /** Folds what is pending for these entities, and what that makes (ingest/fold-pending.ts does). */
  readonly fold: (entities: readonly EntityRef[]) => Promise<void>;
  /** `done` counts events of a backfill, and entities of a building, beside their `events`. */
  readonly progress: (step: ApplyStep, done: number, events: number) => void;
}

/** What takes long: giving past events to a new kind of entity, or building a view. */
export type ApplyStep =
  | { readonly kind: "backfill" }
  | { readonly kind: "build"; readonly view: RegisteredView };

export interface AppliedDefinitions {
  /** The deployment's views, as they are registered now. */
  readonly views: readonly RegisteredView[];
  /** Those that are new or changed, under their new version. */
  readonly registered: readonly RegisteredView[];
  /** How many entities were built for each. */
  readonly built: ReadonlyMap<string, number>;
  /** How many past events were given to entities that their source did not feed before. */
  readonly backfilled: number;
  readonly unchanged: number;
}

/**
 * Registers the deployment's views as immutable versions, gives new kinds of entities their past
 * events, builds new versions from the log, and tells every tenant's online store. Restartable; safe
 * while events go on, though not beside itself. Until it ends, reads of a new version answer 503.
 */
export async function applyDefinitions(ctx: ApplyDefinitionsContext): Promise<AppliedDefinitions> {
  const { registry, definitions } = ctx;
  const before = await definitions.listViews();
  const known = new Set(before.map(({ stateId }) => stateId));
  const feeds = [...registry.feedsBySource.values()].flat();
  const fresh = new Set(newFeeds(registry, before).map(feedName));
  const open = await definitions.registerFeeds(
    feeds.map((feed) => {
      const name = feedName(feed);
      return { name, source: feed.source, isNew: fresh.has(name) };
    }),
  );
  // Before the views are registered: an entity without any history makes its views complete.
  const backfilled = await backfill(
    { ...ctx, progress: (events) => ctx.progress({ kind: "backfill" }, events, events) },
    feeds.filter((feed) => open.includes(feedName(feed))),
  );
  const views = [...registry.views.values()].map(({ name, stateId, specHash, spec, entity }) => ({
    name,
    stateId,
    specHash,
    spec,
    entity,
  }));
  const all = await definitions.registerViews(views, ctx.now());
  await definitions.completeFeeds(feeds.map(feedName));
  const built = new Map<string, number>();
  for (const view of all) {
    const plan = registry.views.get(view.name);
    if (view.complete || plan === undefined || plan.stateId !== view.stateId) continue;
    const progress = (entities: number, events: number): void =>
      ctx.progress({ kind: "build", view }, entities, events);
    const build: BuildContext = { definitions, online: ctx.online, progress };
    built.set(view.stateId, await buildView(build, plan));
  }
  for (const tenant of await ctx.archive.listTenants()) {
    await ctx.online.writeMeta(tenant, "refresh", await ctx.archive.nextMeta(tenant));
  }
  const wanted = new Set(views.map(({ stateId }) => stateId));
  const registered = all.filter(({ stateId }) => wanted.has(stateId) && !known.has(stateId));
  const unchanged = wanted.size - registered.length;
  return { views: all, registered, built, backfilled, unchanged };
}
