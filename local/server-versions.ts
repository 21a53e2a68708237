import type { ClientBase } from "pg";

/** What a Postgres says of itself. */
export interface ServerVersions {
  /** Such as `18.6`. */
  readonly version: string;
  /** Such as 180006. */
  readonly versionNumber: number;
  /** The pgvector that is installed in the database, or else that could be; null without it. */
  readonly pgvector: string | null;
}

/** Asks the server for its version and for pgvector's. */
export async function readServerVersions(client: ClientBase): Promise<ServerVersions> {
  const { rows } = await client.query<ServerVersions>(`
    SELECT split_part(current_setting('server_version'), ' ', 1) AS version,
           current_setting('server_version_num')::int AS "versionNumber",
           (SELECT coalesce(installed_version, default_version)
              FROM pg_available_extensions WHERE name = 'vector') AS pgvector`);
  const [versions] = rows;
  if (versions === undefined) throw new Error("Postgres did not state its version.");
  return versions;
}

const OLDEST_POSTGRES = 18;
const OLDEST_PGVECTOR = "0.8.4";

const isOlder = (version: string, than: string): boolean =>
  version.localeCompare(than, "en", { numeric: true }) < 0;

/** Pure. The sentence that says why this server will not do, or null when it will. */
export function serverComplaint(versions: ServerVersions): string | null {
  if (versions.versionNumber < OLDEST_POSTGRES * 10_000) {
    return `DATABASE_URL names Postgres ${versions.version}; Freshet needs ${OLDEST_POSTGRES} or newer.`;
  }
  if (versions.pgvector === null) {
    return (
      "The Postgres that DATABASE_URL names has no pgvector. Install it on the server " +
      "(Debian and Ubuntu: the package postgresql-18-pgvector), or unset DATABASE_URL."
    );
  }
  if (isOlder(versions.pgvector, OLDEST_PGVECTOR)) {
    return (
      `DATABASE_URL names a Postgres with pgvector ${versions.pgvector}; Freshet needs ` +
      `${OLDEST_PGVECTOR} or newer. If the server has it, run ALTER EXTENSION vector UPDATE.`
    );
  }
  return null;
}
