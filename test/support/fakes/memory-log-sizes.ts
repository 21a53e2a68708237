import type { LogSizes } from "../../../src/planning/log-sizes.ts";
import type { MemoryTruth } from "./memory-truth.ts";

export function createMemoryLogSizes(
  truth: MemoryTruth,
  countDocuments: (collection: string) => number,
): LogSizes {
  return {
    async measure({ entities, sources, collections }) {
      const exact = true;
      const entitySize = (name: string) => {
        const folded = [...truth.entities.values()].filter(
          ({ entity, version }) => entity === name && version > 0,
        );
        const events = folded.reduce((sum, { version }) => sum + version, 0);
        return { entities: folded.length, events, exact };
      };
      const logged = (name: string): number =>
        [...truth.events.values()].filter(({ source }) => source === name).length;
      return {
        entities: new Map(entities.map((name) => [name, entitySize(name)])),
        sources: new Map(sources.map((name) => [name, { count: logged(name), exact }])),
        collections: new Map(
          collections.map((name) => [name, { count: countDocuments(name), exact }]),
        ),
      };
    },
  };
}
