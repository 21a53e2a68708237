import { createStateArchive } from "../../src/platform/neon/state-archive.ts";
import { UsageError } from "../args.ts";
import type { Database } from "./database.ts";

const SHOWN = 10;

/** Pure. `there are acme, globex and 3 more` */
function thereAre(tenants: readonly string[]): string {
  const shown = tenants.slice(0, SHOWN).join(", ");
  const more = tenants.length - SHOWN;
  if (tenants.length < 2) return tenants.length === 0 ? "there is none yet" : `there is ${shown}`;
  return `there are ${shown}${more > 0 ? ` and ${more} more` : ""}`;
}

/**
 * The tenant that was named, or all that the database has. Throws a UsageError for one that it does
 * not have, which names those that it has.
 */
export async function chooseTenants(
  given: string | null,
  database: Database,
): Promise<readonly string[]> {
  const tenants = await createStateArchive(database).listTenants();
  if (given === null) return tenants;
  if (tenants.includes(given)) return [given];
  throw new UsageError(`There is no tenant "${given}" in ${database.where}: ${thereAre(tenants)}.`);
}

/** The tenant that was named, or the database's only one; throws a UsageError where it has none. */
export async function chooseTenant(given: string | null, database: Database): Promise<string> {
  const tenants = await chooseTenants(given, database);
  const [only] = tenants;
  if (tenants.length === 1 && only !== undefined) return only;
  throw new UsageError(`Say whose features they are with --tenant: ${thereAre(tenants)}.`);
}
