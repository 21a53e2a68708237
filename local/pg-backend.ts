import { Pool } from "pg";
import { poolBackend } from "./pool-backend.ts";
import { readServerVersions, serverComplaint } from "./server-versions.ts";
import type { SqlBackend } from "./sql-backend.ts";
import { StartupError } from "./startup-error.ts";

/** Pure. The URL without its password, for messages. */
export function withoutPassword(url: string): string {
  return url.replace(/(\/\/[^:@/]*):[^@/]*@/, "$1:…@");
}

/**
 * Opens a real Postgres server over TCP.
 *
 * @throws StartupError with a sentence that helps when it cannot be reached, is too old or lacks
 * pgvector.
 */
export async function openPg(url: string): Promise<SqlBackend> {
  if (!/^postgres(ql)?:$/.test(URL.parse(url)?.protocol ?? "")) {
    throw new StartupError("DATABASE_URL must look like postgresql://user:password@host/database.");
  }
  const pool = new Pool({ connectionString: url, max: 20, connectionTimeoutMillis: 5_000 });
  pool.on("error", () => undefined);
  const backend = poolBackend(pool);
  try {
    const versions = await backend.withClient(readServerVersions);
    const complaint = serverComplaint(versions);
    if (complaint !== null) throw new StartupError(complaint);
    return {
      ...backend,
      kind: "server",
      version: versions.version,
      pgvector: versions.pgvector ?? "",
      maintain: async () => undefined,
    };
  } catch (cause) {
    await pool.end();
    if (cause instanceof StartupError) throw cause;
    const why =
      cause instanceof Error ? cause.message || String((cause as { code?: string }).code) : "";
    throw new StartupError(
      `Cannot use the Postgres at ${withoutPassword(url)}: ${why}. Start it, correct ` +
        "DATABASE_URL, or unset DATABASE_URL to run on the embedded one.",
      { cause },
    );
  }
}
