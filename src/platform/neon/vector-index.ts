import { toSql } from "pgvector";

/** As `indexIdOf` makes it. It is written into DDL, which takes no parameters. */
const INDEX_ID = /^([a-z][a-z0-9_]{0,62})@([0-9a-f]{16})$/;
const MAX_DIMENSIONS = 4_000;

export interface VectorIndex {
  /** Of the Postgres index; at most 63 characters. */
  readonly name: string;
  /** Makes it, where there is none. */
  readonly create: string;
  /** Removes it and its registration, if it is still retired and empty. */
  readonly removeRetired: string;
}

/**
 * Pure. The HNSW index over the vectors of one search index. Made while there is nothing to index
 * it takes as long as reading the table once, and writers wait for that. Throws for an id or a
 * dimension that no plan has.
 */
export function vectorIndex(indexId: string, dimensions: number): VectorIndex {
  const [, collection = "", hash = ""] = INDEX_ID.exec(indexId) ?? [];
  if (hash === "") throw new Error("An index has a strange id.");
  const name = `vectors_${collection.slice(0, 38)}_${hash}`;
  return {
    name,
    create: `CREATE INDEX IF NOT EXISTS ${name} ON search_chunks
      USING hnsw ((embedding::${halfvec(dimensions)}) halfvec_cosine_ops)
      WHERE index_id = '${indexId}'`,
    removeRetired: `DO $$ BEGIN
      PERFORM FROM search_indexes
        WHERE index_id = '${indexId}' AND retired_at IS NOT NULL FOR UPDATE;
      IF FOUND AND NOT EXISTS (SELECT FROM search_spaces WHERE index_id = '${indexId}') THEN
        DROP INDEX IF EXISTS ${name};
        DELETE FROM search_indexes WHERE index_id = '${indexId}';
      END IF;
    END $$`,
  };
}

/** Pure. The type of a vector; the index is used where a query says exactly this. */
export function halfvec(dimensions: number): string {
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > MAX_DIMENSIONS) {
    throw new Error("An index has strange dimensions.");
  }
  return `halfvec(${dimensions})`;
}

/**
 * Pure. A vector as a parameter. Five digits are more than a half-precision number keeps, and half
 * the bytes of all that a double has.
 */
export const vectorParam = (vector: readonly number[]): string =>
  String(toSql(vector.map((component) => Number(component.toPrecision(5)))));
