import { AppError } from "../errors.ts";
import type { Vault } from "../governance/vault.ts";
import { RejectedByStore, type LogEvent } from "../features/event-log.ts";
import type { Delivery } from "./delivery.ts";
import { unreadableEntry } from "./unreadable.ts";
import type { QuarantineEntry } from "./envelope.ts";
import { eventToKeep } from "./kept.ts";
import { parseMessage } from "./parse-message.ts";
import { quarantineId } from "./quarantine.ts";
import type { DeadLetterArchive, QuarantineStore } from "./quarantine-store.ts";

export interface DeadLetterContext {
  readonly vault: Vault;
  readonly quarantine: Pick<QuarantineStore, "add">;
  readonly archive: DeadLetterArchive;
  readonly now: () => number;
  readonly note: (message: string, facts: Readonly<Record<string, unknown>>) => void;
}

const PREFIX = "dead-letters/";

async function eventEntry(vault: Vault, event: LogEvent): Promise<QuarantineEntry> {
  const { tenant, source, eventId, ingestTime } = event;
  const id = await quarantineId(event);
  return {
    id,
    tenant,
    source,
    reason: "dead_letter",
    detail: "every delivery failed; replay it once the cause is mended",
    payload: await vault.seal(tenant, id, eventToKeep(event)),
    eventId,
    receivedAt: ingestTime,
  };
}

/** What a dead message holds that must not be lost; folds and fills are found by the sweep. */
async function entriesOf(
  ctx: DeadLetterContext,
  delivery: Delivery,
): Promise<readonly QuarantineEntry[]> {
  const parsed = parseMessage(delivery.body);
  if (!parsed.ok) return [await unreadableEntry(ctx, delivery, parsed.error)];
  const message = parsed.value;
  if (message.kind === "quarantine") return message.entries;
  // Of answers that were sampled there will be others.
  if (message.kind !== "events") return [];
  return Promise.all(message.events.map((event) => eventEntry(ctx.vault, event)));
}

/**
 * Takes deliveries that the consumer gave up: their events go to quarantine, or to the archive
 * while the database is down. A message is lost only if both stay down for the queue's retention.
 */
export async function consumeDeadLetters(
  ctx: DeadLetterContext,
  deliveries: readonly Delivery[],
): Promise<void> {
  for (const delivery of deliveries) {
    try {
      const entries = await entriesOf(ctx, delivery);
      try {
        if (entries.length > 0) await ctx.quarantine.add(entries);
      } catch (error) {
        // Down, or refusing what it is given: either way the archive takes it.
        if (!(error instanceof AppError || error instanceof RejectedByStore)) throw error;
        await ctx.archive.put(`${PREFIX}${delivery.id}.json`, JSON.stringify(entries));
      }
      delivery.ack();
    } catch (error) {
      ctx.note("a dead letter could not be kept yet", { id: delivery.id, error });
      delivery.retry(60);
    }
  }
}

/** Moves what the archive holds into quarantine; answers how many messages. Run by the sweep. */
export async function restoreDeadLetters(ctx: DeadLetterContext): Promise<number> {
  const keys = await ctx.archive.list(100);
  let restored = 0;
  for (const key of keys) {
    try {
      const body = await ctx.archive.get(key);
      if (body !== null) await ctx.quarantine.add(JSON.parse(body) as readonly QuarantineEntry[]);
      await ctx.archive.remove(key);
      restored += 1;
    } catch (error) {
      // It stays in the archive, and must not keep the others there.
      if (!(error instanceof RejectedByStore)) throw error;
      ctx.note("a dead letter stays in the archive", { key, error });
    }
  }
  return restored;
}
