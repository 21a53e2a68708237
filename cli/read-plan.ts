import type { Definition, Deployment } from "../src/deployment.ts";
import { createDefinitionHistory } from "../src/platform/neon/definition-history.ts";
import { createDefinitionStore } from "../src/platform/neon/definition-store.ts";
import { createIndexRegistry } from "../src/platform/neon/index-registry.ts";
import { createLogSizes } from "../src/platform/neon/log-sizes.ts";
import type { SqlClient } from "../src/platform/neon/sql-client.ts";
import { spaceIdentity } from "../src/platform/vector-spaces.ts";
import type { Plan } from "../src/planning/plan.ts";
import { planDeployment } from "../src/planning/plan-deployment.ts";
import { checkPlan, type TeamChecks } from "../src/planning/team-checks.ts";
import { indexIdOf } from "../src/retrieval/collection-plan.ts";
import { readOnlyClient } from "./support/guarded-client.ts";

export interface ReadPlanOptions {
  readonly deployment: Deployment;
  /** What the deployment was compiled from. */
  readonly definitions: readonly Definition[];
  readonly checks: TeamChecks;
  readonly client: SqlClient;
  /** Whether the Worker runs on this machine, where no embedding model is within reach. */
  readonly local: boolean;
}

/** What applying the definitions to a database would do, checked by the team; changes nothing. */
export async function readPlan(options: ReadPlanOptions): Promise<Plan> {
  const { deployment, definitions, checks, local } = options;
  const client = readOnlyClient(options.client);
  const plan = await planDeployment(
    {
      definitions: createDefinitionStore(client),
      history: createDefinitionHistory(client),
      indexes: createIndexRegistry(client),
      sizes: createLogSizes(client),
      indexIdOf: (collection) =>
        indexIdOf(collection, { identity: spaceIdentity(collection.embedder, local) }),
    },
    deployment,
    definitions,
  );
  return checkPlan(plan, checks);
}
