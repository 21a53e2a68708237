import { consume } from "../../src/ingest/consume.ts";
import { createRandom } from "../../local/demo/random.ts";
import { DAY_MS } from "../../src/time.ts";
import { openTenant, type Engine } from "../support/engine.ts";
import { deliveriesOf, inBatches, messagesOf } from "../support/messages.ts";
import { registryOf, type Shape } from "./yard.ts";

const CONSUMERS = 4;
const MOST = 6_000;

/**
 * What one would do without a rebuild: sends events of such entities through the consumers once
 * more, for a tenant that has none. Events a second.
 */
export async function sendAgain(engine: Engine, shape: Shape, round: number): Promise<number> {
  const tenant = `again_${round}`;
  const random = createRandom(tenant);
  await openTenant(engine, tenant);
  const entities = Math.min(shape.entities, Math.ceil(MOST / shape.eventsEach));
  const count = Math.min(MOST, entities * shape.eventsEach);
  const now = engine.now();
  const payments = Array.from({ length: count }, (_, i) => ({
    payment_id: `pay_${i}`,
    customer_id: `c${random.int(0, entities - 1)}`,
    merchant_id: `m${random.int(0, 499)}`,
    amount: (random.int(50, 20_000) / 100).toFixed(2),
    country: "DE",
    email: "customer@example.com",
    paid_at: new Date(now - 1 - random.int(0, 90 * DAY_MS)).toISOString(),
  }));
  const context: Engine = { ...engine, registry: registryOf(round) };
  const batches = [...inBatches(await messagesOf(context, tenant, payments, 50), 10)];
  const work = async (): Promise<void> => {
    for (;;) {
      const batch = batches.shift() ?? engine.queued.splice(0, 100);
      if (batch.length === 0) return;
      await consume(context, deliveriesOf(batch));
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: CONSUMERS }, work));
  return (count / (performance.now() - begun)) * 1_000;
}
