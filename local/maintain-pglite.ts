import type { Pool } from "pg";

/** Smaller tables are left alone: statistics of a queue that is nearly empty mislead the planner. */
const MIN_ROWS = 1_000;
const MIN_BYTES = 16 * 1024 * 1024;

interface Table {
  /** Quoted where it has to be. */
  readonly name: string;
  readonly bytes: number;
}

const TABLES = `SELECT oid::regclass::text AS name, pg_total_relation_size(oid)::float8 AS bytes
  FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`;

/**
 * Does what the embedded Postgres has no background process for: without it, dead rows and WAL
 * only grow. Table by table, so that others' statements come between.
 */
export async function maintainPglite(pool: Pool): Promise<void> {
  for (const { name, bytes } of (await pool.query<Table>(TABLES)).rows) {
    const counted = await pool.query<{ rows: number }>(
      `SELECT count(*)::int AS rows FROM (SELECT FROM ${name} LIMIT ${MIN_ROWS})`,
    );
    const rows = counted.rows[0]?.rows ?? 0;
    if (rows === MIN_ROWS || (rows > 0 && bytes > MIN_BYTES)) {
      await pool.query(`VACUUM (ANALYZE) ${name}`);
    } else if (rows === 0) {
      // There is one session: nobody can write between the look and the truncation.
      await pool.query(
        `DO $$ BEGIN IF NOT EXISTS (SELECT FROM ${name}) THEN TRUNCATE ${name}; END IF; END $$`,
      );
    }
  }
  await pool.query("CHECKPOINT");
}
