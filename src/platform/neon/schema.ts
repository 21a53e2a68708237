import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  customType,
  index,
  integer,
  json,
  jsonb,
  pgSequence,
  pgTable,
  primaryKey,
  smallint,
  unique,
} from "drizzle-orm/pg-core";

/** Text compared byte by byte: the same order on every server, in every index and lock. */
const text = customType<{ data: string }>({ dataType: () => 'text COLLATE "C"' });
const bytes = customType<{ data: Uint8Array }>({ dataType: () => "bytea" });
/** Epoch milliseconds, and other numbers below 2^53. */
const whole = () => bigint({ mode: "number" });

const entityColumns = {
  tenant: text().notNull(),
  entity: text().notNull(),
  entity_key: text().notNull(),
};

/** Accepted events; the first commit of an id wins. `body` is `json`, which keeps the text as is. */
export const events = pgTable(
  "events",
  {
    tenant: text().notNull(),
    source: text().notNull(),
    event_id: text().notNull(),
    event_time: whole().notNull(),
    original_event_time: whole(),
    ingest_time: whole().notNull(),
    known_at: whole(),
    sign: smallint().notNull(),
    order_key: text().notNull(),
    body_hash: bytes().notNull(),
    body: json().notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenant, t.source, t.event_id] })],
);

/** Contributions that wait to be folded: one row per event and entity. */
export const pending = pgTable(
  "pending",
  {
    ...entityColumns,
    source: text().notNull(),
    event_id: text().notNull(),
    since: whole().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenant, t.entity, t.entity_key, t.source, t.event_id] }),
    index("pending_since").on(t.since),
  ],
);

/**
 * Each entity's version; `previous` is what the last commit compared it with. `builds` counts the
 * states that were built for it beside its commits.
 */
export const entityHeads = pgTable(
  "entity_heads",
  {
    ...entityColumns,
    previous: whole().notNull(),
    version: whole().notNull(),
    builds: whole().notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenant, t.entity, t.entity_key] })],
);

/** Packed states; `version` is the entity's version at which the state last changed. */
export const entityStates = pgTable(
  "entity_states",
  {
    ...entityColumns,
    state_id: text().notNull(),
    version: whole().notNull(),
    bytes: bytes().notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenant, t.entity, t.entity_key, t.state_id] })],
);

/** Which event became which version of an entity, and when that was known. */
export const entityLog = pgTable(
  "entity_log",
  {
    ...entityColumns,
    version: whole().notNull(),
    known_at: whole().notNull(),
    source: text().notNull(),
    event_id: text().notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenant, t.entity, t.entity_key, t.version] })],
);

/**
 * Entities whose newest version may not be online. `since` is when the oldest such change was
 * committed, `changed_at` the newest.
 */
export const outbox = pgTable(
  "outbox",
  {
    ...entityColumns,
    version: whole().notNull(),
    since: whole().notNull(),
    changed_at: whole().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenant, t.entity, t.entity_key] }),
    index("outbox_since").on(t.since),
  ],
);

/** Tombstones: what was ingested up to `erased_at` for such an entity is refused. */
export const erasures = pgTable(
  "erasures",
  { ...entityColumns, erased_at: whole().notNull() },
  (t) => [primaryKey({ columns: [t.tenant, t.entity, t.entity_key] })],
);

/** Events that could not be taken; `payload` is encrypted. Ids sort by time. */
export const quarantine = pgTable(
  "quarantine",
  {
    tenant: text().notNull(),
    id: text().notNull(),
    source: text().notNull(),
    reason: text().notNull(),
    detail: text().notNull(),
    payload: text().notNull(),
    event_id: text(),
    received_at: whole().notNull(),
    replayed_at: whole(),
  },
  (t) => [primaryKey({ columns: [t.tenant, t.id] })],
);

/** `revision` numbers the metas that were made for the tenant. */
export const tenants = pgTable("tenants", {
  tenant: text().primaryKey(),
  generation: text().notNull(),
  revision: whole().notNull(),
  created_at: whole().notNull(),
});

export const revokedKeys = pgTable(
  "revoked_keys",
  { tenant: text().notNull(), key_id: text().notNull(), revoked_at: whole().notNull() },
  (t) => [primaryKey({ columns: [t.tenant, t.key_id] })],
);

/**
 * Registered view versions, immutable but for `complete` (every entity's state is built) and
 * `retired_at` (since when no deployment folds into its states).
 */
export const featureViews = pgTable(
  "feature_views",
  {
    name: text().notNull(),
    version: integer().notNull(),
    spec_hash: text().notNull(),
    state_id: text().notNull(),
    spec: json().notNull(),
    entity: text().notNull(),
    complete: boolean().notNull(),
    registered_at: whole().notNull(),
    retired_at: whole(),
  },
  (t) => [
    primaryKey({ columns: [t.name, t.version] }),
    unique("feature_views_state_id").on(t.state_id),
  ],
);

/**
 * Registered definitions of every kind but views, immutable but for `retired_at` (since when no
 * deployment has this version).
 */
export const definitions = pgTable(
  "definitions",
  {
    kind: text().notNull(),
    name: text().notNull(),
    version: integer().notNull(),
    spec_hash: text().notNull(),
    spec: json().notNull(),
    registered_at: whole().notNull(),
    retired_at: whole(),
  },
  (t) => [
    primaryKey({ columns: [t.kind, t.name, t.version] }),
    unique("definitions_spec").on(t.kind, t.name, t.spec_hash),
  ],
);

/** What one holder at a time may do, and who does it. Times are the database's clock. */
export const leases = pgTable("leases", {
  name: text().primaryKey(),
  token: text().notNull(),
  holder: text().notNull(),
  taken_at: whole().notNull(),
  renewed_at: whole().notNull(),
  expires_at: whole().notNull(),
});

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
