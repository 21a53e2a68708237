import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { IngestMessage } from "../../src/ingest/envelope.ts";
import type { IngestQueue } from "../../src/ingest/ingest-queue.ts";
import { createIngestQueue } from "../../src/platform/queues/ingest-queue.ts";
import { createMemoryIngestQueue } from "../support/fakes/memory-ingest-queue.ts";
import { logEvent, newTenant } from "../support/log-events.ts";
import { openMiniflareStores } from "../support/miniflare-stores.ts";

interface OpenedQueue {
  readonly queue: IngestQueue;
  delivered(): Promise<readonly IngestMessage[]>;
  close(): Promise<void>;
}

function openMemoryQueue(): OpenedQueue {
  const queue = createMemoryIngestQueue();
  const delivered = async () => queue.drain().map(({ body }) => body);
  return { queue, delivered, close: async () => undefined };
}

const message = (tenant: string, note: string): IngestMessage => ({
  v: 1,
  kind: "events",
  events: [logEvent(tenant, note.slice(0, 8), { body: JSON.stringify({ note }) })],
  wait: { token: "req_1", part: 0 },
  traceparent: null,
});

/** A message whose JSON is `bytes` long. */
function messageOf(tenant: string, bytes: number): IngestMessage {
  const empty = new TextEncoder().encode(JSON.stringify(message(tenant, "12345678"))).length;
  return message(tenant, "12345678".padEnd(8 + bytes - empty, "x"));
}

const queues: readonly (readonly [string, () => Promise<OpenedQueue>])[] = [
  ["in memory", async () => openMemoryQueue()],
  ["in workerd", openMiniflareStores],
];

describe.each(queues)("the ingest queue %s", (_name, open) => {
  let opened: OpenedQueue;
  beforeAll(async () => void (opened = await open()));
  afterAll(() => opened.close());

  /** The messages of a tenant as they arrive, until there are so many. */
  async function arrivals(tenant: string, count: number): Promise<readonly IngestMessage[]> {
    const mine: IngestMessage[] = [];
    await vi.waitUntil(
      async () => {
        const bodies = await opened.delivered();
        mine.push(...bodies.filter((body) => JSON.stringify(body).includes(tenant)));
        return mine.length >= count;
      },
      { timeout: 30_000, interval: 20 },
    );
    return mine;
  }

  it("delivers every message as it was sent", async () => {
    const tenant = newTenant();
    const sent: IngestMessage[] = [
      message(tenant, "café 🜁 \u0000"),
      {
        v: 1,
        kind: "fold",
        entities: [{ tenant, entity: "customer", key: "c1" }],
        waits: [],
        tries: 0,
      },
      { v: 1, kind: "fill", tenant, generation: "gen_a", after: null },
    ];
    await opened.queue.send(sent);
    const got = await arrivals(tenant, sent.length);
    expect(got).toHaveLength(sent.length);
    expect(got).toEqual(expect.arrayContaining(sent));
  });

  it("takes more messages, and more bytes, than one batch holds", async () => {
    const tenant = newTenant();
    const sent = Array.from({ length: 250 }, (_, i) => message(tenant, `${i}`.padStart(8, "0")));
    const large = Array.from({ length: 5 }, () => messageOf(tenant, 127_900));
    await opened.queue.send([...sent, ...large]);
    expect(await arrivals(tenant, 255)).toHaveLength(255);
  });

  it("sends nothing when a message is too large for a queue", async () => {
    const tenant = newTenant();
    const sending = opened.queue.send([message(tenant, "small"), messageOf(tenant, 127_901)]);
    await expect(sending).rejects.toMatchObject({ code: "payload_too_large" });
    await opened.queue.send([message(tenant, "after")]);
    expect(await arrivals(tenant, 1)).toEqual([message(tenant, "after")]);
  });

  it("takes no messages at all", async () => {
    await expect(opened.queue.send([])).resolves.toBeUndefined();
  });
});

describe("the ingest queue's requests", () => {
  interface Batch {
    readonly messages: readonly { readonly body: IngestMessage; readonly contentType?: string }[];
    readonly options: unknown;
  }
  type Producer = Parameters<typeof createIngestQueue>[0];

  function recorder(fail: (batch: number) => Error | null = () => null) {
    const batches: Batch[] = [];
    const seen = { flying: 0, mostFlying: 0, batches };
    const sendBatch = async (messages: Iterable<unknown>, options: unknown) => {
      const number = batches.push({ messages: [...messages] as Batch["messages"], options });
      seen.mostFlying = Math.max(seen.mostFlying, (seen.flying += 1));
      await new Promise((resolve) => setTimeout(resolve, 2));
      seen.flying -= 1;
      const failure = fail(number);
      if (failure !== null) throw failure;
    };
    return { seen, producer: { sendBatch } as unknown as Producer };
  }

  it("keeps to a hundred messages and 256 kB a batch, with a few at once", async () => {
    const { seen, producer } = recorder();
    let trips = 0;
    const queue = createIngestQueue(producer, () => void (trips += 1));
    const small = Array.from({ length: 950 }, (_, i) => message("t", `${i}`.padStart(8, "0")));
    const large = Array.from({ length: 9 }, () => messageOf("t", 100_000));
    await queue.send([...small, ...large], { delaySeconds: 7 });
    expect(seen.batches.flatMap(({ messages }) => messages)).toHaveLength(959);
    for (const { messages, options } of seen.batches) {
      const bytes = messages.map(({ body }) => JSON.stringify(body).length + 100);
      expect(messages.length).toBeLessThanOrEqual(100);
      expect(bytes.reduce((a, b) => a + b)).toBeLessThanOrEqual(256_000);
      expect(messages.every(({ contentType }) => contentType === "json")).toBe(true);
      expect(options).toEqual({ delaySeconds: 7 });
    }
    expect(seen.mostFlying).toBe(3);
    expect(trips).toBe(seen.batches.length);
  });

  it("fails when one batch fails, after the others have ended", async () => {
    const { seen, producer } = recorder((batch) => (batch === 2 ? new Error("c1 broke") : null));
    const messages = Array.from({ length: 500 }, (_, i) => message("t", `${i}`));
    const error: unknown = await createIngestQueue(producer)
      .send(messages)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "dependency_unavailable" });
    expect(String((error as Error).cause)).not.toContain("c1");
    expect(seen.flying).toBe(0);
  });

  it("says too_many_requests where the queue asks for less", async () => {
    const { producer } = recorder(() => new Error("Queue sendBatch failed: Too Many Requests"));
    const sending = createIngestQueue(producer).send([message("t", "1")]);
    await expect(sending).rejects.toMatchObject({
      code: "too_many_requests",
      retryAfterSeconds: 1,
    });
  });
});
