import type { IngestMessage } from "./envelope.ts";

/**
 * The way into the write path. `send` resolves when the messages are durable; it splits into
 * batches of at most 100 messages and 256 kB. Throws AppError `dependency_unavailable`, or
 * `too_many_requests` where the queue asks for less.
 */
export interface IngestQueue {
  send(
    messages: readonly IngestMessage[],
    options?: { readonly delaySeconds?: number },
  ): Promise<void>;
}
