import type {
  DocumentHead,
  DocumentIndex,
  DocumentRef,
  IndexHit,
} from "../../retrieval/document-index.ts";
import type { FieldValue } from "../../retrieval/filter.ts";
import { searchSettings, searchStatement } from "./search-statement.ts";
import type { SqlClient, SqlRow } from "./sql-client.ts";
import { writeDocumentsParams } from "./write-documents-params.ts";
import { LOCK_COLLECTION, writeDocumentsStatement } from "./write-documents-statement.ts";

/** One snapshot, so that the chunks are those of the version: $1 tenant, $2 collection, $3 index. */
const READ_HEADS = `
SELECT d.document_id, d.version, d.index_id, d.content_hash, c.hashes
  FROM unnest($4::text[]) AS i(document_id)
 CROSS JOIN LATERAL (
   SELECT * FROM documents d
    WHERE d.tenant = $1 AND d.collection = $2 AND d.document_id = i.document_id OFFSET 0) AS d
 CROSS JOIN LATERAL (
   SELECT coalesce(json_agg(c.hash ORDER BY c.position), '[]')::text AS hashes
     FROM search_chunks c
    WHERE c.tenant = $1 AND c.index_id = $3 AND c.document_id = i.document_id OFFSET 0) AS c`;

const READ = `
SELECT document_id, version, body::text AS body, chunks, expires_at, updated_at FROM documents
 WHERE tenant = $1 AND collection = $2 AND document_id = $3
   AND (expires_at IS NULL OR expires_at > $4::bigint)`;

/**
 * $1 collection, $2 index, $3 limit. Documents are listed by index and version: the first of each
 * other index are enough, and where there is no other index nothing is read.
 */
const FIND_STALE = `
WITH RECURSIVE other AS (
  SELECT min(index_id) AS index_id FROM documents WHERE collection = $1
  UNION ALL
  SELECT (SELECT min(d.index_id) FROM documents d
           WHERE d.collection = $1 AND d.index_id > o.index_id)
    FROM other o WHERE o.index_id IS NOT NULL
)
SELECT d.tenant, d.collection, d.document_id, d.version, d.body::text AS body
  FROM other o CROSS JOIN LATERAL (
    SELECT * FROM documents d WHERE d.collection = $1 AND d.index_id = o.index_id
     ORDER BY d.version LIMIT $3::int) AS d
 WHERE o.index_id <> $2 ORDER BY d.version LIMIT $3::int`;

const FIND_EXPIRED = `
SELECT tenant, collection, document_id, version FROM documents
 WHERE collection = $1 AND expires_at <= $2::bigint ORDER BY expires_at LIMIT $3::int`;

/** Documents and their index in Postgres: tables of chunks and postings, and pgvector. */
export function createDocumentIndex(client: SqlClient): DocumentIndex {
  return {
    async readHeads({ tenant, collection, indexId }, ids) {
      const rows = await client.query(READ_HEADS, [tenant, collection, indexId, ids]);
      return new Map(rows.map((row) => [String(row["document_id"]), headFrom(row)]));
    },

    async commit(index, writes, now) {
      const { tenant, collection, dimensions } = index;
      const text = writeDocumentsStatement(dimensions);
      const params = writeDocumentsParams(index, writes, now);
      const [, rows = []] = await client.batch([
        { text: LOCK_COLLECTION, params: [tenant, collection] },
        { text, params },
      ]);
      const versions = new Map(rows.map((row) => [row["write"], Number(row["version"])]));
      return writes.map((_, index_) => versions.get(index_ + 1) ?? null);
    },

    async read({ tenant, collection }, id, now) {
      const [row] = await client.query(READ, [tenant, collection, id, now]);
      if (row === undefined) return null;
      return {
        id: String(row["document_id"]),
        version: Number(row["version"]),
        body: String(row["body"]),
        chunks: Number(row["chunks"]),
        expiresAt: row["expires_at"] === null ? null : Number(row["expires_at"]),
        updatedAt: Number(row["updated_at"]),
      };
    },

    async search(index, query) {
      const settings = searchSettings(index, query);
      const nothing = query.keyword === null && query.vector === null;
      const [[state] = [], rows = []] = await client.batch(
        nothing ? [settings] : [settings, searchStatement(index, query)],
      );
      return { complete: state?.["complete"] === true, hits: rows.map(hitFrom) };
    },

    async findStale(collection, indexId, limit) {
      const rows = await client.query(FIND_STALE, [collection, indexId, limit]);
      return rows.map((row) => ({ ...refFrom(row), body: String(row["body"]) }));
    },

    async findExpired(collection, now, limit) {
      return (await client.query(FIND_EXPIRED, [collection, now, limit])).map(refFrom);
    },
  };
}

const headFrom = (row: SqlRow): DocumentHead => ({
  version: Number(row["version"]),
  indexId: String(row["index_id"]),
  contentHash: String(row["content_hash"]),
  chunks: JSON.parse(String(row["hashes"])) as readonly string[],
});

const refFrom = (row: SqlRow): DocumentRef => ({
  tenant: String(row["tenant"]),
  collection: String(row["collection"]),
  id: String(row["document_id"]),
  version: Number(row["version"]),
});

const hitFrom = (row: SqlRow): IndexHit => ({
  id: String(row["document_id"]),
  chunk: Number(row["position"]),
  score: Number(row["score"]),
  bm25: numberOrNull(row["bm25"]),
  vector: numberOrNull(row["similarity"]),
  text: String(row["text"]),
  title: typeof row["title"] === "string" ? row["title"] : null,
  fields: JSON.parse(String(row["fields"])) as Readonly<Record<string, FieldValue>>,
});

const numberOrNull = (value: SqlRow[string] | undefined): number | null =>
  typeof value === "number" || typeof value === "string" ? Number(value) : null;
