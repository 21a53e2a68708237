import type { Definition, Deployment } from "../deployment.ts";
import { newFeeds } from "../features/backfill.ts";
import type { DefinitionStore, RegisteredView } from "../features/definition-store.ts";
import { DefinitionError } from "../features/fields.ts";
import type { ViewPlan } from "../features/plan.ts";
import { foreignViews } from "../features/views-in-use.ts";
import { checkStateSize, worstCaseBytes } from "../features/state-size.ts";
import type { CollectionPlan } from "../retrieval/collection-plan.ts";
import type { IndexRegistry, RegisteredIndex } from "../retrieval/index-registry.ts";
import { buildCost } from "./build-cost.ts";
import { checkCases } from "./check-cases.ts";
import type { DefinitionHistory, RegisteredDefinition } from "./definition-history.ts";
import { DEFINITION_KINDS, type DefinitionRecord } from "./definition-record.ts";
import { describeDeployment } from "./describe-deployment.ts";
import { diffDefinitions, type Difference } from "./diff-definitions.ts";
import { findIncompatible } from "./incompatible.ts";
import type { LogSizes } from "./log-sizes.ts";
import { pastSources, sumOfSizes } from "./past-events.ts";
import type { Plan, PlannedChange, ViewVersion } from "./plan.ts";
import { readersOf } from "./readers.ts";
import { findSameFeatures } from "./same-features.ts";

export interface PlanningContext {
  readonly definitions: Pick<DefinitionStore, "listViews">;
  readonly history: Pick<DefinitionHistory, "list">;
  readonly indexes: Pick<IndexRegistry, "list">;
  readonly sizes: LogSizes;
  readonly indexIdOf: (plan: CollectionPlan) => string;
}

const ofView = ({ name, version, spec, retired }: RegisteredView): RegisteredDefinition => ({
  kind: "view",
  name,
  version,
  spec,
  retired,
});

type Unfinished = Omit<Difference, "action"> & { readonly action: "unfinished" };

const unfinished = (kind: "view" | "collection", name: string, version: number): Unfinished => ({
  kind,
  name,
  action: "unfinished",
  from: version,
  to: version,
  changes: [],
});

/** Everything that is read of the stores for a plan. */
interface Found {
  readonly views: readonly RegisteredView[];
  readonly registered: readonly RegisteredDefinition[];
  readonly indexes: ReadonlyMap<string, RegisteredIndex>;
}

async function look(ctx: PlanningContext): Promise<Found> {
  const [views, others, indexes] = await Promise.all([
    ctx.definitions.listViews(),
    ctx.history.list(),
    ctx.indexes.list(),
  ]);
  return {
    views,
    registered: [...others, ...views.map(ofView)].toSorted(
      (a, b) => DEFINITION_KINDS.indexOf(a.kind) - DEFINITION_KINDS.indexOf(b.kind),
    ),
    indexes: new Map(indexes.map((index) => [index.indexId, index])),
  };
}

/** Views and collections whose registered version is the wanted one, and not completely built. */
function findUnfinished(
  ctx: PlanningContext,
  { registry, collections }: Deployment,
  { views, registered, indexes }: Found,
  differences: readonly Difference[],
): readonly Unfinished[] {
  const differs = new Set(differences.map(({ kind, name }) => `${kind} ${name}`));
  const halves = views
    .filter(({ complete, retired }) => !complete && !retired)
    .filter(({ name, stateId }) => registry.views.get(name)?.stateId === stateId)
    .map(({ name, version }) => unfinished("view", name, version));
  const versionOf = (collection: string): number =>
    registered.find(
      ({ kind, name, retired }) => kind === "collection" && name === collection && !retired,
    )?.version ?? 1;
  const missing = [...collections.values()]
    .filter(({ name }) => !differs.has(`collection ${name}`))
    // Also one whose vectors come from elsewhere, as on another machine.
    .filter((plan) => indexes.get(ctx.indexIdOf(plan))?.complete !== true)
    .map(({ name }) => unfinished("collection", name, versionOf(name)));
  return [...halves, ...missing];
}

const warnOf = ({ kind, name, changes }: Difference): readonly string[] => {
  const touched = new Set(changes.map(({ path: [member] }) => member));
  return kind === "model" && touched.has("file") && !touched.has("version")
    ? [`model "${name}" has another file under the same version: raise the version in the file`]
    : [];
};

/** Views in use that have a successor of the deployment beside them. */
function findBeside(
  { registry }: Deployment,
  { views }: Found,
  differences: readonly Difference[],
): readonly ViewVersion[] {
  const changed = new Set(
    differences.flatMap(({ kind, name, from }) => (kind === "view" ? [`${name} ${from}`] : [])),
  );
  return foreignViews(registry, views)
    .filter(({ name, version }) => !changed.has(`${name} ${version}`))
    .map(({ name, version }) => ({ name, version }));
}

/** Why a view's state may grow too large; nothing where it may not. */
function sizeProblems(view: ViewPlan): readonly string[] {
  try {
    checkStateSize(view);
    return [];
  } catch (error) {
    if (error instanceof DefinitionError) return [error.message];
    throw error;
  }
}

/**
 * What applying the definitions would do, from what is registered and how much there is; changes
 * nothing. `definitions` is what the deployment was compiled from.
 */
export async function planDeployment(
  ctx: PlanningContext,
  deployment: Deployment,
  definitions: readonly Definition[],
): Promise<Plan> {
  const { registry, collections } = deployment;
  const wanted = describeDeployment(deployment, definitions);
  const found = await look(ctx);
  const live = found.registered.filter(({ retired }) => !retired);
  const differences = diffDefinitions(wanted, found.registered);
  const changed = [...differences, ...findUnfinished(ctx, deployment, found, differences)];
  const toBuild = changed.flatMap(({ kind, name, action }) =>
    kind === "view" && action !== "removed" ? [registry.views.get(name)] : [],
  );
  const past = pastSources(registry.views.values(), newFeeds(registry, found.views));
  const sizes = await ctx.sizes.measure({
    entities: [...new Set(toBuild.flatMap((view) => view?.entity ?? []))],
    sources: [
      ...new Set([
        ...[...past.values()].flat(),
        ...differences.flatMap(({ kind, name }) => (kind === "source" ? [name] : [])),
      ]),
    ],
    collections: [...collections.keys()],
  });

  const planned = changed.map((difference): PlannedChange => {
    const { kind, name, action } = difference;
    const among: readonly DefinitionRecord[] = action === "removed" ? live : wanted;
    const view = kind === "view" ? registry.views.get(name) : undefined;
    const collection = kind === "collection" ? collections.get(name) : undefined;
    const given = sumOfSizes(past.get(name) ?? [], sizes.sources);
    const index = collection && found.indexes.get(ctx.indexIdOf(collection));
    const documents = index === undefined ? sizes.collections.get(name) : undefined;
    return {
      ...difference,
      readers: readersOf(difference, among),
      build: view === undefined ? null : buildCost(sizes.entities.get(view.entity), given),
      stateBytes: view === undefined ? null : worstCaseBytes(view),
      documents:
        collection === undefined
          ? null
          : (documents ?? { count: index?.waiting ?? 0, exact: true }),
    };
  });
  return {
    deployment,
    changes: planned,
    beside: findBeside(deployment, found, differences),
    unchanged: wanted.length - planned.filter(({ action }) => action !== "removed").length,
    incompatible: findIncompatible(differences, [...wanted, ...live], sizes.sources),
    sameFeatures: findSameFeatures(wanted, differences),
    problems: [
      ...checkCases(registry.onDemand.values(), found.registered),
      ...toBuild.flatMap((view) => (view === undefined ? [] : sizeProblems(view))),
    ],
    warnings: differences.flatMap(warnOf),
    seconds: planned.reduce((sum, { build }) => sum + (build?.seconds ?? 0), 0),
  };
}
