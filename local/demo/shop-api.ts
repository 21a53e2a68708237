import { Webhook } from "standardwebhooks";
import type { Client, Timed } from "./client.ts";
import type { Payment } from "./payments.ts";

export interface IngestAnswer {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: readonly { readonly code: string; readonly detail: string }[];
  readonly applied?: boolean;
}

export type EntityKey = Readonly<Record<string, string>>;
export type Value = string | number | boolean | null;

export interface OnlineAnswer {
  readonly as_of: number;
  readonly names: readonly string[];
  readonly results: readonly {
    readonly values: readonly Value[];
    readonly statuses: readonly string[];
  }[];
}

type RequestRow = Readonly<Record<string, string | number>>;

export interface OnlineRequest {
  readonly service?: string;
  readonly features?: readonly string[];
  readonly entities: readonly EntityKey[];
  readonly request?: readonly RequestRow[];
}

export interface PredictionRequest {
  readonly entities: readonly EntityKey[];
  readonly request: readonly RequestRow[];
  readonly explain?: boolean;
}

export interface Prediction {
  readonly value: number | null;
  readonly label: string | null;
  readonly contributions?: readonly {
    readonly feature: string;
    readonly value: Value;
    readonly contribution: number;
  }[];
  readonly base?: number;
  readonly degraded: readonly string[];
}

export interface PredictionAnswer {
  readonly model: { readonly name: string; readonly version: string };
  readonly predictions: readonly Prediction[];
}

/** Payments, features and predictions in the public HTTP API, as far as the example uses them. */
export interface ShopApi {
  send(payments: readonly Payment[], wait?: boolean): Promise<Timed<IngestAnswer>>;
  /** As past events, each known since it happened: training sets may see them from then on. */
  importPast(payments: readonly Payment[]): Promise<Timed<IngestAnswer>>;
  /** As a payment provider does: signed, without an API key. */
  sendWebhook(payment: Payment): Promise<Timed<IngestAnswer>>;
  readOne(view: string, key: string): Promise<Timed<OnlineAnswer>>;
  read(request: OnlineRequest): Promise<Timed<OnlineAnswer>>;
  predict(model: string, request: PredictionRequest): Promise<Timed<PredictionAnswer>>;
}

export interface ShopApiOptions {
  readonly client: Client;
  /** `whsec_…` */
  readonly webhookSecret: string;
  /** Epoch ms. */
  readonly now: () => number;
}

const EVENTS = "/v1/sources/payments/events";
const IMPORT = "/v1/sources/payments/import";

/** Throws where a payment is rejected: everything that the example sends is in order. */
export function createShopApi({ client, webhookSecret, now }: ShopApiOptions): ShopApi {
  return {
    send: async (payments, wait = false) =>
      accepted(
        await client.call(wait ? `${EVENTS}?wait=applied` : EVENTS, () => ({
          method: "POST",
          headers: { ...client.authorization, "content-type": "application/x-ndjson" },
          body: payments.map((payment) => JSON.stringify(payment)).join("\n"),
        })),
      ),
    importPast: async (payments) =>
      accepted(
        await client.ask("POST", IMPORT, {
          events: payments.map((event) => ({ event, known_at: event.paid_at })),
        }),
      ),
    sendWebhook: async (payment) =>
      accepted(
        await client.call(EVENTS, () => {
          const body = JSON.stringify(payment);
          const headers = { "content-type": "application/json", ...sign(payment, body) };
          return { method: "POST", headers, body };
        }),
      ),
    readOne: (view, entityKey) =>
      client.ask("GET", `/v1/features/${view}/${encodeURIComponent(entityKey)}`),
    read: (request) => client.ask("POST", "/v1/features/online", request),
    predict: (model, request) => client.ask("POST", `/v1/models/${model}/predictions`, request),
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

function accepted(timed: Timed<IngestAnswer>): Timed<IngestAnswer> {
  const [rejection] = timed.answer.rejected;
  if (rejection === undefined) return timed;
  throw new Error(`a payment was rejected: ${rejection.code}: ${rejection.detail}`);
}
