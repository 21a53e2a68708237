import type { IngestMessage } from "../../../src/ingest/envelope.ts";
import type { IngestQueue } from "../../../src/ingest/ingest-queue.ts";
import { planBatches } from "../../../src/platform/queues/plan-batches.ts";

export interface QueuedMessage {
  readonly body: IngestMessage;
  readonly delaySeconds: number;
}

export interface MemoryIngestQueue extends IngestQueue {
  /** Takes out everything that waits, oldest first. */
  drain(): readonly QueuedMessage[];
}

/** A queue that delivers nothing by itself; messages have been through JSON. */
export function createMemoryIngestQueue(): MemoryIngestQueue {
  let waiting: QueuedMessage[] = [];
  return {
    async send(messages, { delaySeconds = 0 } = {}) {
      for (const message of planBatches(messages).flat()) {
        waiting.push({ body: JSON.parse(JSON.stringify(message)) as IngestMessage, delaySeconds });
      }
    },
    drain() {
      const drained = waiting;
      waiting = [];
      return drained;
    },
  };
}
