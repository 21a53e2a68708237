import { AppError } from "../../errors.ts";
import type { IngestMessage } from "../../ingest/envelope.ts";
import type { IngestQueue } from "../../ingest/ingest-queue.ts";
import { planBatches } from "./plan-batches.ts";

/** Six connections wait for an answer at once in a Worker; others need some of them. */
const CONCURRENT_SENDS = 3;

/** Cloudflare Queues. A retried `send` may deliver a message twice, as the queue itself may. */
export function createIngestQueue(
  queue: Pick<Queue<IngestMessage>, "sendBatch">,
  onRoundTrip?: () => void,
): IngestQueue {
  async function sendBatch(
    messages: readonly IngestMessage[],
    options: { readonly delaySeconds?: number },
  ): Promise<void> {
    onRoundTrip?.();
    try {
      const requests = messages.map((body) => ({ body, contentType: "json" as const }));
      await queue.sendBatch(requests, options);
    } catch (error) {
      throw queueError(error);
    }
  }

  return {
    async send(messages, options = {}) {
      const batches = planBatches(messages).values();
      const sender = async (): Promise<void> => {
        for (const batch of batches) await sendBatch(batch, options);
      };
      const ends = await Promise.allSettled(Array.from({ length: CONCURRENT_SENDS }, sender));
      const failed = ends.find((end) => end.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    },
  };
}

/** Queues say so in words alone that they take no more. */
function queueError(error: unknown): AppError {
  const text = error instanceof Error ? error.message : "";
  const cause = new Error(`Queue: ${error instanceof Error ? error.name : typeof error}`);
  if (/too many requests|429|overloaded/i.test(text)) {
    return new AppError("too_many_requests", "The queue asks for less.", {
      cause,
      retryAfterSeconds: 1,
    });
  }
  return new AppError("dependency_unavailable", "The queue does not answer.", { cause });
}
