import { packProfile, unpackProfile } from "../../features/quality/profile-codec.ts";
import type { ProfileStore } from "../../features/quality/profile-store.ts";
import type { ViewProfile } from "../../features/quality/view-profile.ts";
import { floorTo, HOUR_MS } from "../../time.ts";
import { LOWEST, SAMPLE_ORDER } from "./sample-order.ts";
import type { SqlClient } from "./sql-client.ts";

/** $1 state ids, $2 hour, $3 limit. */
const FIND_DUE = `
SELECT t.tenant, v.state_id
  FROM tenants t CROSS JOIN feature_views v LEFT JOIN LATERAL (
    SELECT p.hour FROM feature_profiles p
     WHERE p.tenant = t.tenant AND p.state_id = v.state_id ORDER BY p.hour DESC LIMIT 1
  ) AS p ON true
 WHERE v.state_id = ANY ($1::text[]) AND v.complete AND v.retired_at IS NULL
   AND (p.hour IS NULL OR p.hour < $2::bigint)
   AND EXISTS (SELECT FROM entity_heads h
                WHERE h.tenant = t.tenant AND h.entity = v.entity AND h.version > 0)
 ORDER BY p.hour NULLS FIRST, t.tenant, v.state_id LIMIT $3::int`;

/**
 * $1 tenant, $2 entity, $3 state id, $4–$5 entities and bytes at most. A view that has enough entities
 * in the lowest sixteenth has its sample there, in an index; others are read whole, of their keys'
 * index, which is at most some sixteen times the sample.
 */
const READ_SAMPLE = `
WITH lowest AS MATERIALIZED (
  SELECT entity_key, ${SAMPLE_ORDER} AS place FROM entity_states
   WHERE tenant = $1 AND state_id = $3 AND ${LOWEST}
   ORDER BY ${SAMPLE_ORDER} LIMIT $4::int
), sample AS MATERIALIZED (
  SELECT * FROM lowest WHERE (SELECT count(*) FROM lowest) = $4::int
  UNION ALL (
    SELECT entity_key, ${SAMPLE_ORDER} FROM entity_states
     WHERE tenant = $1 AND entity = $2 AND state_id = $3
       AND (SELECT count(*) FROM lowest) < $4::int
     ORDER BY ${SAMPLE_ORDER} LIMIT $4::int)
)
SELECT translate(encode(bytes, 'base64'), E'\\n', '') AS bytes FROM (
  SELECT s.bytes, m.place, sum(octet_length(s.bytes)) OVER (ORDER BY m.place, m.entity_key) AS total
    FROM sample m CROSS JOIN LATERAL (
      SELECT s.bytes FROM entity_states s
       WHERE s.tenant = $1 AND s.entity = $2 AND s.entity_key = m.entity_key AND s.state_id = $3
      OFFSET 0
    ) AS s
   WHERE NOT EXISTS (SELECT FROM erasures x
                      WHERE x.tenant = $1 AND x.entity = $2 AND x.entity_key = m.entity_key)
) AS sampled
 WHERE total <= $5::int ORDER BY place`;

/** $1 tenant, $2 state id, $3 hour, $4 taken at, $5 profile, $6 replace, $7 kept from. */
const KEEP = `
WITH forgotten AS (
  DELETE FROM feature_profiles WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM feature_profiles WHERE hour < $7::bigint ORDER BY hour LIMIT 100
       FOR UPDATE SKIP LOCKED))
)
INSERT INTO feature_profiles AS p (tenant, state_id, hour, taken_at, profile)
VALUES ($1, $2, $3::bigint, $4::bigint, $5::json)
ON CONFLICT (tenant, state_id, hour) DO UPDATE
   SET taken_at = excluded.taken_at, profile = excluded.profile
 WHERE $6::boolean AND p.taken_at <= excluded.taken_at
RETURNING hour`;

/** $1 tenant, $2 state id, $3–$4 spans (after, up to), $5 how many of each at most. */
const READ_PROFILES = `
SELECT ends.*, picked.position, p.profile::text AS profile
  FROM (
    SELECT (SELECT version FROM feature_views
             WHERE state_id = $2 AND complete AND retired_at IS NULL) AS version,
           (SELECT taken_at FROM feature_profiles WHERE tenant = $1 AND state_id = $2
             ORDER BY hour LIMIT 1) AS first,
           (SELECT taken_at FROM feature_profiles WHERE tenant = $1 AND state_id = $2
             ORDER BY hour DESC LIMIT 1) AS last
  ) AS ends
  LEFT JOIN (
    SELECT DISTINCT ON (position, part) position, hour FROM (
      SELECT s.position::int AS position, p.hour,
             (p.taken_at - s.after - 1) * $5::bigint / (s.up_to - s.after) AS part
        FROM unnest($3::bigint[], $4::bigint[]) WITH ORDINALITY AS s(after, up_to, position)
        JOIN feature_profiles p
          ON p.tenant = $1 AND p.state_id = $2 AND p.taken_at > s.after AND p.taken_at <= s.up_to
         AND p.hour > s.after - ${HOUR_MS} AND p.hour <= s.up_to
    ) AS parts ORDER BY position, part, hour DESC
  ) AS picked ON true
  LEFT JOIN feature_profiles p
    ON p.tenant = $1 AND p.state_id = $2 AND p.hour = picked.hour
 ORDER BY picked.position, picked.hour`;

/** Samples and profiles, in Postgres. */
export function createProfileStore(client: SqlClient): ProfileStore {
  return {
    async findDue(stateIds, hour, limit) {
      const rows = await client.query(FIND_DUE, [stateIds, hour, limit]);
      return rows.map((row) => ({
        tenant: String(row["tenant"]),
        stateId: String(row["state_id"]),
      }));
    },

    async readSample({ tenant, stateId }, entity, { entities, bytes }) {
      const rows = await client.query(READ_SAMPLE, [tenant, entity, stateId, entities, bytes]);
      return rows.map((row) => String(row["bytes"]));
    },

    async keep({ tenant, stateId }, profile, { replace, keepFrom }) {
      const { takenAt } = profile;
      const hour = floorTo(takenAt, HOUR_MS);
      const text = packProfile(profile);
      const params = [tenant, stateId, hour, takenAt, text, replace, keepFrom] as const;
      return (await client.query(KEEP, params)).length > 0;
    },

    async readProfiles({ tenant, stateId }, spans, most) {
      const rows = await client.query(READ_PROFILES, [
        tenant,
        stateId,
        spans.map(({ from }) => from),
        spans.map(({ to }) => to),
        most,
      ]);
      const found = spans.map((): ViewProfile[] => []);
      for (const { position, profile } of rows) {
        if (profile !== null) found[Number(position) - 1]?.push(unpackProfile(String(profile)));
      }
      const whole = (name: string): number | null => {
        const value = rows[0]?.[name] ?? null;
        return value === null ? null : Number(value);
      };
      return {
        version: whole("version"),
        first: whole("first"),
        last: whole("last"),
        spans: found,
      };
    },
  };
}
