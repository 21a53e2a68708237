/**
 * One delivery of a queue message. Exactly one of `ack` and `retry` is called; `attempts` counts
 * from 1.
 */
export interface Delivery {
  readonly id: string;
  readonly body: unknown;
  readonly attempts: number;
  ack(): void;
  retry(delaySeconds: number): void;
}

/** Pure. Seconds before a failed delivery comes again: 2, 4, 8 … 300, and up to half more. */
export function retryDelaySeconds(attempts: number, random: number): number {
  const base = Math.min(2 ** Math.min(attempts, 10), 300);
  return Math.round(base * (1 + random / 2));
}
