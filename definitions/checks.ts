import type { Plan } from "../src/planning/plan.ts";
import type { TeamChecks } from "../src/planning/team-checks.ts";

// What this team wants to hold before anything is applied, beside what the engine checks. A check
// looks at the plan and says what is wrong with it; one sentence is enough to refuse it.

/** Views are computed from all events that ever came: a source has to go on describing those. */
function sourcesStayReadable({ incompatible }: Plan): readonly string[] {
  return incompatible.map(
    ({ source, change, events }) =>
      `source ${source}, ${change.path.join(".")}: ${events.count} events in the log are not so; ` +
      `give a field of another name, or another source, to what is different`,
  );
}

export const checks: TeamChecks = {
  preApply: [{ name: "sources stay readable", run: sourcesStayReadable }],
};
