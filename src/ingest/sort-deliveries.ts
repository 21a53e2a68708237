import type { Registry } from "../features/registry.ts";
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
  readonly registry: Pick<Registry, "sources">;
  readonly note: (message: string, facts: Readonly<Record<string, unknown>>) => void;
}

/** Those before it take at least 2 + 4 + … + 128 seconds: longer than a roll-out. */
const LAST_ATTEMPT = 8;

/** Whether a newer deployment, which knows the source, is to have the message. */
const isEarly = (
  { sources }: SortContext["registry"],
  { attempts }: Delivery,
  { events }: MessageOf<"events">,
): boolean => attempts < LAST_ATTEMPT && !events.some(({ source }) => sources.has(source));

/** Deliveries by what they bring; what cannot be read is noted, with the place where it is wrong. */
export function sortDeliveries(ctx: SortContext, deliveries: readonly Delivery[]) {
  const events: Received<MessageOf<"events">>[] = [];
  const folds: Received<MessageOf<"fold">>[] = [];
  const fills: Received<MessageOf<"fill">>[] = [];
  const answers: Received<MessageOf<"answers">>[] = [];
  const entries: { readonly delivery: Delivery; readonly entries: readonly QuarantineEntry[] }[] =
    [];
  const early: Delivery[] = [];
  const unreadable: { readonly delivery: Delivery; readonly detail: string }[] = [];
  for (const delivery of deliveries) {
    const parsed = parseMessage(delivery.body);
    if (!parsed.ok) {
      ctx.note("unreadable message", { id: delivery.id, detail: parsed.error });
      unreadable.push({ delivery, detail: parsed.error });
      continue;
    }
    const message = parsed.value;
    if (message.kind === "events" && isEarly(ctx.registry, delivery, message)) {
      early.push(delivery);
    } else if (message.kind === "events") events.push({ delivery, message });
    else if (message.kind === "fold") folds.push({ delivery, message });
    else if (message.kind === "fill") fills.push({ delivery, message });
    else if (message.kind === "answers") answers.push({ delivery, message });
    else entries.push({ delivery, entries: message.entries });
  }
  return { events, early, folds, fills, answers, entries, unreadable };
}
