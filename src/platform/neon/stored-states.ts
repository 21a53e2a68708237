import type { Meta, OnlineState, StateReader } from "../../features/online-store.ts";
import { META_REVOKED_KEYS, META_VIEWS, metaOf } from "./meta-sql.ts";
import type { SqlClient } from "./sql-client.ts";

/**
 * $1 tenant, $2–$3 states (state id, key). Row 0 is the meta, the others are what there is of the
 * states, all in one snapshot. LATERAL … OFFSET 0 looks each up in its index; see APPEND.
 */
const READ_STORED = `
SELECT 0 AS position, t.generation, coalesce(t.revision, 0) AS revision,
       ${META_VIEWS} AS views, ${META_REVOKED_KEYS} AS revoked_keys,
       NULL::bigint AS version, NULL AS bytes
  FROM (SELECT) AS one LEFT JOIN tenants t ON t.tenant = $1
UNION ALL
SELECT k.position::int, NULL, NULL, NULL, NULL, s.version,
       translate(encode(s.bytes, 'base64'), E'\\n', '')
  FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS k(state_id, entity_key, position)
  JOIN feature_views v ON v.state_id = k.state_id
  LEFT JOIN LATERAL (
    SELECT s.version, s.bytes FROM entity_states s
     WHERE s.tenant = $1 AND s.entity = v.entity AND s.entity_key = k.entity_key
       AND s.state_id = k.state_id OFFSET 0
  ) AS s ON true
  LEFT JOIN LATERAL (
    SELECT true AS erased FROM erasures x
     WHERE s.version IS NULL AND x.tenant = $1 AND x.entity = v.entity AND x.entity_key = k.entity_key OFFSET 0
  ) AS x ON true
 WHERE s.version IS NOT NULL OR x.erased`;

/** What the online store would answer were it filled, from Postgres. */
export function createStoredStates(client: SqlClient): StateReader {
  return {
    async read(tenant, keys) {
      const ids = keys.map(({ stateId }) => stateId);
      const entityKeys = keys.map(({ key }) => key);
      const states = keys.map((): OnlineState | null => null);
      let meta: Meta | null = null;
      for (const row of await client.query(READ_STORED, [tenant, ids, entityKeys])) {
        const [position, version] = [Number(row["position"]), row["version"] ?? null];
        if (position === 0) meta = metaOf(row);
        else if (version === null) states[position - 1] = { kind: "erased", version: 0 };
        else {
          const bytes = String(row["bytes"]);
          states[position - 1] = { kind: "state", version: Number(version), bytes };
        }
      }
      return { meta, states };
    },
  };
}
