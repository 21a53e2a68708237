import { waitUntilVisible } from "./count-visible.ts";
import type { Load, Payment } from "./payments.ts";
import { startProgress } from "./progress.ts";
import type { Screen } from "./screen.ts";
import type { Timed } from "./client.ts";
import type { IngestAnswer, ShopApi } from "./shop-api.ts";

const BATCH = 150;
const IN_FLIGHT = 4;
/** Of the payments in a batch, this many come as webhooks of their own. */
const WEBHOOKS = 8;
/** The last tenth comes one after another, as payments happen, but at most so many. */
const MAX_ONE_BY_ONE = 200;
/** A wait ends after ten seconds; this many may. */
const MAX_LATE = 3;

export interface Arrived {
  readonly sent: {
    readonly total: number;
    readonly repeats: number;
    readonly webhooks: number;
    readonly imported: number;
    readonly accepted: number;
  };
  /** Distinct payments that the features show. */
  readonly visible: number;
  /** The part that was sent as fast as possible, and the time until all of it was visible. */
  readonly bulk: { readonly payments: number; readonly ms: number };
  readonly oneByOne: {
    /** Answered when the payment was safe. */
    readonly plain: readonly Timed<IngestAnswer>[];
    /** Answered when the payment was visible in features. */
    readonly waited: readonly Timed<IngestAnswer>[];
  };
}

/** Sends the whole load, `later` payments included, and waits until all of it is visible. */
export async function sendLoad(
  api: ShopApi,
  screen: Screen,
  load: Load,
  later: readonly Payment[],
): Promise<Arrived> {
  const all = [...load.deliveries, ...later];
  const single = Math.min(MAX_ONE_BY_ONE, Math.ceil(all.length / 10));
  const first = all.slice(0, -single);
  const last = all.slice(-single);
  const distinct = new Set(all.map(({ payment_id }) => payment_id)).size;
  const payments = new Set(first.map(({ payment_id }) => payment_id)).size;

  const begun = performance.now();
  const sending = startProgress(screen, first.length, "sent");
  const inBulk = await sendInBulk(api, first, sending.at);
  sending.end();
  const applying = startProgress(screen, payments, "visible in features");
  await waitUntilVisible(api, load.customers, payments, applying.at);
  applying.end();
  const ms = performance.now() - begun;

  const trickling = startProgress(screen, last.length, "more, one by one");
  const oneByOne = await sendOneByOne(api, last, trickling.at);
  trickling.end();
  const visible = await waitUntilVisible(api, load.customers, distinct, () => undefined);
  return {
    sent: {
      total: all.length,
      repeats: all.length - distinct,
      webhooks: inBulk.webhooks,
      imported: first.length - inBulk.webhooks,
      accepted: inBulk.accepted + last.length,
    },
    visible,
    bulk: { payments, ms },
    oneByOne,
  };
}

/** As fast as a few requests at a time allow: webhooks, and imports of what happened before. */
async function sendInBulk(
  api: ShopApi,
  deliveries: readonly Payment[],
  onSent: (count: number) => void,
): Promise<{ readonly webhooks: number; readonly accepted: number }> {
  const tasks: (() => Promise<Timed<IngestAnswer>>)[] = [];
  let webhooks = 0;
  for (let i = 0; i < deliveries.length; i += BATCH) {
    const signed = deliveries.slice(i, i + WEBHOOKS);
    const rest = deliveries.slice(i + WEBHOOKS, i + BATCH);
    webhooks += signed.length;
    tasks.push(...signed.map((payment) => () => api.sendWebhook(payment)));
    if (rest.length > 0) tasks.push(() => api.importPast(rest));
  }
  let accepted = 0;
  const work = async (): Promise<void> => {
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
      const { answer } = await task();
      accepted += answer.accepted + answer.duplicates;
      onSent(accepted);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  return { webhooks, accepted };
}

/** One after another; every other one is waited for. */
async function sendOneByOne(
  api: ShopApi,
  deliveries: readonly Payment[],
  onSent: (count: number) => void,
): Promise<Arrived["oneByOne"]> {
  const plain: Timed<IngestAnswer>[] = [];
  const waited: Timed<IngestAnswer>[] = [];
  let late = 0;
  for (const [i, payment] of deliveries.entries()) {
    const wait = i % 2 === 1;
    const timed = await api.send([payment], wait);
    (wait ? waited : plain).push(timed);
    late += wait && timed.answer.applied !== true ? 1 : 0;
    if (late > MAX_LATE) throw new Error("payments are not visible ten seconds after being sent");
    onSent(i + 1);
  }
  return { plain, waited };
}
