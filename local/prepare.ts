import { setTimeout as sleep } from "node:timers/promises";
import { applyDeployment } from "../cli/apply-deployment.ts";
import { planText } from "../cli/plan-text.ts";
import { createLiveKeyStore } from "../cli/support/tenants.ts";
import { checks } from "../definitions/checks.ts";
import { definitions } from "../definitions/index.ts";
import { createVault } from "../src/governance/vault.ts";
import { createKeyStore } from "../src/platform/neon/key-store.ts";
import { createSqlClient } from "../src/platform/neon/sql-client.ts";
import { createStateArchive } from "../src/platform/neon/state-archive.ts";
import { createOnlineStore } from "../src/platform/upstash/online-store.ts";
import type { Plan } from "../src/planning/plan.ts";
import type { Stack } from "./stack.ts";
import { StartupError } from "./startup-error.ts";

const TIMEOUT_MS = 60_000;
const FILL_MS = 120_000;
const LOOK_MS = 50;

/** On a new database everything is new, which is no news. */
function planLines(plan: Plan): readonly string[] {
  const news = plan.changes.some(({ action, build, documents }) => {
    const work = (build?.events ?? 0) + (documents?.count ?? 0);
    return action !== "added" || work > 0;
  });
  return news || plan.problems.length > 0 ? planText(plan) : [];
}

/**
 * Makes a started stack ready for use: applies the definitions, registers the tenant and fills the
 * online store. Throws a StartupError where the definitions cannot be applied.
 */
export async function prepare(
  stack: Stack,
  tenant: string,
  print: (line: string) => void,
): Promise<void> {
  const client = createSqlClient({
    connectionString: stack.sql.connectionString,
    fetchEndpoint: stack.sql.sqlUrl,
    timeoutMs: TIMEOUT_MS,
  });
  const online = createOnlineStore({
    url: stack.redis.url,
    token: stack.redis.token,
    readTimeoutMs: TIMEOUT_MS,
    writeTimeoutMs: TIMEOUT_MS,
  });
  const vault = createVault(stack.secrets["ENCRYPTION_SECRET"] ?? "");
  // What a changed collection needs done is the cron's, which need not wait for its minute.
  const cron = (): Promise<unknown> => stack.scheduled("* * * * *", Date.now());
  const outcome = await applyDeployment({
    definitions,
    checks,
    client,
    online,
    vault,
    local: true,
    planLines,
    print,
    draw: null,
    pause: async () => void (await cron()),
  });
  if (outcome === "refused") {
    throw new StartupError("The definitions are not applied: change them as said above.");
  }
  const keys = createLiveKeyStore({
    keys: createKeyStore(client),
    archive: createStateArchive(client),
    online,
  });
  await keys.registerTenant(tenant, Date.now());
  // A Redis that has just been started is empty: the sweep fills it, and need not wait a minute.
  await cron();
  const patience = performance.now() + FILL_MS;
  while ((await online.read(tenant, [])).meta === null) {
    if (performance.now() > patience) return print("Redis is still being filled from Postgres.");
    await sleep(LOOK_MS);
  }
}
