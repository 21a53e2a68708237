import type { SqlClient } from "../../src/platform/neon/sql-client.ts";
import { processCpuUs } from "../support/process-cpu.ts";
import type { Stores } from "../support/stores.ts";

/** What has been used up so far; times in microseconds of CPU. */
export interface Reading {
  /** By this process, in which the consumers are. */
  readonly consumersUs: number;
  /** By the façades, with the embedded stores where those are in use. */
  readonly facadesUs: number;
  /** By the server's sessions, by process id; null where they cannot be seen from here. */
  readonly sessionsUs: ReadonlyMap<string, number> | null;
  readonly walBytes: number;
  readonly requests: { readonly postgres: number; readonly redis: number };
}

export interface Used extends Omit<Reading, "sessionsUs"> {
  readonly postgresUs: number | null;
}

async function readSessions(sql: SqlClient): Promise<Reading["sessionsUs"]> {
  const rows = await sql.query(
    "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database()",
    [],
  );
  const sessions = new Map<string, number>();
  for (const row of rows) {
    const pid = String(row["pid"]);
    const us = processCpuUs(pid, "postgres");
    if (us === null) return null;
    sessions.set(pid, us);
  }
  return sessions;
}

export async function readMeters(sql: SqlClient, stores: Stores): Promise<Reading> {
  const [row] = await sql.query(
    "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::text AS wal",
    [],
  );
  const sessionsUs = await readSessions(sql);
  const { requests, cpuUs } = await stores.readMeters();
  const { user, system } = process.cpuUsage();
  const walBytes = Number(row?.["wal"]);
  return { consumersUs: user + system, facadesUs: cpuUs, sessionsUs, walBytes, requests };
}

/** Requests that reading the meters makes itself. */
const OWN_REQUESTS = 2;

/** Pure. What was used between two readings. */
export function usedBetween(before: Reading, after: Reading): Used {
  let postgresUs: number | null = after.sessionsUs === null ? null : 0;
  for (const [pid, us] of after.sessionsUs ?? []) {
    postgresUs = (postgresUs ?? 0) + us - (before.sessionsUs?.get(pid) ?? 0);
  }
  return {
    consumersUs: after.consumersUs - before.consumersUs,
    facadesUs: after.facadesUs - before.facadesUs,
    postgresUs,
    walBytes: after.walBytes - before.walBytes,
    requests: {
      postgres: after.requests.postgres - before.requests.postgres - OWN_REQUESTS,
      redis: after.requests.redis - before.requests.redis,
    },
  };
}
