import { setTimeout as sleep } from "node:timers/promises";
import { applyIndexes } from "../cli/apply-indexes.ts";
import { applyRegistry } from "../cli/apply-registry.ts";
import { createLiveKeyStore } from "../cli/support/tenants.ts";
import { definitions } from "../definitions/index.ts";
import { compileDeployment } from "../src/deployment.ts";
import { createVault } from "../src/governance/vault.ts";
import { createIndexRegistry } from "../src/platform/neon/index-registry.ts";
import { createKeyStore } from "../src/platform/neon/key-store.ts";
import { createSqlClient } from "../src/platform/neon/sql-client.ts";
import { createStateArchive } from "../src/platform/neon/state-archive.ts";
import { createOnlineStore } from "../src/platform/upstash/online-store.ts";
import type { Stack } from "./stack.ts";

const TIMEOUT_MS = 60_000;
const FILL_MS = 120_000;
const LOOK_MS = 50;

/**
 * Makes a started stack ready for use: applies the definitions, registers the tenant and fills the
 * online store.
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
  const { registry, collections } = compileDeployment(definitions);
  await applyRegistry({ registry, client, online, vault, print });
  // What a changed collection needs done is the cron's, which need not wait for its minute.
  const cron = (): Promise<unknown> => stack.scheduled("* * * * *", Date.now());
  const indexes = createIndexRegistry(client);
  await applyIndexes({
    collections,
    indexes,
    local: true,
    print,
    pause: async () => void (await cron()),
  });
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
