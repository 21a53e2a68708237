import { AppError } from "../../errors.ts";
import type { Meta } from "../../features/online-store.ts";
import { PAGE_BYTES, type StateArchive, type StoredState } from "../../features/state-filling.ts";
import { META_REVOKED_KEYS, META_VIEWS, metaOf } from "./meta-sql.ts";
import type { SqlClient } from "./sql-client.ts";

/**
 * $1 tenant, $2–$3 cursor, $4 entities, $5 bytes before which an entity's states must begin. Entities
 * without a state stay in the page, so that the cursor moves on. LATERAL … OFFSET 0: see APPEND.
 */
const READ_STATES = `
WITH page AS MATERIALIZED (
  SELECT tenant, entity, entity_key FROM entity_heads
   WHERE tenant = $1 AND version > 0 AND (entity, entity_key) > ($2::text, $3::text)
   ORDER BY entity, entity_key LIMIT $4::int
), sized AS (
  SELECT page.entity, page.entity_key, s.state_id, s.version, s.bytes,
         coalesce(sum(octet_length(s.bytes)) OVER (
           ORDER BY page.entity, page.entity_key
           GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
    FROM page LEFT JOIN LATERAL (
      SELECT s.state_id, s.version, s.bytes FROM entity_states s
       WHERE s.tenant = page.tenant AND s.entity = page.entity AND s.entity_key = page.entity_key
      OFFSET 0
    ) AS s ON true
)
SELECT entity, entity_key, state_id, version,
       translate(encode(bytes, 'base64'), E'\\n', '') AS bytes,
       (SELECT count(*) FROM page) AS entities
  FROM sized WHERE before < $5::bigint
 ORDER BY entity, entity_key, state_id`;

/**
 * Numbers a meta and reads it in the same snapshot, or answers no row where another one took the
 * number: a higher revision never holds older content (such as one revoked key fewer).
 */
const NEXT_META = `
WITH numbered AS (
  INSERT INTO tenants AS t (tenant, generation, revision, created_at)
  SELECT $1, 'gen_' || translate(gen_random_uuid()::text, '-', ''),
         coalesce((SELECT revision FROM tenants WHERE tenant = $1), 0) + 1,
         floor(extract(epoch FROM now()) * 1000)
  ON CONFLICT (tenant) DO UPDATE SET revision = excluded.revision
   WHERE t.revision = excluded.revision - 1
  RETURNING generation, revision
)
SELECT generation, revision, ${META_VIEWS} AS views, ${META_REVOKED_KEYS} AS revoked_keys
  FROM numbered`;

const META_ATTEMPTS = 10;

/** The truth's side of filling the online store, in Postgres. A meta names complete views alone, and none that was retired. */
export function createStateArchive(client: SqlClient): StateArchive {
  return {
    async readStates(tenant, after, limit, bytes = PAGE_BYTES) {
      const cursor = [after?.entity ?? "", after?.key ?? ""];
      const rows = await client.query(READ_STATES, [tenant, ...cursor, limit, bytes]);
      const states: StoredState[] = [];
      const entities = new Set<string>();
      for (const row of rows) {
        const ref = { tenant, entity: String(row["entity"]), key: String(row["entity_key"]) };
        entities.add(JSON.stringify(ref));
        if (row["state_id"] === null) continue;
        const version = Number(row["version"]);
        const stateId = String(row["state_id"]);
        states.push({ ...ref, stateId, version, bytes: String(row["bytes"]) });
      }
      const found = Number(rows[0]?.["entities"] ?? 0);
      const last = found < limit && entities.size === found ? undefined : rows.at(-1);
      const next =
        last === undefined
          ? null
          : { entity: String(last["entity"]), key: String(last["entity_key"]) };
      return { states, entities: entities.size, next };
    },

    async nextMeta(tenant): Promise<Meta> {
      for (let attempt = 0; attempt < META_ATTEMPTS; attempt += 1) {
        const [row] = await client.query(NEXT_META, [tenant]);
        if (row !== undefined) return metaOf(row);
      }
      throw new AppError("dependency_unavailable", "Too many changes to the tenant at once.");
    },

    async listTenants() {
      const rows = await client.query("SELECT tenant FROM tenants ORDER BY tenant", []);
      return rows.map((row) => String(row["tenant"]));
    },
  };
}
