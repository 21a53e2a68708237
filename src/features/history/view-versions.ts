import type { RegisteredView } from "../definition-store.ts";
import type { FeaturePlan, ViewPlan } from "../plan.ts";
import { planRegistered } from "../plan-view.ts";
import type { Selection } from "../select.ts";

/** The versions of a view by which history can answer: of those before, where they have what is asked. */
export interface ViewVersions {
  /** The number of the deployment's version. */
  readonly current: number;
  /** Plans by number, with the current one's features in their places; or why there is none. */
  readonly plans: ReadonlyMap<number, ViewPlan | string>;
}

/** Positions of the view's features of which an answer is needed. */
function neededOf({ outputs, onDemand }: Selection, view: ViewPlan): ReadonlySet<number> {
  // What a function reads of a view is not known.
  if (onDemand.some(({ from }) => from.includes(view.name))) return new Set(view.features.keys());
  return new Set(outputs.flatMap((one) => (one.view === view.name ? [one.index] : [])));
}

/** A version as one of the current view's; or why it cannot stand for that. */
function inPlaceOf(
  view: ViewPlan,
  needed: ReadonlySet<number>,
  registered: RegisteredView,
): ViewPlan | string {
  const plan = planRegistered(registered);
  const [first] = plan?.features ?? [];
  if (plan === null || first === undefined) return "is not understood by this version of Freshet";
  if (plan.entity !== view.entity) return `is of the entity "${plan.entity}"`;
  const features = new Map(plan.features.map((feature) => [feature.name, feature]));
  const lacking = [...needed].flatMap((i) => {
    const name = view.features[i]?.name ?? "";
    return features.has(name) ? [] : [name];
  });
  if (lacking.length > 0) return `does not have ${lacking.join(", ")}`;
  // Of what nobody asks for, any other is answered in its place.
  return {
    ...plan,
    features: view.features.map(({ name }): FeaturePlan => features.get(name) ?? first),
  };
}

/** Pure. The versions of each of a selection's views; null where the deployment's is not applied. */
export function viewVersions(
  selection: Selection,
  registered: readonly RegisteredView[],
): readonly (ViewVersions | null)[] {
  return selection.views.map((view) => {
    const versions = registered.filter(({ name }) => name === view.name);
    const current = versions.find(({ stateId }) => stateId === view.stateId);
    if (current?.complete !== true || current.retired) return null;
    const needed = neededOf(selection, view);
    const plans = versions.map((one): [number, ViewPlan | string] => [
      one.version,
      one === current ? view : inPlaceOf(view, needed, one),
    ]);
    return { current: current.version, plans: new Map(plans) };
  });
}
