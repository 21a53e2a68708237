import { createDocumentIndex } from "../../src/platform/neon/document-index.ts";
import type { SqlClient, SqlStatement } from "../../src/platform/neon/sql-client.ts";
import { createVectorSpaces } from "../../src/platform/vector-spaces.ts";
import type { CollectionPlan } from "../../src/retrieval/collection-plan.ts";
import { search, type SearchMode } from "../../src/retrieval/search.ts";

/** What a search is asked, as far as these benchmarks vary it. */
export interface Question {
  readonly query: string;
  readonly vector?: readonly number[];
}

/** The body of the question's POST …/search. */
export const bodyOf = (question: Question, mode: SearchMode, k: number): string =>
  JSON.stringify(
    mode === "keyword" ? { query: question.query, mode, k } : { ...question, mode, k },
  );

const nowhere = (): never => {
  throw new Error("a search asked for something else than its batch");
};

/** The statements that a search sends, in one batch, heard where the adapter sends them. */
export async function statementsOf(
  tenant: string,
  collection: CollectionPlan,
  { query, vector = null }: { readonly query: string; readonly vector?: readonly number[] | null },
  mode: SearchMode,
  k: number,
): Promise<readonly SqlStatement[]> {
  let sent: readonly SqlStatement[] = [];
  const client: SqlClient = {
    query: nowhere,
    batch: async (statements) => {
      sent = statements;
      return [[{ complete: true }], []];
    },
  };
  const vectorSpaceOf = createVectorSpaces({
    local: true,
    ai: undefined,
    access: nowhere,
    timeoutMs: 0,
    onRoundTrip: () => undefined,
    timed: (embedder) => embedder,
  });
  await search(
    {
      documents: createDocumentIndex(client),
      vectorSpaceOf: ({ embedder }) => vectorSpaceOf(embedder),
      now: () => Date.now(),
    },
    {
      tenant,
      collection,
      query,
      vector,
      mode,
      k,
      filter: null,
      bm25: { k1: 0.9, b: 0.4 },
      fusion: { method: "relative_score", alpha: 0.5 },
      highlight: false,
    },
  );
  return sent;
}

/** Milliseconds that Postgres itself says it takes to plan and to execute the last statement. */
export async function insideMs(sql: SqlClient, statements: readonly SqlStatement[]) {
  const settings = statements.slice(0, -1);
  const last = statements.slice(-1).map(({ text, params }) => ({
    text: `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${text}`,
    params,
  }));
  const [row] = (await sql.batch([...settings, ...last])).at(-1) ?? [];
  const said = row?.["QUERY PLAN"];
  // The driver parses JSON, whatever the type of its rows says.
  const [plan] = said as unknown as readonly Plan[];
  return { planning: plan?.["Planning Time"] ?? NaN, execution: plan?.["Execution Time"] ?? NaN };
}

interface Plan {
  readonly "Planning Time": number;
  readonly "Execution Time": number;
}
