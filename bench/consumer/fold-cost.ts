import type { EntitySnapshot, EventLog } from "../../src/features/event-log.ts";
import { foldEntity } from "../../src/ingest/fold.ts";
import { median } from "../support/rounds.ts";
import { registry } from "../support/engine.ts";

interface Seen {
  readonly snapshot: EntitySnapshot;
  readonly complete: ReadonlySet<string>;
}

/** A log that remembers what it gave to fold, and how many commits won and lost. */
export interface WatchedLog extends EventLog {
  readonly seen: Seen[];
  readonly commits: { won: number; lost: number };
}

/** Enough for a steady figure. */
const MOST_SEEN = 1_500;

export function watchLog(log: EventLog): WatchedLog {
  const seen: Seen[] = [];
  const commits = { won: 0, lost: 0 };
  return {
    ...log,
    seen,
    commits,
    async append(input) {
      const result = await log.append(input);
      for (const snapshot of result.entities) {
        if (snapshot.pending.length === 0 || seen.length >= MOST_SEEN) continue;
        seen.push({ snapshot, complete: result.completeStates });
      }
      return result;
    },
    async commit(inputs, now) {
      const result = await log.commit(inputs, now);
      for (const won of result.won) commits[won ? "won" : "lost"] += 1;
      return result;
    },
  };
}

const PASSES = 7;

/** Folds again what was folded: microseconds for each contribution (event and entity), and counts. */
export function foldCost(seen: readonly Seen[]) {
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
