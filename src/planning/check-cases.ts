import type { GoldenCase } from "../features/define.ts";
import { compareCase, failedCases, runCase, type CaseFailure } from "../features/golden-cases.ts";
import type { OnDemandPlan } from "../features/registry.ts";
import type { RegisteredDefinition } from "./definition-history.ts";
import { specOf } from "./definition-record.ts";

/** A golden case with everything that a version of the view made of it. */
interface RegisteredCase extends Omit<GoldenCase, "expect"> {
  readonly values: GoldenCase["expect"];
}

/** The cases of all definitions that were registered under the view's present version. */
function registeredCases(
  { name, version }: OnDemandPlan,
  registered: readonly RegisteredDefinition[],
): readonly RegisteredCase[] {
  const specs = registered
    .filter((one) => one.kind === "on_demand_view" && one.name === name)
    .map(specOf)
    .filter((spec) => spec["version"] === version);
  const cases = specs.flatMap((spec) => spec["cases"] as unknown as readonly RegisteredCase[]);
  return [...new Map(cases.map((one) => [JSON.stringify(one), one])).values()];
}

/**
 * The golden cases of on-demand views that fail: those declared, and those registered before under
 * the same version, which has to give the same for ever. One sentence each.
 */
export function checkCases(
  views: Iterable<OnDemandPlan>,
  registered: readonly RegisteredDefinition[],
): readonly string[] {
  return [...views].flatMap((plan) => {
    const at = ({ position, detail }: CaseFailure, when = ""): string =>
      `on-demand view "${plan.name}", golden case ${position}${when}: ${detail}`;
    const failed = failedCases(plan).map((failure) => at(failure));
    const changed = registeredCases(plan, registered).flatMap((one, i) =>
      compareCase(runCase(plan, { ...one, expect: {} }), one.values, i + 1),
    );
    const when = ` of those applied as version ${plan.version}`;
    return [...failed, ...changed.map((one) => `${at(one, when)}; so raise the version`)];
  });
}
