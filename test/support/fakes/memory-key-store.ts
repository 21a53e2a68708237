import type { KeyStore } from "../../../src/governance/key-store.ts";
import type { MemoryTruth } from "./memory-truth.ts";

export function createMemoryKeyStore(truth: MemoryTruth): KeyStore {
  return {
    async revoke(tenant, keyId) {
      registerTenant(truth, tenant);
      const revoked = truth.revokedKeys.get(tenant) ?? new Set();
      const isNew = !revoked.has(keyId);
      truth.revokedKeys.set(tenant, revoked.add(keyId));
      return isNew;
    },
    async registerTenant(tenant) {
      return registerTenant(truth, tenant);
    },
  };
}

/** Answers whether the tenant is new. */
export function registerTenant(truth: MemoryTruth, tenant: string): boolean {
  if (truth.tenants.has(tenant)) return false;
  const generation = `gen_${crypto.randomUUID().replaceAll("-", "")}`;
  truth.tenants.set(tenant, { generation, revision: 0 });
  return true;
}
