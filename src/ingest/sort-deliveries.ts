import type { Delivery } from "./delivery.ts";
import type { IngestMessage, QuarantineEntry } from "./envelope.ts";
import { parseMessage } from "./parse-message.ts";

/** Messages of one kind. */
export type MessageOf<K extends IngestMessage["kind"]> = Extract<IngestMessage, { kind: K }>;

/** A message that could be read, and the delivery that brought it. */
export interface Received<M> {
  readonly delivery: Delivery;
  readonly message: M;
}

export interface SortContext {
  readonly note: (message: string, facts: Readonly<Record<string, unknown>>) => void;
}

/** Deliveries by what they bring; what cannot be read is noted, with the place where it is wrong. */
export function sortDeliveries(ctx: SortContext, deliveries: readonly Delivery[]) {
  const events: Received<MessageOf<"events">>[] = [];
  const folds: Received<MessageOf<"fold">>[] = [];
  const fills: Received<MessageOf<"fill">>[] = [];
  const answers: Received<MessageOf<"answers">>[] = [];
  const entries: { readonly delivery: Delivery; readonly entries: readonly QuarantineEntry[] }[] =
    [];
  const unreadable: { readonly delivery: Delivery; readonly detail: string }[] = [];
  for (const delivery of deliveries) {
    const parsed = parseMessage(delivery.body);
    if (!parsed.ok) {
      ctx.note("unreadable message", { id: delivery.id, detail: parsed.error });
      unreadable.push({ delivery, detail: parsed.error });
      continue;
    }
    const message = parsed.value;
    if (message.kind === "events") events.push({ delivery, message });
    else if (message.kind === "fold") folds.push({ delivery, message });
    else if (message.kind === "fill") fills.push({ delivery, message });
    else if (message.kind === "answers") answers.push({ delivery, message });
    else entries.push({ delivery, entries: message.entries });
  }
  return { events, folds, fills, answers, entries, unreadable };
}
