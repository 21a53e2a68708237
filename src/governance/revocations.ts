import { SECOND_MS } from "../time.ts";
import { createBoundedCache } from "./bounded-cache.ts";

/**
 * How long a revoked key may still be taken by an isolate that keeps working for its tenant, once
 * the tenant's meta key lists it.
 */
export const REVOCATION_DELAY_MS = 30 * SECOND_MS;

/**
 * What one isolate knows of revoked keys. A read learns it from the meta key that it reads anyway;
 * ingest, which reads nothing, asks `isStale` and renews it after its answer. So a revocation holds
 * within REVOCATION_DELAY_MS, but an isolate that has not heard of the tenant for longer (`ageMs`)
 * takes the requests that arrive before its first renewal ends; a read can ask again with the meta
 * key in hand.
 */
export interface Revocations {
  /** As far as this isolate knows; false for a tenant it has not heard of. */
  isRevoked(tenant: string, keyId: string): boolean;
  /** Takes over what the meta key said at `now` (epoch ms), unless something newer is known. */
  noteMeta(tenant: string, revokedKeys: readonly string[], now: number): void;
  /** Whether it is time to renew: at half the delay, so that the renewal ends within it. */
  isStale(tenant: string, now: number): boolean;
  /** Whether the caller is to renew now: it is time, and nobody has tried for a second. */
  claimRenewal(tenant: string, now: number): boolean;
  /** Milliseconds since the tenant was heard of; Infinity for never. */
  ageMs(tenant: string, now: number): number;
}

/** An empty memory for `maxTenants` tenants; beyond, the one heard of longest ago is forgotten. */
export function createRevocations(maxTenants = 1000): Revocations {
  const tenants = new Map<string, { readonly keys: ReadonlySet<string>; readonly at: number }>();
  const attempts = createBoundedCache<number>(maxTenants);
  const ageMs = (tenant: string, now: number): number =>
    now - (tenants.get(tenant)?.at ?? Number.NEGATIVE_INFINITY);

  const isStale = (tenant: string, now: number): boolean =>
    ageMs(tenant, now) >= REVOCATION_DELAY_MS / 2;

  return {
    isRevoked: (tenant, keyId) => tenants.get(tenant)?.keys.has(keyId) ?? false,
    noteMeta(tenant, revokedKeys, now) {
      if (ageMs(tenant, now) < 0) return;
      tenants.delete(tenant);
      tenants.set(tenant, { keys: new Set(revokedKeys), at: now });
      for (const oldest of tenants.keys()) {
        if (tenants.size <= maxTenants) break;
        tenants.delete(oldest);
      }
    },
    isStale,
    claimRenewal(tenant, now) {
      const tried = attempts.get(tenant) ?? Number.NEGATIVE_INFINITY;
      if (!isStale(tenant, now) || now - tried < SECOND_MS) return false;
      attempts.set(tenant, now);
      return true;
    },
    ageMs,
  };
}
