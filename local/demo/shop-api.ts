import { setTimeout as sleep } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import type { Payment } from "./payments.ts";
import { readServerTiming, type RoundTrips } from "./server-timing.ts";

/** An answer, how long it took from here, and the round trips that the Worker made for it. */
export interface Timed<T> {
  readonly answer: T;
  readonly ms: number;
  readonly trips: RoundTrips;
}

export interface IngestAnswer {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: readonly { readonly code: string; readonly detail: string }[];
  readonly applied?: boolean;
}

export type EntityKey = Readonly<Record<string, string>>;

export interface OnlineAnswer {
  readonly as_of: number;
  readonly names: readonly string[];
  readonly results: readonly {
    readonly values: readonly (string | number | boolean | null)[];
    readonly statuses: readonly string[];
  }[];
}

export interface OnlineRequest {
  readonly service?: string;
  readonly features?: readonly string[];
  readonly entities: readonly EntityKey[];
  readonly request?: readonly Readonly<Record<string, string | number>>[];
}

/** The public HTTP API, as far as the example uses it. Every call throws where it is refused. */
export interface ShopApi {
  send(payments: readonly Payment[], wait?: boolean): Promise<Timed<IngestAnswer>>;
  /** As a payment provider does: signed, without an API key. */
  sendWebhook(payment: Payment): Promise<Timed<IngestAnswer>>;
  readOne(view: string, key: string): Promise<Timed<OnlineAnswer>>;
  read(request: OnlineRequest): Promise<Timed<OnlineAnswer>>;
}

export interface ShopApiOptions {
  readonly url: string;
  readonly key: string;
  /** `whsec_…` */
  readonly webhookSecret: string;
  /** Epoch ms. */
  readonly now: () => number;
}

const ATTEMPTS = 12;
const EVENTS = "/v1/sources/payments/events";

/** A client that repeats a call for which the Worker was busy or a store was down. */
export function createShopApi({ url, key, webhookSecret, now }: ShopApiOptions): ShopApi {
  const authorization = { authorization: `Bearer ${key}` };
  const json = { "content-type": "application/json" };

  async function call<T>(path: string, init: () => RequestInit): Promise<Timed<T>> {
    for (let attempt = 1; ; attempt += 1) {
      const begun = performance.now();
      const { response, text } = await exchange(url + path, init());
      const ms = performance.now() - begun;
      if (response.ok) {
        const trips = readServerTiming(response.headers.get("server-timing"));
        return { answer: JSON.parse(text) as T, ms, trips };
      }
      const mayPass = response.status === 429 || response.status >= 503;
      if (!mayPass || attempt === ATTEMPTS) throw refusal(path, response.status, text);
      const seconds = Number(response.headers.get("retry-after") ?? 1);
      await sleep(Math.min(Number.isFinite(seconds) ? seconds : 1, 5) * 1_000);
    }
  }

  return {
    send: async (payments, wait = false) =>
      accepted(
        await call(wait ? `${EVENTS}?wait=applied` : EVENTS, () => ({
          method: "POST",
          headers: { ...authorization, "content-type": "application/x-ndjson" },
          body: payments.map((payment) => JSON.stringify(payment)).join("\n"),
        })),
      ),
    sendWebhook: async (payment) =>
      accepted(
        await call(EVENTS, () => {
          const body = JSON.stringify(payment);
          return { method: "POST", headers: { ...json, ...sign(payment, body) }, body };
        }),
      ),
    readOne: (view, entityKey) =>
      call(`/v1/features/${view}/${encodeURIComponent(entityKey)}`, () => ({
        headers: authorization,
      })),
    read: (request) =>
      call("/v1/features/online", () => ({
        method: "POST",
        headers: { ...authorization, ...json },
        body: JSON.stringify(request),
      })),
  };

  function sign(payment: Payment, body: string): Record<string, string> {
    const id = `msg_${payment.payment_id}`;
    const at = new Date(now());
    return {
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
      "webhook-signature": new Webhook(webhookSecret).sign(id, at, body),
    };
  }
}

async function exchange(address: string, init: RequestInit) {
  try {
    const response = await fetch(address, init);
    return { response, text: await response.text() };
  } catch (error) {
    throw new Error(`${new URL(address).origin} does not answer`, { cause: error });
  }
}

/** Everything that the example sends is in order, so that a rejection is an error here. */
function accepted(timed: Timed<IngestAnswer>): Timed<IngestAnswer> {
  const [rejection] = timed.answer.rejected;
  if (rejection === undefined) return timed;
  throw new Error(`a payment was rejected: ${rejection.code}: ${rejection.detail}`);
}

function refusal(path: string, status: number, text: string): Error {
  const detail = /"detail":\s*"([^"]*)"/.exec(text)?.[1] ?? text.slice(0, 200);
  return new Error(`${path.split("?")[0]} answered ${status}: ${detail}`);
}
