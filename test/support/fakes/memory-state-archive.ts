import type { StateArchive } from "../../../src/features/state-filling.ts";
import { registerTenant } from "./memory-key-store.ts";
import { compareBytes, entitiesInOrder, type MemoryTruth } from "./memory-truth.ts";

export function createMemoryStateArchive(truth: MemoryTruth): StateArchive {
  return {
    async readStates(tenant, after, limit) {
      const page = entitiesInOrder(truth)
        .filter((record) => record.tenant === tenant && record.version > 0)
        .filter(({ entity, key }) => {
          if (after === null) return true;
          const order = compareBytes(entity, after.entity);
          return order > 0 || (order === 0 && compareBytes(key, after.key) > 0);
        })
        .slice(0, limit);
      const states = page.flatMap(({ entity, key, states: held }) =>
        [...held]
          .toSorted(([a], [b]) => compareBytes(a, b))
          .map(([stateId, state]) => ({ tenant, entity, key, stateId, ...state })),
      );
      const last = page.length < limit ? undefined : page.at(-1);
      return { states, next: last === undefined ? null : { entity: last.entity, key: last.key } };
    },

    async nextMeta(tenant) {
      registerTenant(truth, tenant);
      const record = truth.tenants.get(tenant);
      if (record === undefined) throw new Error("A registered tenant is missing.");
      record.revision += 1;
      const views: Record<string, Record<string, number>> = {};
      for (const { name, specHash, stateId, version, complete } of truth.views) {
        if (complete && !truth.retired.has(stateId))
          views[name] = { ...views[name], [specHash]: version };
      }
      const revokedKeys = [...(truth.revokedKeys.get(tenant) ?? [])].toSorted(compareBytes);
      return { ...record, views, revokedKeys };
    },

    async listTenants() {
      return [...truth.tenants.keys()].toSorted(compareBytes);
    },
  };
}
