import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { Client } from "pg";
import { openPg } from "../../local/pg-backend.ts";
import { openPglite } from "../../local/pglite-backend.ts";
import type { Fault } from "../../local/facade-server.ts";
import type { SqlBackend } from "../../local/sql-backend.ts";
import { startSqlFacade } from "../../local/sql-facade.ts";
import type { DefinitionStore } from "../../src/features/definition-store.ts";
import type { EntityRef, EventLog } from "../../src/features/event-log.ts";
import type { HistoryLog } from "../../src/features/history/history-log.ts";
import type { ServedAnswers } from "../../src/features/served-answers.ts";
import type { StateReader } from "../../src/features/online-store.ts";
import type { ProfileStore } from "../../src/features/quality/profile-store.ts";
import type { StateArchive } from "../../src/features/state-filling.ts";
import type { KeyStore } from "../../src/governance/key-store.ts";
import type { DefinitionHistory } from "../../src/planning/definition-history.ts";
import type { LeaseStore } from "../../src/planning/lease-store.ts";
import type { LogSizes } from "../../src/planning/log-sizes.ts";
import type { QuarantineStore } from "../../src/ingest/quarantine-store.ts";
import { createDefinitionHistory } from "../../src/platform/neon/definition-history.ts";
import { createDefinitionStore } from "../../src/platform/neon/definition-store.ts";
import { createDocumentIndex } from "../../src/platform/neon/document-index.ts";
import { createEventLog } from "../../src/platform/neon/event-log.ts";
import { createIndexRegistry } from "../../src/platform/neon/index-registry.ts";
import { createHistoryLog } from "../../src/platform/neon/history-log.ts";
import { createKeyStore } from "../../src/platform/neon/key-store.ts";
import { createLeaseStore } from "../../src/platform/neon/lease-store.ts";
import { createLogSizes } from "../../src/platform/neon/log-sizes.ts";
import { createProfileStore } from "../../src/platform/neon/profile-store.ts";
import { createQuarantineStore } from "../../src/platform/neon/quarantine-store.ts";
import { createServedAnswers } from "../../src/platform/neon/served-answers.ts";
import {
  createSqlClient,
  type SqlClient,
  type SqlParam,
  type SqlRow,
} from "../../src/platform/neon/sql-client.ts";
import { createStateArchive } from "../../src/platform/neon/state-archive.ts";
import { createStoredStates } from "../../src/platform/neon/stored-states.ts";
import type { DocumentIndex } from "../../src/retrieval/document-index.ts";
import type { IndexRegistry } from "../../src/retrieval/index-registry.ts";
import { createMemoryDefinitionHistory } from "./fakes/memory-definition-history.ts";
import { createMemoryDefinitionStore } from "./fakes/memory-definition-store.ts";
import { createMemoryDocuments } from "./fakes/memory-document-index.ts";
import { createMemoryEventLog } from "./fakes/memory-event-log.ts";
import { createMemoryHistoryLog } from "./fakes/memory-history-log.ts";
import { createMemoryKeyStore } from "./fakes/memory-key-store.ts";
import { createMemoryLeaseStore } from "./fakes/memory-lease-store.ts";
import { createMemoryLogSizes } from "./fakes/memory-log-sizes.ts";
import { createMemoryProfileStore } from "./fakes/memory-profile-store.ts";
import { createMemoryQuarantineStore } from "./fakes/memory-quarantine-store.ts";
import { createMemoryServedAnswers } from "./fakes/memory-served-answers.ts";
import {
  createMemoryStateArchive,
  createMemoryStoredStates,
} from "./fakes/memory-state-archive.ts";
import { createMemoryTruth, entityRecord } from "./fakes/memory-truth.ts";

export interface TruthPorts {
  readonly eventLog: EventLog;
  readonly historyLog: HistoryLog;
  readonly stateArchive: StateArchive;
  readonly storedStates: StateReader;
  readonly definitionStore: DefinitionStore;
  readonly quarantine: QuarantineStore;
  readonly servedAnswers: ServedAnswers;
  readonly keyStore: KeyStore;
  readonly documentIndex: DocumentIndex;
  readonly indexRegistry: IndexRegistry;
  readonly definitionHistory: DefinitionHistory;
  readonly leaseStore: LeaseStore;
  readonly logSizes: LogSizes;
  readonly profileStore: ProfileStore;
}

/** The truth behind its ports, and what a test does to it or asks of it past them. */
export interface Truth extends TruthPorts {
  putTombstone(entity: EntityRef, erasedAt: number): Promise<void>;
  readLog(entity: EntityRef): Promise<readonly LogLine[]>;
  /** Requests that have reached the database; null where there is none. */
  requests(): number | null;
  close(): Promise<void>;
}

/** `version:event id@known at` */
export type LogLine = `${number}:${string}@${number}`;

/** A truth in a database, with its network. */
export interface SqlTruth extends Truth {
  readonly connectionString: string;
  readonly sqlUrl: string;
  query(text: string, params?: readonly SqlParam[]): Promise<readonly SqlRow[]>;
  batch: SqlClient["batch"];
  requests(): number;
  /** What happens to the next requests, in their order. */
  readonly faults: Fault[];
}

export function openMemoryTruth(): Truth {
  const truth = createMemoryTruth();
  const { countDocuments, ...documents } = createMemoryDocuments();
  return {
    eventLog: createMemoryEventLog(truth),
    historyLog: createMemoryHistoryLog(truth),
    stateArchive: createMemoryStateArchive(truth),
    storedStates: createMemoryStoredStates(truth),
    definitionStore: createMemoryDefinitionStore(truth),
    quarantine: createMemoryQuarantineStore(truth),
    servedAnswers: createMemoryServedAnswers(truth),
    keyStore: createMemoryKeyStore(truth),
    ...documents,
    definitionHistory: createMemoryDefinitionHistory(truth),
    leaseStore: createMemoryLeaseStore(truth, () => Date.now()),
    logSizes: createMemoryLogSizes(truth, countDocuments),
    profileStore: createMemoryProfileStore(truth),
    async putTombstone(entity, erasedAt) {
      entityRecord(truth, entity).erasedAt = erasedAt;
    },
    readLog: async (entity) =>
      entityRecord(truth, entity).log.map(
        ({ eventId, knownAt }, index): LogLine => `${index + 1}:${eventId}@${knownAt}`,
      ),
    requests: () => null,
    close: async () => undefined,
  };
}

/** The embedded Postgres, fresh and in memory. */
export async function openPgliteTruth(): Promise<SqlTruth> {
  return openSqlTruth(await openPglite({ memory: true }));
}

/** A database of its own on the server that DATABASE_URL_TEST names; dropped when closed. */
export async function openPostgresTruth(url: string): Promise<SqlTruth> {
  const name = `freshet_test_${randomUUID().replaceAll("-", "")}`;
  await administer(url, `CREATE DATABASE ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  const truth = await openSqlTruth(await openPg(own.href));
  return {
    ...truth,
    async close() {
      await truth.close();
      await administer(url, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

type Opener<T> = readonly (readonly [string, () => Promise<T>])[];

/** The databases that this machine has: a server is one when DATABASE_URL_TEST names it. */
export function sqlTruths(): Opener<SqlTruth> {
  const server = process.env["DATABASE_URL_TEST"] ?? "";
  return [
    ["in the embedded Postgres", openPgliteTruth],
    ...(server === "" ? [] : [["on a Postgres server", () => openPostgresTruth(server)] as const]),
  ];
}

export function truths(): Opener<Truth> {
  return [["in memory", async () => openMemoryTruth()], ...sqlTruths()];
}

async function openSqlTruth(backend: SqlBackend): Promise<SqlTruth> {
  const migrationsFolder = fileURLToPath(new URL("../../migrations", import.meta.url).href);
  await backend.withClient((client) => migrate(drizzle(client), { migrationsFolder }));
  const faults: Fault[] = [];
  const facade = await startSqlFacade({ backend, fault: () => faults.shift() ?? null });
  const { connectionString, sqlUrl } = facade;
  const client = createSqlClient({ connectionString, fetchEndpoint: sqlUrl, timeoutMs: 15_000 });
  return {
    connectionString,
    sqlUrl,
    faults,
    requests: () => facade.requests(),
    query: (text, params = []) => client.query(text, params),
    batch: (statements) => client.batch(statements),
    eventLog: createEventLog(client),
    historyLog: createHistoryLog(client),
    stateArchive: createStateArchive(client),
    storedStates: createStoredStates(client),
    definitionStore: createDefinitionStore(client),
    quarantine: createQuarantineStore(client),
    servedAnswers: createServedAnswers(client),
    keyStore: createKeyStore(client),
    documentIndex: createDocumentIndex(client),
    indexRegistry: createIndexRegistry(client),
    definitionHistory: createDefinitionHistory(client),
    leaseStore: createLeaseStore(client),
    logSizes: createLogSizes(client),
    profileStore: createProfileStore(client),
    async putTombstone({ tenant, entity, key }, erasedAt) {
      await client.query(
        `INSERT INTO erasures (tenant, entity, entity_key, erased_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant, entity, entity_key) DO UPDATE SET erased_at = excluded.erased_at`,
        [tenant, entity, key, erasedAt],
      );
    },
    async readLog({ tenant, entity, key }) {
      const rows = await client.query(
        `SELECT version || ':' || event_id || '@' || known_at AS line FROM entity_log
          WHERE tenant = $1 AND entity = $2 AND entity_key = $3 ORDER BY version`,
        [tenant, entity, key],
      );
      return rows.map((row) => String(row["line"]) as LogLine);
    },
    async close() {
      await facade.close();
      await backend.close();
    },
  };
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(statement);
  await client.end();
}
