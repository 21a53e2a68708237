import { foldEntity } from "../../src/ingest/fold.ts";
import { registry } from "../support/engine.ts";
import { median } from "../support/rounds.ts";
import type { WatchedLog } from "./watch-log.ts";

const PASSES = 7;

/** Folds again what was folded: microseconds for each contribution (event and entity), and counts. */
export function foldCost(seen: WatchedLog["seen"]) {
  const contributions = seen.reduce((sum, { snapshot }) => sum + snapshot.pending.length, 0);
  const passes = Array.from({ length: PASSES }, () => {
    const begun = performance.now();
    for (const { snapshot, complete } of seen) {
      foldEntity(registry.viewsByEntity.get(snapshot.entity) ?? [], snapshot, complete);
    }
    return (performance.now() - begun) * 1_000;
  });
  return {
    contributions,
    entities: seen.length,
    usPerContribution: median(passes) / contributions,
  };
}
