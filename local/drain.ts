import { setTimeout as sleep } from "node:timers/promises";

/** What can be seen of the work that is under way. */
export interface Activity {
  /** Messages that wait in queues. */
  backlog(): Promise<number>;
  /** Requests that the façades have received so far. */
  requests(): number;
  /** Requests that the façades are answering. */
  active(): number;
}

/** A consumer does nothing between two requests to the stores that takes this long. */
const QUIET_MS = 400;
const LOOK_MS = 50;

/**
 * Waits until no message waits in a queue and none is being handled, which shows in the façades
 * falling silent. Answers how many messages still wait after `timeoutMs`, or 0.
 */
export async function drain(activity: Activity, timeoutMs: number): Promise<number> {
  const deadline = performance.now() + timeoutMs;
  let quietSince = performance.now();
  let seen = activity.requests();
  for (;;) {
    const waiting = await activity.backlog();
    const now = performance.now();
    if (waiting > 0 || activity.active() > 0 || activity.requests() !== seen) quietSince = now;
    seen = activity.requests();
    if (now - quietSince >= QUIET_MS) return 0;
    if (now >= deadline) return waiting;
    await sleep(LOOK_MS);
  }
}
