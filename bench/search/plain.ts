import { toSql } from "pgvector";
import type { SqlClient, SqlStatement } from "../../src/platform/neon/sql-client.ts";
import type { SearchMode } from "../../src/retrieval/search.ts";
import { vacuum } from "../support/vacuum.ts";
import type { Text } from "./data-sets.ts";

/** Postgres' own full text search, pgvector, and reciprocal rank fusion, as tutorials have them. */
export interface PlainSearch {
  statements(
    words: PlainWords,
    query: string,
    vector: readonly number[] | undefined,
    mode: SearchMode,
    k: number,
  ): readonly SqlStatement[];
}

/**
 * Which documents match, and how they are ranked. `and` is what `plainto_tsquery` makes: all words
 * have to be there. `or` is as good as it gets: any word, ranked with the length in mind.
 */
export type PlainWords = "and" | "or";

const DEPTH = 100;
const AT_ONCE = 500;

/** Puts the documents into a table with a generated tsvector (GIN) and, if given, vectors (HNSW). */
export async function openPlain(
  sql: SqlClient,
  name: string,
  configuration: "english" | "simple",
  documents: readonly Text[],
  vectors: readonly (readonly number[])[] | null,
): Promise<PlainSearch> {
  const plain = `plain_${name}`;
  const type = `halfvec(${vectors?.[0]?.length ?? 1})`;
  await sql.query(
    `CREATE TABLE ${plain} (
       document_id text COLLATE "C" PRIMARY KEY, title text, body text, embedding ${type},
       words tsvector
         GENERATED ALWAYS AS (to_tsvector('${configuration}', title || ' ' || body)) STORED)`,
    [],
  );
  for (let i = 0; i < documents.length; i += AT_ONCE) {
    const some = documents.slice(i, i + AT_ONCE);
    await sql.query(
      `INSERT INTO ${plain} (document_id, title, body, embedding)
       SELECT i, t, b, e::${type} FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
         AS d(i, t, b, e)`,
      [
        some.map(({ id }) => id),
        some.map(({ title = "" }) => title),
        some.map(({ text }) => text),
        some.map((_, j) => (vectors === null ? null : vectorText(vectors[i + j]))),
      ],
    );
  }
  await sql.query(`CREATE INDEX ON ${plain} USING gin (words)`, []);
  await sql.query(`CREATE INDEX ON ${plain} USING hnsw (embedding halfvec_cosine_ops)`, []);
  await vacuum(sql, [plain]);
  return {
    statements(words, query, vector, mode, k) {
      const asked = `plainto_tsquery('${configuration}', $1)`;
      const any = `replace(${asked}::text, ' & ', ' | ')::tsquery`;
      const rank =
        words === "and" ? "ts_rank_cd(p.words, q.asked)" : "ts_rank(p.words, q.asked, 1)";
      const keyword = `keyword AS (
  SELECT document_id, score, row_number() OVER (ORDER BY score DESC, document_id) AS rank
    FROM (SELECT p.document_id, ${rank} AS score
            FROM ${plain} p, (SELECT ${words === "and" ? asked : any} AS asked) AS q
           WHERE p.words @@ q.asked ORDER BY score DESC, document_id LIMIT ${DEPTH}) AS best)`;
      const vectors_ = `vector AS (
  SELECT document_id, 1 - distance AS score,
         row_number() OVER (ORDER BY distance, document_id) AS rank
    FROM (SELECT document_id, embedding <=> $1::${type} AS distance FROM ${plain}
           ORDER BY embedding <=> $1::${type} LIMIT ${DEPTH}) AS nearest)`;
      const best = {
        keyword: `WITH ${keyword} SELECT b.*, p.title, p.body
          FROM (SELECT document_id, score FROM keyword ORDER BY rank LIMIT $2::int) AS b`,
        vector: `WITH ${vectors_} SELECT b.*, p.title, p.body
          FROM (SELECT document_id, score FROM vector ORDER BY rank LIMIT $2::int) AS b`,
        hybrid: `WITH ${keyword}, ${vectors_.replaceAll("$1", "$3")} SELECT b.*, p.title, p.body
          FROM (SELECT document_id, coalesce(1.0 / (60 + k.rank), 0)
                                    + coalesce(1.0 / (60 + v.rank), 0) AS score
                  FROM keyword k FULL JOIN vector v USING (document_id)
                 ORDER BY score DESC, document_id LIMIT $2::int) AS b`,
      }[mode];
      const text = `${best} JOIN ${plain} p USING (document_id)
        ORDER BY b.score DESC, b.document_id`;
      const given = vectorText(vector);
      const params = {
        keyword: [query, k],
        vector: [given, k],
        hybrid: [query, k, given],
      }[mode];
      // By default HNSW finds 40 and no more.
      const settings = `SELECT set_config('hnsw.ef_search', '${DEPTH}', true)`;
      const first = mode === "keyword" ? [] : [{ text: settings, params: [] }];
      return [...first, { text, params }];
    },
  };
}

const vectorText = (vector: readonly number[] | undefined): string | null =>
  vector === undefined ? null : toSql([...vector]);
