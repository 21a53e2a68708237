import type { SqlClient } from "../../src/platform/neon/sql-client.ts";
import { createStateArchive } from "../../src/platform/neon/state-archive.ts";
import { UsageError } from "../args.ts";

/** The tenant that was named, or the database's only one; throws a UsageError that names them all. */
export async function chooseTenant(given: string | null, client: SqlClient): Promise<string> {
  if (given !== null) return given;
  const tenants = await createStateArchive(client).listTenants();
  const [only] = tenants;
  if (tenants.length === 1 && only !== undefined) return only;
  const known = tenants.length === 0 ? "none yet" : tenants.join(", ");
  throw new UsageError(`Say whose features they are with --tenant: there are ${known}.`);
}
