import type { DeadLetterArchive } from "../../../src/ingest/quarantine-store.ts";
import { compareBytes } from "./memory-truth.ts";

export function createMemoryDeadLetters(): DeadLetterArchive {
  const bodies = new Map<string, string>();
  return {
    async put(key, body) {
      bodies.set(key, body);
    },
    async list(limit) {
      return [...bodies.keys()].toSorted(compareBytes).slice(0, limit);
    },
    async get(key) {
      return bodies.get(key) ?? null;
    },
    async remove(key) {
      bodies.delete(key);
    },
  };
}
