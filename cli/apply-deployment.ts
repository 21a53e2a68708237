import { compileDeployment, type Definition } from "../src/deployment.ts";
import type { OnlineStore } from "../src/features/online-store.ts";
import type { Vault } from "../src/governance/vault.ts";
import { createDefinitionHistory } from "../src/platform/neon/definition-history.ts";
import { createIndexRegistry } from "../src/platform/neon/index-registry.ts";
import type { SqlClient } from "../src/platform/neon/sql-client.ts";
import { describeDeployment } from "../src/planning/describe-deployment.ts";
import type { Plan } from "../src/planning/plan.ts";
import type { TeamChecks } from "../src/planning/team-checks.ts";
import { applyIndexes } from "./apply-indexes.ts";
import { applyRegistry } from "./apply-registry.ts";
import { readPlan } from "./read-plan.ts";
import { holdCommandLease } from "./support/command-lease.ts";
import { guardedClient } from "./support/guarded-client.ts";
import type { HeldLease } from "./support/hold-lease.ts";
import { createProgress } from "./support/progress.ts";

export interface ApplyDeploymentOptions {
  readonly definitions: readonly Definition[];
  readonly checks: TeamChecks;
  readonly client: SqlClient;
  readonly online: OnlineStore;
  readonly vault: Vault;
  /** Whether the Worker runs on this machine, where no embedding model is within reach. */
  readonly local: boolean;
  /** Whether it is to be deployed yet: views that are in use stay so, and nothing else is done. */
  readonly beside?: boolean;
  /** The plan in lines, as far as it is to be shown. */
  readonly planLines: (plan: Plan) => readonly string[];
  readonly print: (line: string) => void;
  /** Shows a line in place of the one shown before; null where the output is no terminal. */
  readonly draw: ((line: string) => void) | null;
  /** Done between two looks at indexes that the Worker builds; by default waits. */
  readonly pause?: () => Promise<void>;
  /** Given what gives the lease back, for whoever ends the process early. */
  readonly onLease?: (lease: HeldLease) => void;
}

/** `refused`: nothing was changed. `unfinished`: the Worker does not get on with the indexes. */
export type ApplyOutcome = "applied" | "refused" | "unfinished";

const LEASE = "apply";

/**
 * Applies a deployment to a database and its online store, nobody else doing so meanwhile: plans,
 * prints the plan, stops where that has problems, registers the definitions, builds their views,
 * and waits for their indexes. Throws AppError `conflict` where somebody else is at it.
 */
export async function applyDeployment(options: ApplyDeploymentOptions): Promise<ApplyOutcome> {
  const { definitions, print, draw } = options;
  const deployment = compileDeployment(definitions);
  const clock = (): number => performance.now();
  const lease = await holdCommandLease(options.client, LEASE, print);
  options.onLease?.(lease);
  try {
    const client = guardedClient(options.client, () => lease.hold());
    const plan = await readPlan({ ...options, deployment, client });
    for (const line of options.planLines(plan)) print(line);
    if (plan.problems.length > 0) return "refused";

    const { registry, collections } = deployment;
    const progress = createProgress({ draw, print, clock });
    const applying = { ...options, registry, client, planned: plan.changes, progress };
    if (options.beside === true) {
      await applyRegistry(applying);
      return "applied";
    }
    const records = describeDeployment(deployment, definitions);
    await createDefinitionHistory(client).register(records, Date.now());
    await applyRegistry(applying);
    const indexes = createIndexRegistry(client);
    const built = await applyIndexes({ ...options, collections, indexes });
    return built ? "applied" : "unfinished";
  } finally {
    // One that cannot be given back ends by itself.
    await lease.release().catch(() => undefined);
  }
}
