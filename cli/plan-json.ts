import type { Size } from "../src/planning/log-sizes.ts";
import type { BuildCost, Plan, PlannedChange } from "../src/planning/plan.ts";

const printBuild = ({ backfill, entities, events, exact, seconds }: BuildCost) => ({
  backfilled_events: backfill,
  entities,
  events,
  exact,
  seconds: Math.ceil(seconds),
});

const printSize = (size: Size | null) => size && { count: size.count, exact: size.exact };

const printChange = (change: PlannedChange) => ({
  kind: change.kind,
  name: change.name,
  action: change.action,
  from_version: change.from,
  to_version: change.to,
  changes: change.changes,
  read_by: change.readers.map(({ kind, name, takes }) => ({ kind, name, features: takes })),
  build: change.build && printBuild(change.build),
  state_bytes: change.stateBytes,
  documents: printSize(change.documents),
});

/** Pure. The plan for machines. */
export const planJson = (plan: Plan) => ({
  changes: plan.changes.map(printChange),
  beside: plan.beside,
  unchanged: plan.unchanged,
  incompatible: plan.incompatible.map(({ source, change, views, events }) => ({
    source,
    change,
    views,
    events: printSize(events),
  })),
  same_features: plan.sameFeatures,
  warnings: plan.warnings,
  problems: plan.problems,
  seconds: Math.ceil(plan.seconds),
});
