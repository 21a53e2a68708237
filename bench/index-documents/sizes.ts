import type { SqlClient } from "../../src/platform/neon/sql-client.ts";

/** Bytes per chunk of a table, with what it keeps outside its rows, or of an index. */
export interface Size {
  readonly name: string;
  readonly bytes: number;
}

/** What holds the chunks of a collection, largest first; `names` is a pattern of their tables. */
export async function sizesPerChunk(
  sql: SqlClient,
  names: string,
  chunks: number,
): Promise<readonly Size[]> {
  const rows = await sql.query(
    `SELECT c.relname AS name, pg_table_size(c.oid)::float8 AS bytes
       FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
       JOIN pg_class t ON t.oid = coalesce(i.indrelid, c.oid)
      WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace AND t.relname ~ $1
      ORDER BY bytes DESC`,
    [names],
  );
  return rows.map((row) => ({ name: String(row["name"]), bytes: Number(row["bytes"]) / chunks }));
}
