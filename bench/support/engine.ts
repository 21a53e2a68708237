import { definitions } from "../../definitions/index.ts";
import type { DefinitionStore } from "../../src/features/definition-store.ts";
import type { EventLog } from "../../src/features/event-log.ts";
import type { OnlineStore } from "../../src/features/online-store.ts";
import type { Registry } from "../../src/features/registry.ts";
import { compileDeployment } from "../../src/deployment.ts";
import type { StateArchive } from "../../src/features/state-filling.ts";
import { createVault } from "../../src/governance/vault.ts";
import type { ConsumeContext } from "../../src/ingest/consume.ts";
import type { IngestMessage } from "../../src/ingest/envelope.ts";
import { createDefinitionStore } from "../../src/platform/neon/definition-store.ts";
import { createEventLog } from "../../src/platform/neon/event-log.ts";
import { createHistoryLog } from "../../src/platform/neon/history-log.ts";
import { createQuarantineStore } from "../../src/platform/neon/quarantine-store.ts";
import { createServedAnswers } from "../../src/platform/neon/served-answers.ts";
import { createSqlClient, type SqlClient } from "../../src/platform/neon/sql-client.ts";
import { createStateArchive } from "../../src/platform/neon/state-archive.ts";
import { createOnlineStore } from "../../src/platform/upstash/online-store.ts";
import type { Stores } from "./stores.ts";

export const ENCRYPTION_SECRET = "an encryption secret for benchmarks alone";
export const registry: Registry = compileDeployment(definitions).registry;

/** The verbs' surroundings in Node, with the adapters of production before the stores. */
export interface Engine extends ConsumeContext {
  readonly sql: SqlClient;
  readonly log: EventLog;
  readonly online: OnlineStore;
  readonly archive: StateArchive;
  readonly definitions: DefinitionStore;
  /** What consumers queued for later, oldest first; whoever runs them takes it out. */
  readonly queued: IngestMessage[];
  /** How often Postgres rolled back a deadlock or a lost race, which was then sent again. */
  resent(): number;
}

const TIMEOUT_MS = 60_000;

/** Connects the engine to stores, and registers the definitions: the example's, or those given. */
export async function openEngine(stores: Stores, deployed = registry): Promise<Engine> {
  let [asked, sent] = [0, 0];
  const client = createSqlClient({
    connectionString: stores.connectionString,
    fetchEndpoint: stores.sqlUrl,
    timeoutMs: TIMEOUT_MS,
    onRoundTrip: () => void (sent += 1),
  });
  const sql: SqlClient = {
    query(...statement) {
      asked += 1;
      return client.query(...statement);
    },
    batch(statements) {
      asked += 1;
      return client.batch(statements);
    },
  };
  const definitionStore = createDefinitionStore(sql);
  await definitionStore.registerViews([...deployed.views.values()], Date.now());
  const queued: IngestMessage[] = [];
  return {
    registry: deployed,
    sql,
    log: createEventLog(sql),
    history: createHistoryLog(sql),
    online: createOnlineStore({
      url: stores.redisUrl,
      token: stores.redisToken,
      readTimeoutMs: TIMEOUT_MS,
      writeTimeoutMs: TIMEOUT_MS,
    }),
    archive: createStateArchive(sql),
    definitions: definitionStore,
    quarantine: createQuarantineStore(sql),
    servedAnswers: createServedAnswers(sql),
    queue: { send: async (messages) => void queued.push(...messages) },
    queued,
    resent: () => sent - asked,
    vault: createVault(ENCRYPTION_SECRET),
    now: () => Date.now(),
    random: () => Math.random(),
    sleep: (ms) => new Promise((resolve) => void setTimeout(resolve, ms)),
    note: (message, { error: cause }) => {
      throw new Error(`the write path says "${message}"`, { cause });
    },
  };
}

/** Opens the tenant's online store for reading, as a filling that ends would. */
export async function openTenant({ archive, online }: Engine, tenant: string): Promise<void> {
  const meta = await archive.nextMeta(tenant);
  await online.writeMeta(tenant, "begin", meta);
  await online.writeMeta(tenant, "end", meta);
}
