import type { SqlClient } from "./sql-client.ts";

const COUNT = `
SELECT count(*) AS count FROM (
  SELECT FROM entity_heads WHERE tenant = ANY ($1::text[]) AND version > 0 LIMIT $2::int
) AS seen`;

/** How many entities these tenants have; null where there are `most` or more, and counting is long. */
export async function countEntities(
  client: SqlClient,
  tenants: readonly string[],
  most = 5_000_000,
): Promise<number | null> {
  const [row] = await client.query(COUNT, [tenants, most]);
  const count = Number(row?.["count"] ?? 0);
  return count < most ? count : null;
}
