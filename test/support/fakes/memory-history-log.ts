import {
  restOf,
  type FoldedEvent,
  type HistoryLog,
  type LogPage,
  type LogSlice,
} from "../../../src/features/history/history-log.ts";
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

    async readEvents(tenant, entity, slices, { sources, from, before }, bytes) {
      checkStorable(slices);
      const all = slices.flatMap(({ key, after, upTo }, slice) => {
        const log = truth.entities.get(entityKey({ tenant, entity, key }))?.log ?? [];
        const events = log.slice(after, upTo).flatMap((ref, i): readonly FoldedEvent[] => {
          const event = truth.events.get(eventKey({ tenant, ...ref }));
          if (event === undefined || !sources.includes(event.source)) return [];
          const { source, eventTime, orderKey, sign, body } = event;
          if (eventTime < from || eventTime >= before) return [];
          const version = after + i + 1;
          return [
            { slice, version, knownAt: ref.knownAt, source, eventTime, orderKey, sign, body },
          ];
        });
        return events.toReversed();
      });
      return logPage(slices, all, bytes);
    },
  };
}

/** As many of the events as have so many bytes, and the one beyond. */
export function logPage(
  slices: readonly LogSlice[],
  all: readonly FoldedEvent[],
  bytes: number,
): LogPage {
  let soFar = 0;
  for (const [i, event] of all.entries()) {
    soFar += new TextEncoder().encode(event.body).length;
    if (soFar >= bytes) return { events: all.slice(0, i + 1), rest: restOf(slices, event) };
  }
  return { events: all, rest: [] };
}
