import { expect } from "vitest";
import { failedCases } from "../../src/features/golden-cases.ts";
import type { Registry } from "../../src/features/registry.ts";

/** Expects every on-demand view to have golden cases and to meet them. */
export function expectGoldenCases({ onDemand }: Pick<Registry, "onDemand">): void {
  const plans = [...onDemand.values()];
  expect(plans.filter(({ cases }) => cases.length === 0).map(({ name }) => name)).toEqual([]);
  expect(plans.flatMap((plan) => failedCases(plan))).toEqual([]);
}
