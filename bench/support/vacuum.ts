import type { SqlClient } from "../../src/platform/neon/sql-client.ts";

/** Does at once what autovacuum does within minutes, and what the embedded Postgres never does. */
export async function vacuum(sql: SqlClient, tables: readonly string[]): Promise<void> {
  await sql.query(`VACUUM (ANALYZE) ${tables.join(", ")}`, []);
}
