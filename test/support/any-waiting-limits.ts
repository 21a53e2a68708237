import fc from "fast-check";
import type { EventLog } from "../../src/features/event-log.ts";
import { WAITING_LIMITS, type WaitingLimits } from "../../src/features/waiting-limits.ts";
import type { ConsumeContext } from "../../src/ingest/consume.ts";
import { sweep } from "../../src/ingest/sweep.ts";

/** Those of a Worker, and some by which whatever waits comes in parts. */
export const anyWaitingLimits: fc.Arbitrary<WaitingLimits> = fc.constantFrom(
  WAITING_LIMITS,
  { share: 1, events: 2, toMeet: 2, bytes: 1e9 },
  { share: 2, events: 0, toMeet: 1, bytes: 1_200 },
  { share: 100, events: 100, toMeet: 100, bytes: 1 },
);

const MOST_SWEEPS = 40;

/** Sweeps and drains until nothing is unfinished; each sweep folds only so many parts. */
export async function sweepAll(ctx: ConsumeContext, drain: () => Promise<void>): Promise<void> {
  for (let n = 0; n < MOST_SWEEPS; n += 1) {
    await sweep(ctx);
    await drain();
    if ((await ctx.log.findUnfinished(Number.MAX_SAFE_INTEGER, 1)).length === 0) return;
  }
}

/** What the answers of a log held of what waited. */
export interface Parts {
  readonly log: EventLog;
  readonly events: number[];
  readonly bytes: number[];
}

export function watchParts(log: EventLog): Parts {
  const [events, bytes]: [number[], number[]] = [[], []];
  return {
    events,
    bytes,
    log: {
      ...log,
      async append(input) {
        const answer = await log.append(input);
        // An event may wait for several entities, and is sent once.
        const waiting = answer.entities.flatMap((one) => one.pending);
        const pending = [...new Map(waiting.map((event) => [event.eventId, event])).values()];
        events.push(waiting.length);
        bytes.push(pending.reduce((sum, { body }) => sum + body.length, 0));
        return answer;
      },
    },
  };
}
