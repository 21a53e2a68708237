import { sql } from "drizzle-orm";
import {
  boolean,
  customType,
  index,
  integer,
  json,
  jsonb,
  pgSequence,
  pgTable,
  primaryKey,
} from "drizzle-orm/pg-core";
import { text, whole } from "./schema-columns.ts";

const count = () => integer().notNull();
const halfvec = customType<{ data: string }>({ dataType: () => "halfvec" });
const texts = customType<{ data: readonly string[] }>({ dataType: () => "text[]" });

/** Numbers documents' versions: a number is never used again, also after a delete. */
export const documentVersions = pgSequence("document_versions");

/** Documents as they were put; `index_id` is the index that this version was written into. */
export const documents = pgTable(
  "documents",
  {
    tenant: text().notNull(),
    collection: text().notNull(),
    document_id: text().notNull(),
    version: whole().notNull(),
    index_id: text().notNull(),
    chunks: count(),
    body: json().notNull(),
    content_hash: text().notNull(),
    expires_at: whole(),
    updated_at: whole().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenant, t.collection, t.document_id] }),
    index("documents_index").on(t.collection, t.index_id, t.version),
    index("documents_expiry")
      .on(t.collection, t.expires_at)
      .where(sql`expires_at IS NOT NULL`),
  ],
);

/** Indexes of collections; `retired_at` is since when no deployment wants it. */
export const searchIndexes = pgTable("search_indexes", {
  index_id: text().primaryKey(),
  collection: text().notNull(),
  dimensions: integer().notNull(),
  spec: json().notNull(),
  complete: boolean().notNull(),
  registered_at: whole().notNull(),
  retired_at: whole(),
});

/**
 * One tenant's part of one index, and its exact statistics: chunks with terms, their tokens, and
 * chunks with a vector.
 */
export const searchSpaces = pgTable(
  "search_spaces",
  {
    tenant: text().notNull(),
    index_id: text().notNull(),
    collection: text().notNull(),
    space: whole().notNull().generatedAlwaysAsIdentity(),
    next_ord: count(),
    texts: count(),
    vectors: count(),
    tokens: whole().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenant, t.index_id] }),
    index("search_spaces_index").on(t.index_id),
  ],
);

/** In how many chunks of a space a term is. */
export const searchTerms = pgTable(
  "search_terms",
  { space: whole().notNull(), df: count(), term: text().notNull() },
  (t) => [primaryKey({ columns: [t.space, t.term] })],
);

/** How often a term is in a chunk, beside the chunk's quantised length. */
export const searchPostings = pgTable(
  "search_postings",
  { space: whole().notNull(), ord: count(), tf: count(), length: count(), term: text().notNull() },
  (t) => [primaryKey({ columns: [t.space, t.term, t.ord] })],
);

/** Chunks by their number in the space. `terms` are its distinct ones, `length` counts its tokens. */
export const searchChunks = pgTable(
  "search_chunks",
  {
    tenant: text().notNull(),
    index_id: text().notNull(),
    ord: count(),
    position: count(),
    length: count(),
    expires_at: whole(),
    document_id: text().notNull(),
    hash: text().notNull(),
    fields: jsonb().notNull(),
    embedding: halfvec(),
    text: text().notNull(),
    terms: texts().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenant, t.index_id, t.ord] }),
    index("search_chunks_document").on(t.tenant, t.index_id, t.document_id),
  ],
);
