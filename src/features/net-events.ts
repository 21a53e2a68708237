import type { LogEvent } from "./event-log.ts";

/** What decides which events one takes back. */
export type SignedEvent = Pick<LogEvent, "source" | "eventTime" | "orderKey" | "sign" | "body">;

/** A text that two events have in common exactly where one may take the other back: of its parts,
 * only the order key may have line breaks. */
const contentOf = ({ source, eventTime, orderKey, body }: SignedEvent): string =>
  `${source}\n${eventTime}\n${orderKey}\n${body}`;

/** Retractions that wait for what they take back. */
export class Unmatched {
  readonly #counts = new Map<string, number>();

  add(retraction: SignedEvent): void {
    const content = contentOf(retraction);
    this.#counts.set(content, (this.#counts.get(content) ?? 0) + 1);
  }

  /** Takes one with the event's content away; answers whether there was one. */
  match(event: SignedEvent): boolean {
    if (this.#counts.size === 0) return false;
    const content = contentOf(event);
    const n = this.#counts.get(content) ?? 0;
    if (n > 1) this.#counts.set(content, n - 1);
    else this.#counts.delete(content);
    return n > 0;
  }

  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  copy(): Unmatched {
    const other = new Unmatched();
    for (const [content, n] of this.#counts) other.#counts.set(content, n);
    return other;
  }
}

/**
 * Pure. What is left of events, whatever their order, when each −1 has taken back a +1 of its
 * content: the events (+1) that nothing takes back, then the retractions that found none.
 */
export function netOf<E extends SignedEvent>(events: readonly E[]): readonly E[] {
  const retractions = events.filter(({ sign }) => sign === -1);
  if (retractions.length === 0) return events;
  const unmatched = new Unmatched();
  for (const one of retractions) unmatched.add(one);
  const left = events.filter((one) => one.sign === 1 && !unmatched.match(one));
  return [...left, ...retractions.filter((one) => unmatched.match(one))];
}
