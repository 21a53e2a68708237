import type { ViewPlan } from "../src/features/plan.ts";
import { windowMs } from "../src/features/quality/read-quality.ts";
import type { Registry } from "../src/features/registry.ts";
import { parseArgs, UsageError } from "./args.ts";
import type { RunQualityOptions } from "./run-quality.ts";

export const QUALITY_USAGE = `Shows how the features of each view are: null rates, distributions, drift, freshness.

  npm run quality
  npm run quality -- customer_spend     of these views only
  npm run quality -- --now              takes a profile first, in place of this hour's

  --window 1d          drift compares the profiles of the last day
  --baseline 7d        with those of the seven days before it; 1h to 60d each
  --fail-above 0.25    ends with 1 where anything drifted by more, and by more than chance may do
  --tenant NAME        whose features; needed where the database has several tenants
  --json               as GET /v1/quality

The cron takes a profile of each view and tenant every hour, of up to 1,000 entities. Drift is the
population stability index of the two windows: below 0.1 stable, up to 0.25 moderate, above shifted;
unclear where so few entities may differ as much by chance. Where a window has no profile yet, it
says so. It reads the running local stack, or the Neon database of DATABASE_URL.`;

export type QualityArgs = Pick<
  RunQualityOptions,
  "views" | "window" | "baseline" | "takeNow" | "json" | "failAbove"
> & { readonly tenant: string | null };

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;

function readWindow(option: string, given: string | undefined): number | undefined {
  const ms = given === undefined ? undefined : windowMs(given);
  if (ms === null) throw new UsageError(`--${option} is 1h to 60d, not "${given}"`);
  return ms;
}

function readLimit(given: string | undefined): number | null {
  if (given === undefined) return null;
  if (/^\d+(\.\d+)?$/.test(given)) return Number(given);
  throw new UsageError(`--fail-above is a number like 0.25, not "${given}"`);
}

function viewsOf({ views }: Registry, names: readonly string[]): readonly ViewPlan[] {
  if (names.length === 0) return [...views.values()];
  return names.map((name) => {
    const plan = views.get(name);
    if (plan !== undefined) return plan;
    throw new UsageError(`There is no view "${name}", only ${[...views.keys()].join(", ")}`);
  });
}

/** Pure. What a command line asks for; null for help. Throws a UsageError. */
export function readQualityArgs(registry: Registry, args: readonly string[]): QualityArgs | null {
  const { values, positionals } = parseArgs(args, {
    window: text,
    baseline: text,
    tenant: text,
    "fail-above": text,
    now: flag,
    json: flag,
  });
  if (values.help === true) return null;
  return {
    views: viewsOf(registry, positionals),
    window: readWindow("window", values.window),
    baseline: readWindow("baseline", values.baseline),
    tenant: values.tenant ?? null,
    takeNow: values.now === true,
    json: values.json === true,
    failAbove: readLimit(values["fail-above"]),
  };
}
