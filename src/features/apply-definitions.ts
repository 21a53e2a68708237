import { AppError } from "../errors.ts";
import { backfill, newFeeds } from "./backfill.ts";
import { buildView, type BuildContext } from "./build-view.ts";
import type { DefinitionStore, RegisteredView, ViewToRegister } from "./definition-store.ts";
import type { EntityRef } from "./event-log.ts";
import { feedName, type Feed } from "./feeds.ts";
import type { OnlineStore } from "./online-store.ts";
import type { ViewPlan } from "./plan.ts";
import type { Registry } from "./registry.ts";
import type { StateArchive } from "./state-filling.ts";
import { foreignViews, withForeignViews } from "./views-in-use.ts";

export interface ApplyDefinitionsContext {
  readonly registry: Registry;
  /**
   * Whether views that the deployment does not have stay in use: it is to be switched to, or back
   * from, at any time. False retires them.
   */
  readonly beside?: boolean;
  readonly definitions: DefinitionStore;
  readonly archive: StateArchive;
  readonly online: Pick<OnlineStore, "write" | "writeMeta">;
  readonly now: () => number;
  /** Folds what is pending for these entities, and what that makes (ingest/fold-pending.ts does). */
  readonly fold: (entities: readonly EntityRef[]) => Promise<void>;
  /** Folds what waits or was missed, whatever entity's it is, telling how many these are so far. */
  readonly foldWaiting: (progress: (entities: number) => void) => Promise<void>;
  /** `done` counts entities, or events of a backfill; `events` are those looked through. */
  readonly progress: (step: ApplyStep, done: number, events: number) => void;
}

/** What may take long: what waited, giving past events to a new kind of entity, building a view. */
export type ApplyStep =
  | { readonly kind: "waiting" }
  | { readonly kind: "backfill" }
  | { readonly kind: "build"; readonly view: RegisteredView };

export interface AppliedDefinitions {
  /** Views that stay in use beside the deployment's. */
  readonly others: readonly RegisteredView[];
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

/** Writes every tenant's meta anew. */
async function tellTenants({ archive, online }: ApplyDefinitionsContext): Promise<void> {
  for (const tenant of await archive.listTenants()) {
    await online.writeMeta(tenant, "refresh", await archive.nextMeta(tenant));
  }
}

/**
 * Takes the views that the deployment does not have out of use. First no read may trust them any more,
 * also should this be interrupted and the deployment rolled back. Events of entities with one that the
 * engine does not understand have waited for this.
 */
async function retireOthers(ctx: ApplyDefinitionsContext): Promise<void> {
  const kept = [...ctx.registry.views.values()].map(({ stateId }) => stateId);
  if ((await ctx.definitions.withdrawViews(kept)) === 0) return;
  await tellTenants(ctx);
  await ctx.definitions.retireViews(kept, ctx.now());
  await foldWaiting(ctx);
}

const foldWaiting = (ctx: ApplyDefinitionsContext): Promise<void> =>
  ctx.foldWaiting((entities) => ctx.progress({ kind: "waiting" }, entities, 0));

/**
 * Registers the deployment's views as immutable versions, gives new kinds of entities their past
 * events, builds new versions from the log, and tells every tenant's online store. Restartable; safe
 * while events go on, though not beside itself. Until it ends, reads of a new version answer 503. Throws
 * AppError `conflict`, before anything is changed, where it is to leave views in use that this engine
 * does not understand.
 */
export async function applyDefinitions(ctx: ApplyDefinitionsContext): Promise<AppliedDefinitions> {
  const { registry, definitions } = ctx;
  const before = await definitions.listViews();
  const known = new Set(before.map(({ stateId }) => stateId));
  const others = ctx.beside === true ? keepOthers(registry, before) : NONE;
  if (ctx.beside !== true) await retireOthers(ctx);
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
  // And before a view is complete at once nothing may be left to be given in the past, and before one
  // is in use, nothing of which an entity that missed it knows already that it was taken back.
  await definitions.completeFeeds([...feeds, ...others.feeds].map(feedName));
  if (open.length > 0) await foldWaiting(ctx);
  const views = [...registry.views.values()].map((view) => viewToRegister(registry, view));
  const registered = await definitions.registerViews([...views, ...others.views], ctx.now());
  const all = registered.slice(0, views.length);
  const built = new Map<string, number>();
  for (const view of all) {
    const plan = registry.views.get(view.name);
    if (view.complete || plan === undefined || plan.stateId !== view.stateId) continue;
    const progress = (entities: number, events: number): void =>
      ctx.progress({ kind: "build", view }, entities, events);
    const build: BuildContext = { definitions, online: ctx.online, progress };
    built.set(view.stateId, await buildView(build, plan));
  }
  await tellTenants(ctx);
  const added = all.filter(({ stateId }) => !known.has(stateId));
  const unchanged = views.length - added.length;
  return {
    views: all,
    others: registered.slice(views.length),
    registered: added,
    built,
    backfilled,
    unchanged,
  };
}

function viewToRegister({ joinsByEntity }: Registry, view: ViewPlan): ViewToRegister {
  const { name, stateId, specHash, spec, entity } = view;
  const join = joinsByEntity.get(view.sourceId);
  const joinPlan = join === undefined ? null : JSON.stringify(join);
  return { name, stateId, specHash, spec, entity, joinPlan };
}

interface Others {
  readonly views: readonly RegisteredView[];
  readonly feeds: readonly Feed[];
}

const NONE: Others = { views: [], feeds: [] };

/** Views in use that the deployment does not have, and how these are given events. */
function keepOthers(registry: Registry, before: readonly RegisteredView[]): Others {
  const views = foreignViews(registry, before);
  const { registry: all, unknown } = withForeignViews(registry, views);
  const [first] = unknown;
  if (first !== undefined) {
    throw new AppError(
      "conflict",
      `${first.name} version ${first.version} is in use, and cannot be kept up to date by this ` +
        `version of Freshet: deploy first, then apply without --beside`,
    );
  }
  return { views, feeds: [...all.feedsBySource.values()].flat() };
}
