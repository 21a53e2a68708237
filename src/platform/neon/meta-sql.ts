import type { Meta } from "../../features/online-store.ts";
import type { SqlRow } from "./sql-client.ts";

/** As JSON, the versions of complete views by name and hash, none that was withdrawn or retired. */
export const META_VIEWS = `
       (SELECT coalesce(json_object_agg(name, versions), '{}')::text FROM (
          SELECT name, json_object_agg(spec_hash, version) AS versions
            FROM feature_views WHERE complete AND retired_at IS NULL AND NOT withdrawn
           GROUP BY name) AS views)`;

/** As JSON, the revoked keys of tenant $1. */
export const META_REVOKED_KEYS = `
       (SELECT coalesce(json_agg(key_id ORDER BY key_id), '[]')::text
          FROM revoked_keys WHERE tenant = $1)`;

/** Pure. The meta of a row with `generation`, `revision`, `views` and `revoked_keys`. */
export const metaOf = (row: SqlRow): Meta => ({
  generation: String(row["generation"]),
  revision: Number(row["revision"]),
  views: JSON.parse(String(row["views"])) as Meta["views"],
  revokedKeys: JSON.parse(String(row["revoked_keys"])) as Meta["revokedKeys"],
});
