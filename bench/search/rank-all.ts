import type { SearchMode } from "../../src/retrieval/search.ts";
import type { Text } from "./data-sets.ts";
import type { SearchBench } from "./open-search.ts";
import type { PlainSearch, PlainWords } from "./plain.ts";
import { bodyOf, type Question } from "./statements.ts";

/** A hit as the API answers it. */
export interface Hit {
  readonly id: string;
  readonly score: number;
}

/** Query → hits, best first. */
export type Ranking = ReadonlyMap<string, readonly Hit[]>;

const DEPTH = 100;

/** The best hundred documents for every query, over HTTP. */
export async function rankAll(
  bench: SearchBench,
  collection: string,
  queries: readonly (Text & Pick<Question, "vector">)[],
  mode: SearchMode,
): Promise<Ranking> {
  const ranking = new Map<string, readonly Hit[]>();
  for (const { id, text, vector } of queries) {
    const question = { query: text, ...(vector !== undefined && { vector }) };
    const answer = await bench.post(
      `/v1/collections/${collection}/search`,
      bodyOf(question, mode, DEPTH),
    );
    if (answer.status !== 200)
      throw new Error(`a search answered ${answer.status}: ${answer.text}`);
    ranking.set(id, (JSON.parse(answer.text) as { hits: readonly Hit[] }).hits);
  }
  return ranking;
}

/** The same of Postgres' own means. */
export async function rankPlainly(
  { sql }: SearchBench,
  plain: PlainSearch,
  queries: readonly (Text & Pick<Question, "vector">)[],
  mode: SearchMode,
  words: PlainWords,
): Promise<Ranking> {
  const ranking = new Map<string, readonly Hit[]>();
  for (const { id, text, vector } of queries) {
    const rows = (await sql.batch(plain.statements(words, text, vector, mode, DEPTH))).at(-1) ?? [];
    ranking.set(
      id,
      rows.map((row) => ({ id: String(row["document_id"]), score: Number(row["score"]) })),
    );
  }
  return ranking;
}

/** Pure. Ids alone. */
export const idsOf = (ranking: Ranking): ReadonlyMap<string, readonly string[]> =>
  new Map([...ranking].map(([query, hits]) => [query, hits.map(({ id }) => id)]));
