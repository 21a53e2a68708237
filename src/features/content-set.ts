import { hash64, type Hash64 } from "./hash64.ts";
import type { SignedEvent } from "./net-events.ts";

/** What tells which events of one source take each other back: their time, and 64 bits more. */
export interface EventContent extends Hash64 {
  readonly time: number;
}

/** Pure. A body has no line breaks. */
export const contentOf = ({ eventTime, orderKey, body }: SignedEvent): EventContent => ({
  time: eventTime,
  ...hash64(`${orderKey}\n${body}`),
});

const BUCKETS = 2 ** 14;
/** Numbers that are kept of each: time, high, low, version. */
const EACH = 4;

/** Contents with the versions of their events, about 40 bytes each: an entity may have millions. */
export class ContentSet {
  readonly #buckets = new Map<number, number[]>();

  add({ time, high, low }: EventContent, version: number): void {
    const bucket = this.#buckets.get(low % BUCKETS) ?? [];
    this.#buckets.set(low % BUCKETS, bucket);
    bucket.push(time, high, low, version);
  }

  /** Takes one of that content away; answers its version, null where there was none. */
  take({ time, high, low }: EventContent): number | null {
    const bucket = this.#buckets.get(low % BUCKETS) ?? [];
    for (let at = 0; at < bucket.length; at += EACH) {
      if (bucket[at] !== time || bucket[at + 1] !== high || bucket[at + 2] !== low) continue;
      const version = bucket[at + 3] as number;
      bucket.copyWithin(at, bucket.length - EACH);
      bucket.length -= EACH;
      return version;
    }
    return null;
  }

  forEach(visit: (time: number, version: number) => void): void {
    for (const bucket of this.#buckets.values()) {
      for (let at = 0; at < bucket.length; at += EACH) {
        visit(bucket[at] as number, bucket[at + 3] as number);
      }
    }
  }
}
