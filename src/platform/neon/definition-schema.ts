import { boolean, integer, json, pgTable, primaryKey, unique } from "drizzle-orm/pg-core";
import { text, whole } from "./schema-columns.ts";

/**
 * The ways in which the applied deployment gives events of a source to entities, by their names
 * (feeds.ts); `complete` once past events were given.
 */
export const feeds = pgTable("feeds", {
  name: text().primaryKey(),
  source: text().notNull(),
  complete: boolean().notNull(),
});

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
    withdrawn: boolean().notNull().default(false),
    join_plan: json(),
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
