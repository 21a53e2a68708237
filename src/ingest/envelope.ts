import type { EntityRef, EventRef, LogEvent } from "../features/event-log.ts";
import type { ServedAnswer } from "../features/served-answers.ts";

/** An event whose pairs somebody waits for, and the entity at which it meets others. */
export interface MetWait extends EventRef {
  readonly at: EntityRef;
}

/** A waiting request: its token, and which of its parts this message is. */
export interface Wait {
  readonly token: string;
  readonly part: number;
}

/** An entry on its way to quarantine; `payload` is encrypted with the tenant's key. */
export interface QuarantineEntry {
  readonly id: string;
  readonly tenant: string;
  readonly source: string;
  /** Stable code of the reason, as `invalid_event`, `event_id_conflict`, `fold_failed`. */
  readonly reason: string;
  /** A sentence for people; never holds a value of the event. */
  readonly detail: string;
  readonly payload: string;
  readonly eventId: string | null;
  /** Epoch ms. */
  readonly receivedAt: number;
}

/** What travels through the queue; every message is at most 128 kB as JSON. */
export type IngestMessage =
  | {
      readonly v: 1;
      readonly kind: "events";
      readonly events: readonly LogEvent[];
      readonly wait: Wait | null;
      readonly traceparent: string | null;
    }
  | { readonly v: 1; readonly kind: "quarantine"; readonly entries: readonly QuarantineEntry[] }
  /** Fold what is still pending for these entities. */
  | {
      readonly v: 1;
      readonly kind: "fold";
      readonly entities: readonly EntityRef[];
      readonly waits: readonly (Wait & {
        readonly tenant: string;
        /** Events that were applied, whose pairs are awaited. */
        readonly met: readonly MetWait[];
      })[];
      /** How often that was tried in vain. */
      readonly tries: number;
    }
  /** Fill the online store of a tenant anew, one page a message. */
  | {
      readonly v: 1;
      readonly kind: "fill";
      readonly tenant: string;
      readonly generation: string;
      readonly after: { readonly entity: string; readonly key: string } | null;
    }
  /** Keep these answers, which were sampled, for the skew audit. */
  | { readonly v: 1; readonly kind: "answers"; readonly answers: readonly ServedAnswer[] };
