import { expect } from "vitest";
import type { EntityRef } from "../../src/features/event-log.ts";
import type { MetQuery } from "../../src/features/met-events.ts";

/** What a fold wants that has a left event at 10 and a right one at 20, of which a test names the rest. */
export const wanted = (
  ref: EntityRef,
  left: string,
  right: string,
  fields: Partial<MetQuery> = {},
): MetQuery => ({
  ...ref,
  upTo: 9,
  left,
  right,
  withinMs: 30,
  fanOut: 2,
  spans: [
    {
      after: 10,
      afterKey: "k",
      from: 10,
      fromVersion: -1,
      before: 41,
      changedFrom: 99,
      knownBefore: Number.MAX_SAFE_INTEGER,
      counted: 3,
    },
  ],
  starts: [{ time: 20, orderKey: null, low: -10 }],
  knownBefore: Number.MAX_SAFE_INTEGER,
  most: { rights: 9, perStart: 3, lefts: 9, bytes: 9_999 },
  ...fields,
});

/** A plan that walks nothing but parts of what met. */
export function expectMetPlan(plan: string): void {
  const scans = plan
    .split("\n")
    .filter((line) => /Scan.* on (entity_log|events) /.test(line))
    .map((line) => line.trim().replace(/^->\s*/, ""));
  expect(scans.filter((scan) => scan.includes("using entity_log_met on"))).toHaveLength(3);
  expect(scans.filter((scan) => scan.includes("Backward using entity_log_met on"))).toHaveLength(1);
  expect(scans.filter((scan) => scan.includes("using entity_log_foreknown on"))).toHaveLength(1);
  const past = plan.split("\n").filter((line) => /Scan.* on entity_log_past /.test(line));
  expect(past.map((line) => /entity_log_past_\w+_pk on/.test(line))).toEqual([true]);
  const rest = scans.filter((scan) => !/entity_log_(met|foreknown)/.test(scan));
  expect(
    rest.filter((scan) => !scan.includes("using events_tenant_source_event_id_pk on")),
  ).toEqual([]);
  expect(rest.length).toBeGreaterThan(0);
}
