import type { Meta, OnlineState, StateReader } from "../../../src/features/online-store.ts";
import { PAGE_BYTES, type StateArchive } from "../../../src/features/state-filling.ts";
import { registerTenant } from "./memory-key-store.ts";
import { compareBytes, entitiesInOrder, entityKey, type MemoryTruth } from "./memory-truth.ts";

function metaOf(truth: MemoryTruth, tenant: string): Pick<Meta, "views" | "revokedKeys"> {
  const views: Record<string, Record<string, number>> = {};
  for (const { name, specHash, stateId, version, complete } of truth.views) {
    if (complete && !truth.retired.has(stateId) && !truth.withdrawn.has(stateId))
      views[name] = { ...views[name], [specHash]: version };
  }
  return { views, revokedKeys: [...(truth.revokedKeys.get(tenant) ?? [])].toSorted(compareBytes) };
}

/** The states of the truth, read as the online store's are. */
export function createMemoryStoredStates(truth: MemoryTruth): StateReader {
  return {
    async read(tenant, keys) {
      const { generation = "", revision = 0 } = truth.tenants.get(tenant) ?? {};
      const states = keys.map(({ stateId, key }): OnlineState | null => {
        const entity = truth.views.find((view) => view.stateId === stateId)?.entity;
        const record = truth.entities.get(entityKey({ tenant, entity: entity ?? "", key }));
        const state = record?.states.get(stateId);
        if (state !== undefined) return { kind: "state", ...state };
        return record === undefined || record.erasedAt === null
          ? null
          : { kind: "erased", version: 0 };
      });
      return { meta: { generation, revision, ...metaOf(truth, tenant) }, states };
    },
  };
}

export function createMemoryStateArchive(truth: MemoryTruth): StateArchive {
  return {
    async readStates(tenant, after, limit, bytes = PAGE_BYTES) {
      const found = entitiesInOrder(truth)
        .filter((record) => record.tenant === tenant && record.version > 0)
        .filter(({ entity, key }) => {
          if (after === null) return true;
          const order = compareBytes(entity, after.entity);
          return order > 0 || (order === 0 && compareBytes(key, after.key) > 0);
        })
        .slice(0, limit);
      let read = 0;
      const page = found.filter(({ states: held }) => {
        const fits = read < bytes;
        for (const state of held.values()) read += atob(state.bytes).length;
        return fits;
      });
      const states = page.flatMap(({ entity, key, states: held }) =>
        [...held]
          .toSorted(([a], [b]) => compareBytes(a, b))
          .map(([stateId, state]) => ({ tenant, entity, key, stateId, ...state })),
      );
      const isLast = found.length < limit && page.length === found.length;
      const last = isLast ? undefined : page.at(-1);
      const entities = page.length;
      return {
        states,
        entities,
        next: last === undefined ? null : { entity: last.entity, key: last.key },
      };
    },

    async nextMeta(tenant) {
      registerTenant(truth, tenant);
      const record = truth.tenants.get(tenant);
      if (record === undefined) throw new Error("A registered tenant is missing.");
      record.revision += 1;
      return { ...record, ...metaOf(truth, tenant) };
    },

    async listTenants() {
      return [...truth.tenants.keys()].toSorted(compareBytes);
    },
  };
}
