import type { SqlClient, SqlStatement } from "../../src/platform/neon/sql-client.ts";

/** How the vectors were searched: all that match one by one, or through the HNSW index. */
export type Branch = "exact" | "HNSW";

interface PlanNode {
  readonly "Index Name"?: string;
  readonly "Actual Loops"?: number;
  readonly Plans?: readonly PlanNode[];
}

/** Which way the last of the statements went, as EXPLAIN ANALYZE has it. */
export async function branchOf(
  sql: SqlClient,
  statements: readonly SqlStatement[],
): Promise<Branch> {
  const explained = statements.map(({ text, params }, i) => ({
    text: i === statements.length - 1 ? `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${text}` : text,
    params,
  }));
  const [row] = (await sql.batch(explained)).at(-1) ?? [];
  // The driver parses JSON, whatever the type of its rows says.
  const said = row?.["QUERY PLAN"] as unknown as readonly { readonly Plan: PlanNode }[] | undefined;
  return said?.some(({ Plan }) => scansVectors(Plan)) === true ? "HNSW" : "exact";
}

const scansVectors = (node: PlanNode): boolean =>
  ((node["Index Name"] ?? "").startsWith("vectors_") && (node["Actual Loops"] ?? 0) > 0) ||
  (node.Plans ?? []).some(scansVectors);
