import { cronMatches } from "./cron.ts";

const MINUTE_MS = 60_000;

export interface ClockOptions {
  readonly crons: readonly string[];
  /** Runs a trigger; `time` is the minute, in epoch ms. */
  readonly fire: (cron: string, time: number) => Promise<void>;
  /** Keeps the embedded Postgres in shape. */
  readonly maintain: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}

const MAINTAIN_EVERY_MINUTES = 5;

/**
 * Fires the cron triggers every minute, which nothing does on one machine, and maintains the
 * database now and then. A trigger that still runs is not started again. Answers how to stop.
 */
export function startClock(options: ClockOptions): () => void {
  const running = new Set<string>();
  let timer: NodeJS.Timeout;

  function start(name: string, run: () => Promise<void>): void {
    if (running.has(name)) return;
    running.add(name);
    void run()
      .catch(options.onError)
      .finally(() => running.delete(name));
  }

  function tick(): void {
    const time = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
    for (const cron of options.crons) {
      if (cronMatches(cron, time)) start(cron, () => options.fire(cron, time));
    }
    if ((time / MINUTE_MS) % MAINTAIN_EVERY_MINUTES === 0) start("maintain", options.maintain);
    wait();
  }

  function wait(): void {
    timer = setTimeout(tick, MINUTE_MS - (Date.now() % MINUTE_MS));
    timer.unref();
  }

  wait();
  return () => clearTimeout(timer);
}
