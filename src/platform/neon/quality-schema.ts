import { index, json, pgTable, primaryKey } from "drizzle-orm/pg-core";
import { text, whole } from "./schema-columns.ts";

/** Profiles of views, of each tenant and view version at most one an hour: `hour` is its beginning. */
export const featureProfiles = pgTable(
  "feature_profiles",
  {
    tenant: text().notNull(),
    state_id: text().notNull(),
    hour: whole().notNull(),
    taken_at: whole().notNull(),
    profile: json().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenant, t.state_id, t.hour] }),
    index("feature_profiles_hour").on(t.hour),
  ],
);
