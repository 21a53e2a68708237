import type { FoldedEvent, HistoryLog } from "../../../src/features/history/history-log.ts";
import { checkStorable, entityKey, eventKey, type MemoryTruth } from "./memory-truth.ts";

/** The folded events in memory. */
export function createMemoryHistoryLog(truth: MemoryTruth): HistoryLog {
  return {
    async readHeads(tenant, entity, keys) {
      checkStorable(keys);
      return keys.map((key) => {
        const record = truth.entities.get(entityKey({ tenant, entity, key }));
        return { version: record?.version ?? 0, erased: typeof record?.erasedAt === "number" };
      });
    },

    async readEvents(tenant, entity, slices, { sources, from, before }) {
      checkStorable(slices);
      return slices.flatMap(({ key, after, upTo }, slice) => {
        const log = truth.entities.get(entityKey({ tenant, entity, key }))?.log ?? [];
        return log.slice(after, upTo).flatMap((ref, i): readonly FoldedEvent[] => {
          const event = truth.events.get(eventKey({ tenant, ...ref }));
          if (event === undefined || !sources.includes(event.source)) return [];
          const { source, eventTime, orderKey, sign, body } = event;
          if (eventTime < from || eventTime >= before) return [];
          const version = after + i + 1;
          return [
            { slice, version, knownAt: ref.knownAt, source, eventTime, orderKey, sign, body },
          ];
        });
      });
    },
  };
}
