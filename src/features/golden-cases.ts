import type { FeatureValue } from "./aggregates/aggregate.ts";
import type { GoldenCase } from "./define.ts";
import { computeFeature, frozen } from "./on-demand.ts";
import type { OnDemandPlan } from "./registry.ts";

/** What an on-demand view makes of a golden case. */
export interface CaseOutcome {
  /** Why its request is refused; null where it is not. */
  readonly refused: string | null;
  /** By the names of the view's features. */
  readonly values: Readonly<Record<string, FeatureValue>>;
  /** Features of views that were looked at, as `view:feature`, sorted. */
  readonly looked: readonly string[];
}

/** An expectation that a golden case does not meet. */
export interface CaseFailure {
  /** From 1. */
  readonly position: number;
  /** Null where the request is refused. */
  readonly feature: string | null;
  readonly detail: string;
}

type Values = Readonly<Record<string, unknown>>;

/** The values with null for all that is left out; tells which are looked at, and lets none be changed. */
function watched(view: string, values: Values, look: (name: string) => void): Values {
  return new Proxy(frozen({ ...values }), {
    get(target, name) {
      if (typeof name === "symbol") return undefined;
      look(`${view}:${name}`);
      return target[name] ?? null;
    },
  });
}

/** Runs a golden case. Pure where the view's functions are. */
export function runCase(plan: OnDemandPlan, { request, features = {} }: GoldenCase): CaseOutcome {
  const parsed = plan.request.safeParse(request);
  if (!parsed.success) {
    const why = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
    return { refused: why.join("; "), values: {}, looked: [] };
  }
  const looked = new Set<string>();
  const given = Object.freeze(
    Object.fromEntries(
      plan.from.map((view) => [
        view,
        watched(view, features[view] ?? {}, (name) => void looked.add(name)),
      ]),
    ),
  );
  const ofRequest = frozen(parsed.data);
  const values = plan.features.map(({ name, compute }) => {
    const { value, failed } = computeFeature(compute, { request: ofRequest, features: given });
    return [name, failed ? "(throws)" : value] as const;
  });
  return { refused: null, values: Object.fromEntries(values), looked: [...looked].toSorted() };
}

/** Pure. Where a case is refused, or gives other values than expected. */
export function compareCase(
  outcome: CaseOutcome,
  expected: Readonly<Record<string, unknown>>,
  position: number,
): readonly CaseFailure[] {
  if (outcome.refused !== null) {
    return [{ position, feature: null, detail: `its request is refused: ${outcome.refused}` }];
  }
  return Object.entries(expected)
    .filter(([feature]) => Object.hasOwn(outcome.values, feature))
    .filter(([feature, value]) => outcome.values[feature] !== value)
    .map(([feature, value]) => {
      const got = JSON.stringify(outcome.values[feature]);
      const detail = `${feature}: expected ${JSON.stringify(value)}, got ${got}`;
      return { position, feature, detail };
    });
}

/** The golden cases of an on-demand view that it does not meet. */
export const failedCases = (plan: OnDemandPlan): readonly CaseFailure[] =>
  plan.cases.flatMap((one, i) => compareCase(runCase(plan, one), one.expect, i + 1));
