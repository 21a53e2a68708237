import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import type { IngestMessage } from "../../src/ingest/envelope.ts";
import type { IngestQueue } from "../../src/ingest/ingest-queue.ts";
import type { DeadLetterArchive } from "../../src/ingest/quarantine-store.ts";
import { createIngestQueue } from "../../src/platform/queues/ingest-queue.ts";
import { createDeadLetters } from "../../src/platform/r2/dead-letters.ts";

/** A queue and a bucket in workerd. */
export interface MiniflareStores {
  readonly queue: IngestQueue;
  readonly deadLetters: DeadLetterArchive;
  /** Bodies that the queue has delivered since the last call. */
  delivered(): Promise<readonly IngestMessage[]>;
  close(): Promise<void>;
}

const CONSUMER = `
let delivered = [];
export default {
  async queue(batch) { for (const { body } of batch.messages) delivered.push(body); },
  async fetch() {
    const taken = delivered;
    delivered = [];
    return Response.json(taken);
  },
};`;

export async function openMiniflareStores(): Promise<MiniflareStores> {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: CONSUMER,
      compatibilityDate: "2026-11-01",
      queueProducers: { INGEST: "ingest" },
      queueConsumers: { ingest: { maxBatchSize: 100, maxBatchTimeout: 0 } },
      r2Buckets: ["DEAD_LETTERS"],
      cf: false,
    }),
  );
  await miniflare.ready;
  return {
    queue: createIngestQueue(await miniflare.getQueueProducer<IngestMessage>("INGEST")),
    deadLetters: createDeadLetters(
      (await miniflare.getR2Bucket("DEAD_LETTERS")) as unknown as R2Bucket,
    ),
    async delivered() {
      const response = await miniflare.dispatchFetch("http://consumer/");
      return (await response.json()) as readonly IngestMessage[];
    },
    close: () => miniflare.dispose(),
  };
}
