import { toSql } from "pgvector";
import type { SqlClient, SqlStatement } from "../../src/platform/neon/sql-client.ts";
import { splitText } from "../../src/retrieval/chunk.ts";
import type { CollectionPlan } from "../../src/retrieval/collection-plan.ts";
import { createHashingEmbedder } from "../../src/retrieval/hashing-embedder.ts";
import type { Drawn } from "./draw.ts";

/** A chunk that is ready to be written. */
export interface PlainChunk {
  readonly id: string;
  readonly position: number;
  readonly text: string;
  readonly vector: string | null;
}

/** The chunks of documents, split and embedded as the collection does it. */
export async function chunksOf(
  { chunk, embedder: { dimensions } }: CollectionPlan,
  documents: readonly Drawn[],
): Promise<readonly PlainChunk[]> {
  const chunks = documents.flatMap(({ id, title, body }) =>
    splitText(body, chunk).map((text, position) => ({ id, position, text: `${title}\n${text}` })),
  );
  const { embedder } = createHashingEmbedder(dimensions);
  const texts = chunks.map(({ text }) => text);
  const vectors = (await embedder?.embed(texts, "document")) ?? [];
  return chunks.map((one, i) => ({ ...one, vector: vectorText(vectors[i] ?? null) }));
}

const vectorText = (vector: readonly number[] | null): string | null =>
  vector === null ? null : toSql([...vector]);

/** Makes a table of chunks as tutorials have it: a generated tsvector (GIN), and HNSW. */
export async function makePlainTable(sql: SqlClient, dimensions: number): Promise<void> {
  await sql.query(
    `CREATE TABLE plain_chunks (
       document_id text COLLATE "C", position int, text text, embedding halfvec(${dimensions}),
       words tsvector GENERATED ALWAYS AS (to_tsvector('english', text)) STORED,
       PRIMARY KEY (document_id, position))`,
    [],
  );
  await sql.query("CREATE INDEX plain_words ON plain_chunks USING gin (words)", []);
  await sql.query(
    "CREATE INDEX plain_vectors ON plain_chunks USING hnsw (embedding halfvec_cosine_ops)",
    [],
  );
}

/** Pure. Puts ready chunks into the table, in one statement. */
export const plainWrite = (chunks: readonly PlainChunk[], dimensions: number): SqlStatement => ({
  text: `INSERT INTO plain_chunks (document_id, position, text, embedding)
    SELECT i, p, t, v::halfvec(${dimensions})
      FROM unnest($1::text[], $2::int[], $3::text[], $4::text[]) AS c(i, p, t, v)
    ON CONFLICT (document_id, position)
      DO UPDATE SET text = excluded.text, embedding = excluded.embedding`,
  params: [
    chunks.map(({ id }) => id),
    chunks.map(({ position }) => position),
    chunks.map(({ text }) => text),
    chunks.map(({ vector }) => vector),
  ],
});
