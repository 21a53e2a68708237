import type { DefinitionRecord } from "./definition-record.ts";
import type { Difference } from "./diff-definitions.ts";
import { computationOf, viewSpecOf } from "./view-spec.ts";

/** A new feature that is computed already under another name. Both are `view:feature`. */
export interface SameFeature {
  readonly feature: string;
  readonly existing: string;
}

/** How new a feature is: 0 is as before, 1 computes something else, 2 was not there. */
type Novelty = 0 | 1 | 2;

function noveltyIn({ action, changes }: Difference): (feature: string) => Novelty {
  if (action === "added") return () => 2;
  return (feature) => {
    const own = changes.filter(({ path }) => path[0] === "features" && path[1] === feature);
    if (own.some((change) => change.action === "added")) return 2;
    return own.some((change) => change.action === "changed") ? 1 : 0;
  };
}

/**
 * Pure. New features of new or changed views that have entity, source, key, aggregate, field,
 * condition, window, boundary and maxAge in common with another one: one of the two may do.
 */
export function findSameFeatures(
  definitions: readonly DefinitionRecord[],
  differences: readonly Difference[],
): readonly SameFeature[] {
  const noveltyOf = new Map(
    differences.filter(({ kind }) => kind === "view").map((one) => [one.name, noveltyIn(one)]),
  );
  const all = definitions
    .filter(({ kind }) => kind === "view")
    .flatMap((view) => {
      const spec = viewSpecOf(view);
      return spec.features.map((feature) => ({
        name: `${view.name}:${feature.name}`,
        novelty: noveltyOf.get(view.name)?.(feature.name) ?? 0,
        computation: computationOf(spec, feature),
      }));
    })
    // Those that are there come first: they are the ones that exist.
    .toSorted((a, b) => a.novelty - b.novelty);
  const first = new Map<string, string>();
  return all.flatMap(({ name, novelty, computation }): readonly SameFeature[] => {
    const existing = first.get(computation);
    if (existing === undefined) first.set(computation, name);
    return existing !== undefined && novelty > 0 ? [{ feature: name, existing }] : [];
  });
}
