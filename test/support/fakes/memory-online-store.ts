import type { OnlineStore } from "../../../src/features/online-store.ts";
import {
  appliedKey,
  decodeMeta,
  decodeOnlineState,
  encodeMeta,
  encodeOnlineState,
  fillingKey,
  metaKey,
  stateKey,
} from "../../../src/platform/upstash/online-values.ts";

export interface MemoryOnlineStore extends OnlineStore {
  /** The texts as Redis would hold them, to be damaged or looked at. */
  readonly texts: Map<string, string>;
  /** Forgets everything, as FLUSHDB does. */
  flush(): void;
}

/** The online store in memory. Marks of waiting requests do not expire. */
export function createMemoryOnlineStore(): MemoryOnlineStore {
  const texts = new Map<string, string>();
  const applied = new Map<string, Set<number>>();
  const textOf = (key: string): string | null => texts.get(key) ?? null;

  return {
    texts,
    flush() {
      texts.clear();
      applied.clear();
    },

    async read(tenant, keys) {
      const meta = textOf(metaKey(tenant));
      const states = keys.map((key) => textOf(stateKey(key)));
      return {
        meta: meta === null ? null : decodeMeta(meta),
        states: states.map((text) => (text === null ? null : decodeOnlineState(text))),
      };
    },

    async write(writes, ties = "keep") {
      return writes.map((write) => {
        const [key, text] = [stateKey(write), encodeOnlineState(write)];
        const held = Number(/^(\d+):/.exec(textOf(key) ?? "")?.[1] ?? -1);
        const isKept = ties === "keep" || textOf(key) === text;
        if (held > write.version || (held === write.version && isKept)) return false;
        texts.set(key, text);
        return true;
      });
    },

    async writeMeta(tenant, step, meta) {
      if (step === "begin") {
        texts.set(fillingKey(tenant), meta.generation);
        return true;
      }
      const held = textOf(metaKey(tenant));
      if (step === "refresh" && held === null) return false;
      if (step === "end") {
        if (textOf(fillingKey(tenant)) !== meta.generation) return false;
        texts.delete(fillingKey(tenant));
      }
      if (held !== null && decodeMeta(held).revision >= meta.revision) return false;
      texts.set(metaKey(tenant), encodeMeta(meta));
      return true;
    },

    async dropMeta(tenant) {
      texts.delete(metaKey(tenant));
    },

    async markApplied(marks) {
      for (const { tenant, token, part } of marks) {
        const key = appliedKey(tenant, token);
        applied.set(key, (applied.get(key) ?? new Set()).add(part));
      }
    },

    async countApplied(tenant, token) {
      return applied.get(appliedKey(tenant, token))?.size ?? 0;
    },
  };
}
