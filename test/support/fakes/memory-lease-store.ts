import type { LeaseStore } from "../../../src/planning/lease-store.ts";
import type { MemoryTruth } from "./memory-truth.ts";

/** Leases by the given clock. */
export function createMemoryLeaseStore(truth: MemoryTruth, now: () => number): LeaseStore {
  return {
    async take(name, token, holder, ttlMs) {
      const at = now();
      const held = truth.leases.get(name);
      if (held !== undefined && held.expiresAt > at && held.token !== token) return held;
      const lease = { token, holder, takenAt: at, renewedAt: at, expiresAt: at + ttlMs };
      truth.leases.set(name, lease);
      return lease;
    },
    async renew(name, token, ttlMs) {
      const held = truth.leases.get(name);
      if (held?.token !== token) return false;
      const at = now();
      truth.leases.set(name, { ...held, renewedAt: at, expiresAt: at + ttlMs });
      return true;
    },
    async release(name, token) {
      if (truth.leases.get(name)?.token === token) truth.leases.delete(name);
    },
  };
}
