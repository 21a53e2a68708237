import type { QuarantineItem, QuarantineStore } from "../../ingest/quarantine-store.ts";
import type { SqlClient, SqlRow } from "./sql-client.ts";

/** One that was replayed and is refused again waits once more. */
const ADD = `
INSERT INTO quarantine (tenant, id, source, reason, detail, payload, event_id, received_at)
SELECT DISTINCT ON (tenant COLLATE "C", id COLLATE "C") *
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
              $7::text[], $8::bigint[])
         AS q(tenant, id, source, reason, detail, payload, event_id, received_at)
 ORDER BY tenant COLLATE "C", id COLLATE "C"
ON CONFLICT (tenant, id) DO UPDATE SET replayed_at = NULL
 WHERE quarantine.replayed_at IS NOT NULL`;

const COLUMNS = "id, tenant, source, reason, detail, payload, event_id, received_at, replayed_at";

const LIST = `
SELECT ${COLUMNS} FROM quarantine
 WHERE tenant = $1 AND ($2::text IS NULL OR id < $2) AND ($3::text IS NULL OR source = $3)
 ORDER BY id DESC LIMIT $4::int`;

const TAKE = `
SELECT ${COLUMNS} FROM quarantine
 WHERE tenant = $1 AND id = ANY ($2::text[]) AND replayed_at IS NULL ORDER BY id`;

const MARK_REPLAYED = `
UPDATE quarantine SET replayed_at = $3::bigint
 WHERE tenant = $1 AND id = ANY ($2::text[]) AND replayed_at IS NULL`;

/** The quarantine in Postgres. */
export function createQuarantineStore(client: SqlClient): QuarantineStore {
  return {
    async add(entries) {
      await client.query(ADD, [
        entries.map(({ tenant }) => tenant),
        entries.map(({ id }) => id),
        entries.map(({ source }) => source),
        entries.map(({ reason }) => reason),
        entries.map(({ detail }) => detail),
        entries.map(({ payload }) => payload),
        entries.map(({ eventId }) => eventId),
        entries.map(({ receivedAt }) => receivedAt),
      ]);
    },

    async list(tenant, { limit, cursor, source }) {
      const rows = await client.query(LIST, [tenant, cursor, source, limit + 1]);
      const items = rows.slice(0, limit).map(itemFrom);
      return { items, cursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
    },

    async take(tenant, ids) {
      return (await client.query(TAKE, [tenant, ids])).map(itemFrom);
    },

    async markReplayed(tenant, ids, now) {
      await client.query(MARK_REPLAYED, [tenant, ids, now]);
    },
  };
}

function itemFrom(row: SqlRow): QuarantineItem {
  return {
    id: String(row["id"]),
    tenant: String(row["tenant"]),
    source: String(row["source"]),
    reason: String(row["reason"]),
    detail: String(row["detail"]),
    payload: String(row["payload"]),
    eventId: typeof row["event_id"] === "string" ? row["event_id"] : null,
    receivedAt: Number(row["received_at"]),
    replayedAt: typeof row["replayed_at"] === "string" ? Number(row["replayed_at"]) : null,
  };
}
