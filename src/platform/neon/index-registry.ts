import type { IndexRegistry, RegisteredIndex } from "../../retrieval/index-registry.ts";
import { PURGE_CHUNKS, TIDY_SPACE } from "./purge-statement.ts";
import type { SqlClient, SqlRow } from "./sql-client.ts";
import { vectorIndex } from "./vector-index.ts";
import { LOCK_COLLECTION } from "./write-documents-statement.ts";

/** Whether a document of an index's collection is outside it; two ranges of one index. */
const isWaiting = (alias: string): string => `
   (EXISTS (SELECT FROM documents d
             WHERE d.collection = ${alias}.collection AND d.index_id < ${alias}.index_id)
    OR EXISTS (SELECT FROM documents d
                WHERE d.collection = ${alias}.collection AND d.index_id > ${alias}.index_id))`;

const RETIRE = `
UPDATE search_indexes SET retired_at = $2::bigint
 WHERE retired_at IS NULL AND index_id <> ALL ($1::text[])`;

/** What an index held when it was retired is still true of the documents; see WRITE_DOCUMENTS. */
const REGISTER = `
INSERT INTO search_indexes AS i (index_id, collection, dimensions, spec, complete, registered_at)
SELECT w.index_id, w.collection, w.dimensions, w.spec::json, NOT ${isWaiting("w")}, $5::bigint
  FROM unnest($1::text[], $2::text[], $3::int[], $4::text[])
    AS w(index_id, collection, dimensions, spec)
 ORDER BY w.index_id COLLATE "C"
ON CONFLICT (index_id) DO UPDATE
   SET retired_at = NULL, complete = excluded.complete, registered_at = excluded.registered_at
 WHERE i.retired_at IS NOT NULL`;

const FIND_VECTOR_INDEXES = `
SELECT name FROM unnest($1::text[]) AS n(name) WHERE to_regclass(name) IS NOT NULL`;

const LIST = `
SELECT i.index_id, i.collection, i.complete,
       (SELECT count(*) FROM documents d
         WHERE d.collection = i.collection AND d.index_id < i.index_id)
       + (SELECT count(*) FROM documents d
           WHERE d.collection = i.collection AND d.index_id > i.index_id) AS waiting
  FROM search_indexes i WHERE i.retired_at IS NULL ORDER BY i.index_id`;

const COMPLETE_IF_BUILT = `
UPDATE search_indexes i SET complete = true
 WHERE i.index_id = $1 AND i.retired_at IS NULL AND NOT ${isWaiting("i")}
RETURNING i.index_id`;

/** Whether nothing is lost without the index: no document is in it, and the collection has another. */
const isReplaced = (alias: string): string => `
   (EXISTS (SELECT FROM search_indexes i WHERE i.collection = ${alias}.collection
               AND i.index_id <> ${alias}.index_id AND i.retired_at IS NULL AND i.complete)
    AND NOT EXISTS (SELECT FROM documents d WHERE d.collection = ${alias}.collection
                       AND d.index_id = ${alias}.index_id))`;

/** Also of indexes that are forgotten, or were never registered, and which somebody wrote into. */
const FIND_SPACES = `
WITH RECURSIVE held AS (
  SELECT min(index_id) AS index_id FROM search_spaces
  UNION ALL
  SELECT (SELECT min(s.index_id) FROM search_spaces s WHERE s.index_id > h.index_id)
    FROM held h WHERE h.index_id IS NOT NULL
)
SELECT s.tenant, s.collection, s.index_id FROM held h CROSS JOIN LATERAL (
  SELECT * FROM search_spaces s WHERE s.index_id = h.index_id LIMIT $1::int) AS s
 WHERE NOT EXISTS (SELECT FROM search_indexes i
                    WHERE i.index_id = h.index_id AND i.retired_at IS NULL)
   AND ${isReplaced("s")} LIMIT $1::int`;

const FIND_EMPTIED = `
SELECT r.index_id, r.dimensions FROM search_indexes r
 WHERE r.retired_at IS NOT NULL AND ${isReplaced("r")}
   AND NOT EXISTS (SELECT FROM search_spaces s WHERE s.index_id = r.index_id)`;

/** Spaces looked up at once. */
const SPACES = 20;

/** The indexes of all collections, in Postgres. */
export function createIndexRegistry(client: SqlClient): IndexRegistry {
  const list = async (): Promise<readonly RegisteredIndex[]> =>
    (await client.query(LIST, [])).map(registeredIndex);

  return {
    list,

    async register(wanted, now) {
      const ids = wanted.map(({ indexId }) => indexId);
      const indexes = wanted.map(({ indexId, dimensions }) => vectorIndex(indexId, dimensions));
      await client.batch([
        { text: RETIRE, params: [ids, now] },
        {
          text: REGISTER,
          params: [
            ids,
            wanted.map(({ collection }) => collection),
            wanted.map(({ dimensions }) => dimensions),
            wanted.map(({ spec }) => spec),
            now,
          ],
        },
      ]);
      const known = await client.query(FIND_VECTOR_INDEXES, [indexes.map(({ name }) => name)]);
      const names = new Set(known.map((row) => row["name"]));
      for (const { name, create } of indexes) {
        if (!names.has(name)) await client.query(create, []);
      }
      return list();
    },

    async completeIfBuilt(indexId) {
      return (await client.query(COMPLETE_IF_BUILT, [indexId])).length > 0;
    },

    async purgeRetired(limit) {
      let removed = 0;
      while (removed < limit) {
        const spaces = await client.query(FIND_SPACES, [SPACES]);
        if (spaces.length === 0) break;
        for (const space of spaces) {
          if (removed < limit) removed += await purgeSpace(client, space, limit - removed);
        }
      }
      for (const row of await client.query(FIND_EMPTIED, [])) {
        const index = vectorIndex(String(row["index_id"]), Number(row["dimensions"]));
        await client.query(index.removeRetired, []);
      }
      return removed;
    },
  };
}

async function purgeSpace(client: SqlClient, space: SqlRow, limit: number): Promise<number> {
  const { tenant = null, collection = null, index_id: indexId = null } = space;
  const [, removed] = await client.batch([
    { text: LOCK_COLLECTION, params: [tenant, collection] },
    { text: PURGE_CHUNKS, params: [tenant, collection, indexId, limit] },
    { text: TIDY_SPACE, params: [tenant, indexId] },
  ]);
  return Number(removed?.[0]?.["removed"]);
}

const registeredIndex = (row: SqlRow): RegisteredIndex => ({
  indexId: String(row["index_id"]),
  collection: String(row["collection"]),
  complete: row["complete"] === true,
  waiting: Number(row["waiting"]),
});
