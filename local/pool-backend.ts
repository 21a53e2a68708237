import type { Pool, PoolClient, QueryArrayConfig, QueryArrayResult } from "pg";
import type { BatchOptions, SqlBackend, SqlQuery, SqlResult } from "./sql-backend.ts";

/** Commands that leave nothing behind in the session that ran them. */
const LEAVES_NO_TRACE = new Set(["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "SHOW", ""]);

const asText = (value: string): string => value;
const rawText = { getTypeParser: () => asText };

async function run(client: PoolClient, query: SqlQuery): Promise<SqlResult> {
  const config: QueryArrayConfig & { queryMode: "extended" } = {
    text: query.text,
    values: [...query.params],
    rowMode: "array",
    queryMode: "extended",
    types: rawText,
  };
  const result: QueryArrayResult<(string | null)[]> = await client.query(config);
  return {
    command: result.command ?? "",
    rowCount: result.rowCount,
    fields: result.fields,
    rows: result.rows,
  };
}

function begin(options: BatchOptions): string {
  const modes = [
    options.isolationLevel && `ISOLATION LEVEL ${options.isolationLevel}`,
    options.readOnly !== undefined && (options.readOnly ? "READ ONLY" : "READ WRITE"),
    options.deferrable !== undefined && (options.deferrable ? "DEFERRABLE" : "NOT DEFERRABLE"),
  ];
  return `BEGIN ${modes.filter(Boolean).join(", ")}`;
}

/** Lends a client and gives it back; one whose connection broke is thrown away. */
async function withClient<T>(pool: Pool, use: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const noteBreak = (error: Error): void => void (broken = error);
  client.on("error", noteBreak);
  try {
    return await use(client);
  } finally {
    client.off("error", noteBreak);
    client.release(broken);
  }
}

/**
 * The two ways of running SQL that the façade needs, over a pool of connections. As on Neon's
 * HTTP endpoint, a session setting made by one request is gone in the next.
 */
export function poolBackend(
  pool: Pool,
): Pick<SqlBackend, "query" | "batch" | "withClient" | "close"> {
  return {
    query: (query) =>
      withClient(pool, async (client) => {
        const result = await run(client, query);
        if (!LEAVES_NO_TRACE.has(result.command)) await client.query("DISCARD ALL");
        return result;
      }),

    batch: (queries, options) =>
      withClient(pool, async (client) => {
        await client.query(begin(options));
        try {
          const results: SqlResult[] = [];
          for (const query of queries) results.push(await run(client, query));
          await client.query("COMMIT");
          return results;
        } catch (error) {
          await client.query("ROLLBACK").catch(() => undefined);
          throw error;
        }
      }),

    withClient: (use) => withClient(pool, use),
    close: () => pool.end(),
  };
}
