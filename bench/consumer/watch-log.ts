import type { EntityRef, EntitySnapshot, EventLog } from "../../src/features/event-log.ts";

interface Seen {
  readonly snapshot: EntitySnapshot;
  readonly complete: ReadonlySet<string>;
}

/** What a log has done since it was last asked. */
export interface Watched {
  /** Compare-and-sets of entities. */
  readonly commits: { won: number; lost: number };
  /** Per contribution, milliseconds from sending its append to the answer that it is folded. */
  readonly waitMs: number[];
}

/** A log that remembers what it gave to fold, how many commits won and lost, and who waited. */
export interface WatchedLog extends EventLog {
  readonly seen: readonly Seen[];
  /** What was done since the last time. */
  take(): Watched;
}

/** Enough for a steady figure. */
const MOST_SEEN = 1_500;

const nameOf = ({ entity, key }: EntityRef, source: string, eventId: string): string =>
  `${entity} ${key} ${source} ${eventId}`;

const nothing = (): Watched => ({ commits: { won: 0, lost: 0 }, waitMs: [] });

/**
 * Watches a log that its consumers alone write to. What waits in `pending` is known here to the
 * microsecond and for every row, since a row is added by one answer and removed by another.
 */
export function watchLog(log: EventLog): WatchedLog {
  const seen: Seen[] = [];
  const sent = new Map<string, number>();
  let watched = nothing();
  return {
    ...log,
    seen,
    take() {
      const taken = watched;
      watched = nothing();
      return taken;
    },
    async append(input) {
      const begun = performance.now();
      for (const { event, ...ref } of input.contributions) {
        const { source, eventId } = input.events[event] ?? { source: "", eventId: "" };
        const name = nameOf(ref, source, eventId);
        if (!sent.has(name)) sent.set(name, begun);
      }
      const result = await log.append(input);
      for (const snapshot of result.entities) {
        if (snapshot.pending.length === 0 || seen.length >= MOST_SEEN) continue;
        seen.push({ snapshot, complete: result.completeStates });
      }
      return result;
    },
    async commit(inputs, now) {
      const result = await log.commit(inputs, now);
      const ended = performance.now();
      for (const [i, commit] of inputs.entries()) {
        watched.commits[result.won[i] === true ? "won" : "lost"] += 1;
        if (result.won[i] !== true) continue;
        for (const { source, eventId } of commit.folded) {
          const name = nameOf(commit, source, eventId);
          watched.waitMs.push(ended - (sent.get(name) ?? Number.NaN));
          sent.delete(name);
        }
      }
      return result;
    },
  };
}
