import { sql } from "drizzle-orm";
import { index, json, pgTable, primaryKey, smallint, text as plainText } from "drizzle-orm/pg-core";
import { LOWEST, SAMPLE_ORDER } from "./sample-order.ts";
import { bytes, text, whole } from "./schema-columns.ts";

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

/**
 * Rows of tables: `order_key` is the place of the latest change, `previous` that of the one before
 * it, which a move is compared with; `event_id` is the present image, null where it is deleted.
 */
export const sourceRows = pgTable(
  "source_rows",
  {
    tenant: text().notNull(),
    source: text().notNull(),
    row_key: text().notNull(),
    order_key: text().notNull(),
    previous: text(),
    event_id: text(),
  },
  (t) => [primaryKey({ columns: [t.tenant, t.source, t.row_key] })],
);

/**
 * Contributions that wait to be folded: one row per event and entity. `known_at` is the contribution's
 * own, where it was added later than its event.
 */
export const pending = pgTable(
  "pending",
  {
    ...entityColumns,
    source: text().notNull(),
    event_id: text().notNull(),
    since: whole().notNull(),
    known_at: whole(),
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

/**
 * Packed states; `version` is the entity's version at which the state last changed. One in sixteen is
 * in the index of samples (profile-store.ts): those whose keys have the lowest hashes.
 */
export const entityStates = pgTable(
  "entity_states",
  {
    ...entityColumns,
    state_id: text().notNull(),
    version: whole().notNull(),
    bytes: bytes().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenant, t.entity, t.entity_key, t.state_id] }),
    index("entity_states_sample")
      .on(t.tenant, t.state_id, sql.raw(SAMPLE_ORDER))
      .where(sql.raw(LOWEST)),
  ],
);

/**
 * Which event became which version of an entity, and when that was known; where sources meet in a
 * join, the event's time as well.
 */
export const entityLog = pgTable(
  "entity_log",
  {
    ...entityColumns,
    version: whole().notNull(),
    known_at: whole().notNull(),
    source: text().notNull(),
    event_id: text().notNull(),
    event_time: whole(),
  },
  (t) => [
    primaryKey({ columns: [t.tenant, t.entity, t.entity_key, t.version] }),
    index("entity_log_met")
      .on(t.tenant, t.entity, t.entity_key, t.source, t.event_time, t.version)
      .where(sql`${t.event_time} IS NOT NULL`),
    index("entity_log_foreknown")
      .on(t.tenant, t.entity, t.entity_key, t.source, t.event_time, t.version)
      .where(sql`${t.event_time} > ${t.known_at}`),
  ],
);

/**
 * Where sources meet: the versions that are past events, given to the entity later than they came, so
 * that their `known_at` was said; as a column of the log this would cost each of its rows 8 bytes.
 */
export const entityLogPast = pgTable(
  "entity_log_past",
  { ...entityColumns, version: whole().notNull() },
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

/**
 * Events that were stored without being given by a feed, since the consumer did not know it: a row for
 * each feed, or as it was written once, for all at once. A key would be too long for some events' ids.
 */
export const missedEvents = pgTable(
  "missed_events",
  {
    tenant: text().notNull(),
    source: text().notNull(),
    event_id: text().notNull(),
    feeds: plainText().array().notNull(),
  },
  (t) => [index("missed_events_event").on(t.tenant, t.source, t.event_id)],
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
 * Sampled online answers, a row for each view and entity. `answer` is `json`, which keeps the text
 * as is: features, values, statuses, and which of the features were capped.
 */
export const servedAnswers = pgTable(
  "served_answers",
  {
    tenant: text().notNull(),
    id: text().notNull(),
    service: text(),
    view: text().notNull(),
    entity: text().notNull(),
    entity_key: text().notNull(),
    version: text().notNull(),
    as_of: whole().notNull(),
    served_at: whole().notNull(),
    answer: json().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenant, t.id] }),
    index("served_answers_served_at").on(t.served_at),
  ],
);
