import type { Lease, LeaseStore } from "../../planning/lease-store.ts";
import type { SqlClient } from "./sql-client.ts";

const NOW = `(extract(epoch FROM clock_timestamp()) * 1000)::bigint`;

/** Somebody's lease is left as it is: the row's lock makes the second one see the first. */
const TAKE = `
INSERT INTO leases AS l (name, token, holder, taken_at, renewed_at, expires_at)
SELECT $1, $2, $3, n, n, n + $4::bigint FROM (SELECT ${NOW} AS n) AS clock
ON CONFLICT (name) DO UPDATE
   SET token = excluded.token, holder = excluded.holder, taken_at = excluded.taken_at,
       renewed_at = excluded.renewed_at, expires_at = excluded.expires_at
 WHERE l.expires_at <= ${NOW} OR l.token = excluded.token`;

const READ = `SELECT token, holder, taken_at, renewed_at, expires_at FROM leases WHERE name = $1`;

const RENEW = `
UPDATE leases SET renewed_at = ${NOW}, expires_at = ${NOW} + $3::bigint
 WHERE name = $1 AND token = $2 RETURNING name`;

/** Leases in Postgres, by its clock. */
export function createLeaseStore(client: SqlClient): LeaseStore {
  return {
    async take(name, token, holder, ttlMs): Promise<Lease> {
      // In one transaction, so that nobody gives the lease back in between.
      const [, rows] = await client.batch([
        { text: TAKE, params: [name, token, holder, ttlMs] },
        { text: READ, params: [name] },
      ]);
      const row = rows?.[0];
      return {
        token: String(row?.["token"]),
        holder: String(row?.["holder"]),
        takenAt: Number(row?.["taken_at"]),
        renewedAt: Number(row?.["renewed_at"]),
        expiresAt: Number(row?.["expires_at"]),
      };
    },
    async renew(name, token, ttlMs) {
      return (await client.query(RENEW, [name, token, ttlMs])).length > 0;
    },
    async release(name, token) {
      await client.query("DELETE FROM leases WHERE name = $1 AND token = $2", [name, token]);
    },
  };
}
