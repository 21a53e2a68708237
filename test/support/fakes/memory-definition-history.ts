import type { DefinitionHistory } from "../../../src/planning/definition-history.ts";
import type { DefinitionRecord } from "../../../src/planning/definition-record.ts";
import { checkStorable, compareBytes, type MemoryTruth } from "./memory-truth.ts";

export function createMemoryDefinitionHistory(truth: MemoryTruth): DefinitionHistory {
  const isSame = (a: DefinitionRecord, b: DefinitionRecord): boolean =>
    a.kind === b.kind && a.name === b.name && a.spec === b.spec;

  return {
    async list() {
      return truth.definitions.toSorted(
        (a, b) =>
          compareBytes(a.kind, b.kind) || compareBytes(a.name, b.name) || a.version - b.version,
      );
    },
    async register(definitions) {
      checkStorable(definitions);
      const wanted = definitions.filter(({ kind }) => kind !== "view");
      for (const [i, one] of truth.definitions.entries()) {
        truth.definitions[i] = { ...one, retired: !wanted.some((w) => isSame(w, one)) };
      }
      for (const { kind, name, spec } of wanted) {
        const known = truth.definitions.filter((one) => one.kind === kind && one.name === name);
        if (known.some((one) => one.spec === spec)) continue;
        truth.definitions.push({ kind, name, spec, version: known.length + 1, retired: false });
      }
    },
  };
}
