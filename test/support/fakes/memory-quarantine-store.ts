import type { QuarantineStore } from "../../../src/ingest/quarantine-store.ts";
import { checkStorable, compareBytes, type MemoryTruth } from "./memory-truth.ts";

const itemKey = (tenant: string, id: string): string => `${tenant}\0${id}`;

export function createMemoryQuarantineStore(truth: MemoryTruth): QuarantineStore {
  return {
    async add(entries) {
      checkStorable(entries);
      for (const entry of entries) {
        const key = itemKey(entry.tenant, entry.id);
        const held = truth.quarantine.get(key) ?? entry;
        truth.quarantine.set(key, { ...held, replayedAt: null });
      }
    },

    async list(tenant, { limit, cursor, source }) {
      const found = [...truth.quarantine.values()]
        .filter((item) => item.tenant === tenant)
        .filter((item) => source === null || item.source === source)
        .filter((item) => cursor === null || compareBytes(item.id, cursor) < 0)
        .toSorted((a, b) => compareBytes(b.id, a.id));
      const items = found.slice(0, limit);
      return { items, cursor: found.length > limit ? (items.at(-1)?.id ?? null) : null };
    },

    async take(tenant, ids) {
      return [...new Set(ids)]
        .flatMap((id) => truth.quarantine.get(itemKey(tenant, id)) ?? [])
        .filter(({ replayedAt }) => replayedAt === null)
        .toSorted((a, b) => compareBytes(a.id, b.id));
    },

    async markReplayed(tenant, ids, now) {
      for (const id of ids) {
        const item = truth.quarantine.get(itemKey(tenant, id));
        if (item === undefined || item.replayedAt !== null) continue;
        truth.quarantine.set(itemKey(tenant, id), { ...item, replayedAt: now });
      }
    },
  };
}
