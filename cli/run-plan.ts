import { compileDeployment, type Definition, type Deployment } from "../src/deployment.ts";
import { DefinitionError } from "../src/features/fields.ts";
import type { TeamChecks } from "../src/planning/team-checks.ts";
import type { Terminal } from "./args.ts";
import { planJson } from "./plan-json.ts";
import { planText } from "./plan-text.ts";
import { readPlan } from "./read-plan.ts";
import type { Database } from "./support/database.ts";

export interface RunPlanOptions {
  readonly definitions: readonly Definition[];
  readonly checks: TeamChecks;
  readonly json: boolean;
  /** Whether something to do is a failure. */
  readonly check: boolean;
  readonly terminal: Terminal;
  readonly connect: () => Promise<Database>;
}

/**
 * Prints the plan of the definitions; answers the exit code: 1 where they cannot be applied, or are
 * not applied and `check` asks for that.
 */
export async function runPlan(options: RunPlanOptions): Promise<number> {
  const { definitions, checks, json, check, terminal, connect } = options;
  let deployment: Deployment;
  try {
    deployment = compileDeployment(definitions);
  } catch (error) {
    if (!(error instanceof DefinitionError)) throw error;
    terminal.tell(`Cannot be applied: ${error.message}`);
    return 1;
  }
  const client = await connect();
  const plan = await readPlan({ deployment, definitions, checks, client, local: client.local });
  if (json) terminal.print(JSON.stringify(planJson(plan), null, 2));
  else
    for (const line of [`Plan for ${client.where}:`, "", ...planText(plan)]) terminal.print(line);
  if (plan.problems.length > 0) return 1;
  return check && plan.changes.length > 0 ? 1 : 0;
}
