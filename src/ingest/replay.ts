import type { DefinitionStore } from "../features/definition-store.ts";
import type { LogEvent } from "../features/event-log.ts";
import { isJoinId } from "../features/feeds.ts";
import { acceptEvents, type AcceptContext, type RecordToAccept } from "./accept.ts";
import { entitiesOf } from "./entity-refs.ts";
import { parseExactJson } from "./exact-json.ts";
import { refusalOf } from "./fold.ts";
import { readKept, type Kept } from "./kept.ts";
import { packEvents } from "./pack.ts";
import type { QuarantineItem, QuarantineStore } from "./quarantine-store.ts";

export interface ReplayContext extends AcceptContext {
  readonly quarantine: Pick<QuarantineStore, "take" | "markReplayed">;
  readonly definitions: Pick<DefinitionStore, "addContributions">;
}

export interface ReplayInput {
  readonly tenant: string;
  readonly ids: readonly string[];
}

/** An entry that could not be replayed: as it is in quarantine, or under a new id. */
export interface RefusedReplay {
  readonly id: string;
  readonly code: string;
  readonly detail: string;
  /** Where the record is now, when it was refused anew. */
  readonly quarantineId: string | null;
}

export interface Replayed {
  /** Entries whose event is on its way again. */
  readonly replayed: readonly string[];
  readonly refused: readonly RefusedReplay[];
  /** Ids that are not there, or were replayed already. */
  readonly notFound: readonly string[];
}

/** An event that is refused again comes back to quarantine only after it was marked. */
const AFTER_THE_MARK_SECONDS = 2;

interface Opened {
  readonly item: QuarantineItem;
  readonly kept: Kept;
}

const refusal = (id: string, code: string, detail: string): RefusedReplay => ({
  id,
  code,
  detail,
  quarantineId: null,
});

/** Why definitions of today can make nothing of an event; null where they can. */
function refusedBy({ registry }: ReplayContext, event: LogEvent): string | null {
  try {
    entitiesOf(registry, event);
    return null;
  } catch (error) {
    return refusalOf(error);
  }
}

async function open(ctx: ReplayContext, item: QuarantineItem): Promise<Opened | RefusedReplay> {
  const { id, tenant, source } = item;
  const text = await ctx.vault.open(tenant, id, item.payload);
  if (!text.ok) return refusal(id, "unreadable", "it does not open with the encryption secret");
  const kept = readKept(text.value);
  if (!kept.ok) return refusal(id, "unreadable", kept.error);
  if (kept.value.kind === "event") {
    const detail = refusedBy(ctx, kept.value.event);
    return detail === null ? { item, kept: kept.value } : refusal(id, "invalid_event", detail);
  }
  if (kept.value.cut) return refusal(id, "event_too_large", "it was too large to be kept whole");
  if (!ctx.registry.sources.has(source)) {
    return refusal(id, "unknown_source", "no definition of this deployment knows the source");
  }
  return { item, kept: kept.value };
}

/** Accepts the records of one source as if they came now; each new refusal has an id of its own. */
async function acceptAgain(
  ctx: ReplayContext,
  tenant: string,
  source: string,
  records: readonly { readonly id: string; readonly record: RecordToAccept }[],
): Promise<{ readonly taken: readonly string[]; readonly refused: readonly RefusedReplay[] }> {
  const answer = await acceptEvents(ctx, {
    tenant,
    source,
    records: records.map(({ record }) => record),
    waitApplied: false,
    traceparent: null,
  });
  const refused = answer.rejected.map(({ index, code, detail, quarantineId }) => ({
    id: records[index]?.id ?? "",
    code,
    detail,
    quarantineId,
  }));
  const isRefused = new Set(refused.map(({ id }) => id));
  return { taken: records.map(({ id }) => id).filter((id) => !isRefused.has(id)), refused };
}

/**
 * An event that could not be folded is in the log, where another delivery of it changes nothing:
 * it is given to its entities once more, and they are folded.
 */
async function refold(ctx: ReplayContext, opened: readonly Opened[]): Promise<void> {
  const missed = opened.flatMap(({ item, kept }) => {
    if (kept.kind !== "event" || item.reason !== "fold_failed") return [];
    const { source, eventId } = kept.event;
    const knownAt = null;
    return entitiesOf(ctx.registry, kept.event).map((ref) => ({
      ...ref,
      source,
      eventId,
      knownAt,
    }));
  });
  if (missed.length === 0) return;
  await ctx.definitions.addContributions(missed, ctx.now());
  const entities = missed.map(({ tenant, entity, key }) => ({ tenant, entity, key }));
  const options = { delaySeconds: AFTER_THE_MARK_SECONDS };
  await ctx.queue.send([{ v: 1, kind: "fold", entities, waits: [], tries: 0 }], options);
}

/**
 * Sends quarantined events through the write path once more: accepted ones as they are, refused
 * records through validation and masking. Safe to repeat: an event that was applied is a duplicate.
 * Throws AppError when the queue or the quarantine cannot be reached.
 */
export async function replay(ctx: ReplayContext, { tenant, ids }: ReplayInput): Promise<Replayed> {
  const items = await ctx.quarantine.take(tenant, ids);
  const waiting = new Set(items.map(({ id }) => id));
  const outcomes = await Promise.all(items.map((item) => open(ctx, item)));
  const refused = outcomes.filter((one): one is RefusedReplay => "code" in one);
  const opened = outcomes.filter((one): one is Opened => "kept" in one);

  const events: LogEvent[] = [];
  const replayed: string[] = [];
  const bySource = new Map<string, { id: string; record: RecordToAccept }[]>();
  for (const { item, kept } of opened) {
    if (kept.kind === "event") {
      // A pair is in the log: nobody sends it.
      if (!isJoinId(kept.event.source)) events.push(kept.event);
      replayed.push(item.id);
      continue;
    }
    const { text, knownAt } = kept;
    const record = { value: parseExactJson(text), text, knownAt };
    bySource.set(item.source, [...(bySource.get(item.source) ?? []), { id: item.id, record }]);
  }
  await refold(ctx, opened);
  if (events.length > 0) {
    await ctx.queue.send(packEvents(events, null, null), { delaySeconds: AFTER_THE_MARK_SECONDS });
  }
  const superseded: string[] = [];
  for (const [source, records] of bySource) {
    const again = await acceptAgain(ctx, tenant, source, records);
    replayed.push(...again.taken);
    refused.push(...again.refused);
    superseded.push(...again.refused.map(({ id }) => id));
  }
  const done = [...replayed, ...superseded];
  if (done.length > 0) await ctx.quarantine.markReplayed(tenant, done, ctx.now());
  return { replayed, refused, notFound: ids.filter((id) => !waiting.has(id)) };
}
