import type { KeyStore } from "../../governance/key-store.ts";
import type { SqlClient } from "./sql-client.ts";

const NEW_TENANT = `
INSERT INTO tenants (tenant, generation, revision, created_at)
VALUES ($1, 'gen_' || translate(gen_random_uuid()::text, '-', ''), 0, $2::bigint)
ON CONFLICT (tenant) DO NOTHING`;

const REVOKE = `
WITH registered AS (${NEW_TENANT})
INSERT INTO revoked_keys (tenant, key_id, revoked_at) VALUES ($1, $3, $2::bigint)
ON CONFLICT (tenant, key_id) DO NOTHING RETURNING key_id`;

/** Tenants and revoked keys in Postgres. */
export function createKeyStore(client: SqlClient): KeyStore {
  return {
    async revoke(tenant, keyId, now) {
      return (await client.query(REVOKE, [tenant, now, keyId])).length > 0;
    },
    async registerTenant(tenant, now) {
      return (await client.query(`${NEW_TENANT} RETURNING tenant`, [tenant, now])).length > 0;
    },
  };
}
