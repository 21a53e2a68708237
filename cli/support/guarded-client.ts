import type { SqlClient } from "../../src/platform/neon/sql-client.ts";

/** The same database, which is asked only after `before`: where that throws, nothing happens. */
export function guardedClient(client: SqlClient, before: () => Promise<void>): SqlClient {
  return {
    async query(text, params) {
      await before();
      return client.query(text, params);
    },
    async batch(statements) {
      await before();
      return client.batch(statements);
    },
  };
}

/** The same database, which refuses every change. */
export function readOnlyClient(client: SqlClient): SqlClient {
  const readOnly = { text: "SET TRANSACTION READ ONLY", params: [] };
  const batch: SqlClient["batch"] = async (statements) =>
    (await client.batch([readOnly, ...statements])).slice(1);
  return {
    batch,
    query: async (text, params) => (await batch([{ text, params }]))[0] ?? [],
  };
}
