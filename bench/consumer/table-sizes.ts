import type { SqlClient } from "../../src/platform/neon/sql-client.ts";

const TABLES = ["events", "entity_log", "entity_states", "entity_heads", "pending", "outbox"];

/** Bytes per event of each table with its indexes and TOAST, as they are: dead rows included. */
export async function tableSizes(
  sql: SqlClient,
  events: number,
): Promise<Readonly<Record<string, number>>> {
  const rows = await sql.query(
    "SELECT name, pg_total_relation_size(name::regclass)::text AS bytes FROM unnest($1::text[]) AS name",
    [TABLES],
  );
  return Object.fromEntries(
    rows.map((row) => [String(row["name"]), Number(row["bytes"]) / events]),
  );
}
