import type { Payment } from "../../local/demo/payments.ts";
import { acceptEvents } from "../../src/ingest/accept.ts";
import type { Delivery } from "../../src/ingest/delivery.ts";
import type { IngestMessage } from "../../src/ingest/envelope.ts";
import { ok } from "../../src/result.ts";
import type { Engine } from "./engine.ts";

/** The queue messages of requests that carry `perRequest` payments each, as the door makes them. */
export async function messagesOf(
  { registry, vault, now }: Pick<Engine, "registry" | "vault" | "now">,
  tenant: string,
  payments: readonly Payment[],
  perRequest: number,
): Promise<readonly IngestMessage[]> {
  const sent: IngestMessage[] = [];
  const ctx = {
    registry,
    vault,
    now,
    queue: { send: async (messages: readonly IngestMessage[]) => void sent.push(...messages) },
    online: { countApplied: async () => 0 },
    sleep: async () => undefined,
  };
  for (let i = 0; i < payments.length; i += perRequest) {
    const records = payments
      .slice(i, i + perRequest)
      .map((payment) => ({ value: ok(payment), text: JSON.stringify(payment), knownAt: null }));
    const source = "payments";
    const input = { tenant, source, records, waitApplied: false, traceparent: null };
    const { rejected } = await acceptEvents(ctx, input);
    if (rejected.length > 0) throw new Error(`a payment was refused: ${rejected[0]?.detail}`);
  }
  return sent;
}

/** The deliveries of one queue batch. Fails where one of them is to be retried. */
export const deliveriesOf = (messages: readonly IngestMessage[]): readonly Delivery[] =>
  messages.map((body, i) => ({
    id: String(i),
    body,
    attempts: 1,
    ack: () => undefined,
    retry: () => {
      throw new Error("a batch could not be applied");
    },
  }));

/** Messages in queue batches of at most `size`. */
export function inBatches<T>(messages: readonly T[], size: number): readonly (readonly T[])[] {
  const batches: (readonly T[])[] = [];
  for (let i = 0; i < messages.length; i += size) batches.push(messages.slice(i, i + size));
  return batches;
}
