import { DAY_MS, floorTo, HOUR_MS } from "../../time.ts";
import type { ViewPlan } from "../plan.ts";
import type { Registry } from "../registry.ts";
import type { ProfileStore } from "./profile-store.ts";
import { takeProfile } from "./take-profile.ts";

export interface ProfileContext {
  readonly registry: Registry;
  readonly profiles: ProfileStore;
  readonly now: () => number;
}

const SAMPLE = { entities: 1_000, bytes: 4 * 2 ** 20 };
const KEPT_MS = 60 * DAY_MS;
const AT_ONCE = 10;
/** A run that took so long leaves the rest to the next. */
const BUDGET_MS = 15_000;

/**
 * Takes the profile of a view of one tenant and keeps it as that of this hour, in place of another
 * one only where `replace` says so. Answers whether it was kept.
 */
export async function profileView(
  { profiles, now }: ProfileContext,
  plan: ViewPlan,
  tenant: string,
  replace: boolean,
): Promise<boolean> {
  const view = { tenant, stateId: plan.stateId };
  const states = await profiles.readSample(view, plan.entity, SAMPLE);
  const profile = takeProfile(plan, states, now());
  return profiles.keep(view, profile, { replace, keepFrom: profile.takenAt - KEPT_MS });
}

/**
 * Takes the profiles that are due, of each view and tenant one an hour, a few in each run. Run by
 * cron; two at once keep one profile. A view that cannot be profiled keeps no other waiting; its
 * error is thrown at the end. Answers how many were kept.
 */
export async function profileViews(ctx: ProfileContext): Promise<number> {
  const { registry, profiles, now } = ctx;
  const began = now();
  const plans = new Map([...registry.views.values()].map((plan) => [plan.stateId, plan]));
  const due = await profiles.findDue([...plans.keys()], floorTo(began, HOUR_MS), AT_ONCE);
  const failures: unknown[] = [];
  let kept = 0;
  for (const { tenant, stateId } of due) {
    const plan = plans.get(stateId);
    if (plan === undefined || now() - began > BUDGET_MS) continue;
    try {
      if (await profileView(ctx, plan, tenant, false)) kept += 1;
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return kept;
}
