import { AppError } from "../errors.ts";
import type { LogEvent } from "../features/event-log.ts";
import type { OnlineStore } from "../features/online-store.ts";
import type { Registry } from "../features/registry.ts";
import type { SourcePlan } from "../features/source-plan.ts";
import type { Vault } from "../governance/vault.ts";
import { newId } from "../ids.ts";
import { err, ok, type Result } from "../result.ts";
import { SECOND_MS } from "../time.ts";
import type { IngestMessage, QuarantineEntry } from "./envelope.ts";
import type { IngestQueue } from "./ingest-queue.ts";
import { recordToKeep } from "./kept.ts";
import { packEvents } from "./pack.ts";
import { readChange } from "./read-change.ts";
import { readEvent } from "./read-event.ts";
import type { Rejection } from "./rejection.ts";

/** One record of a request, as read from its body. */
export interface RecordToAccept {
  /** The parsed value, or what is wrong with the text. */
  readonly value: Result<unknown, string>;
  /** As sent; kept, sealed, when the record is refused. */
  readonly text: string;
  /** When it was known, for imports; null for live events. */
  readonly knownAt: number | null;
}

export interface AcceptInput {
  readonly tenant: string;
  readonly source: string;
  readonly records: readonly RecordToAccept[];
  /** Whether to answer only when the events are visible online (or after ten seconds). */
  readonly waitApplied: boolean;
  readonly traceparent: string | null;
}

export interface RejectedRecord extends Rejection {
  readonly index: number;
  readonly quarantineId: string;
}

export interface AcceptAnswer {
  readonly accepted: number;
  /** Repeats within this request. */
  readonly duplicates: number;
  readonly rejected: readonly RejectedRecord[];
  /** Of the accepted events, in the order of the records. */
  readonly eventIds: readonly string[];
  /** Null where nobody waited. */
  readonly applied: boolean | null;
}

export interface AcceptContext {
  readonly registry: Registry;
  readonly vault: Vault;
  readonly queue: IngestQueue;
  readonly online: Pick<OnlineStore, "countApplied">;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

const WAIT_MS = 10 * SECOND_MS;
const FIRST_POLL_MS = 15;
const LAST_POLL_MS = 400;

interface Sorted {
  readonly events: LogEvent[];
  /** Of each accepted record, the event by which it is known. */
  readonly ids: string[];
  readonly rejected: { readonly index: number; readonly rejection: Rejection }[];
  duplicates: number;
}

/** The events of one record: one, or two where a change moves a row to another key. */
async function readSent(
  ctx: AcceptContext,
  input: AcceptInput,
  source: SourcePlan,
  { value, knownAt }: RecordToAccept,
  ingestTime: number,
): Promise<Result<readonly LogEvent[], Rejection>> {
  if (!value.ok) return err({ code: "invalid_event", detail: value.error });
  if (knownAt !== null && knownAt > ingestTime) {
    return err({ code: "event_in_future", detail: "known_at: later than now" });
  }
  const sent = { tenant: input.tenant, source, value: value.value, ingestTime, knownAt };
  if (source.table !== null) return readChange(ctx, source.table, sent);
  const read = await readEvent(ctx, sent);
  return read.ok ? ok([read.value]) : read;
}

const CONFLICT: Rejection = {
  code: "event_id_conflict",
  detail: "another event of this request has the same id and a different body",
};
const ROW_CONFLICT: Rejection = {
  code: "event_id_conflict",
  detail: "another change of this request has the same row and order, and makes the row different",
};

async function sortRecords(
  ctx: AcceptContext,
  input: AcceptInput,
  source: SourcePlan,
  ingestTime: number,
): Promise<Sorted> {
  const sorted: Sorted = { events: [], ids: [], rejected: [], duplicates: 0 };
  const seen = new Map<string, string>();
  for (const [index, record] of input.records.entries()) {
    const read = await readSent(ctx, input, source, record, ingestTime);
    if (!read.ok) {
      sorted.rejected.push({ index, rejection: read.error });
      continue;
    }
    const fresh = read.value.filter(({ eventId }) => !seen.has(eventId));
    if (
      read.value.some((event) => (seen.get(event.eventId) ?? event.bodyHash) !== event.bodyHash)
    ) {
      sorted.rejected.push({ index, rejection: source.table === null ? CONFLICT : ROW_CONFLICT });
    } else if (fresh.length === 0) {
      sorted.duplicates += 1;
    } else {
      for (const { eventId, bodyHash } of fresh) seen.set(eventId, bodyHash);
      sorted.events.push(...fresh);
      sorted.ids.push(read.value.at(-1)?.eventId ?? "");
    }
  }
  return sorted;
}

/** Refused records travel through the queue too, so that accepting needs no database. */
async function toQuarantine(
  ctx: AcceptContext,
  input: AcceptInput,
  rejected: Sorted["rejected"],
  receivedAt: number,
): Promise<readonly QuarantineEntry[]> {
  return Promise.all(
    rejected.map(async ({ index, rejection }): Promise<QuarantineEntry> => {
      const id = newId("qrt", receivedAt);
      const { text = "", knownAt = null } = input.records[index] ?? {};
      return {
        id,
        tenant: input.tenant,
        source: input.source,
        reason: rejection.code,
        detail: rejection.detail,
        payload: await ctx.vault.seal(input.tenant, id, recordToKeep(text, knownAt)),
        eventId: null,
        receivedAt,
      };
    }),
  );
}

/** Waits until every part is visible, polling ever more slowly; false after ten seconds. */
async function waitUntilApplied(
  ctx: AcceptContext,
  tenant: string,
  token: string,
  parts: number,
): Promise<boolean> {
  if (parts === 0) return true;
  const deadline = ctx.now() + WAIT_MS;
  let pauseMs = FIRST_POLL_MS;
  while (ctx.now() < deadline) {
    await ctx.sleep(pauseMs);
    pauseMs = Math.min(pauseMs * 1.3, LAST_POLL_MS);
    try {
      if ((await ctx.online.countApplied(tenant, token)) >= parts) return true;
    } catch (error) {
      // The events are safe in the queue: a store that is down only means "not visible yet".
      if (!(error instanceof AppError)) throw error;
    }
  }
  return false;
}

/**
 * Validates, masks and enqueues the records of one request. What is refused is answered per record
 * and quarantined; the rest is durable when this returns. Throws AppError `not_found` for an
 * unknown source, `dependency_unavailable` or `too_many_requests` when the queue takes nothing.
 */
export async function acceptEvents(ctx: AcceptContext, input: AcceptInput): Promise<AcceptAnswer> {
  const source = ctx.registry.sources.get(input.source);
  if (source === undefined) throw new AppError("not_found", `there is no source "${input.source}"`);
  if (source.join !== null) {
    const { left, right } = source.join;
    const detail = `"${input.source}" is made of pairs: send events to "${left}" and "${right}"`;
    throw new AppError("not_found", detail);
  }
  const ingestTime = ctx.now();
  const sorted = await sortRecords(ctx, input, source, ingestTime);
  const entries = await toQuarantine(ctx, input, sorted.rejected, ingestTime);
  const token = input.waitApplied ? newId("req", ingestTime) : null;
  const messages = packEvents(sorted.events, token, input.traceparent);
  const refused = entries.map((entry): IngestMessage => ({
    v: 1,
    kind: "quarantine",
    entries: [entry],
  }));
  if (messages.length + refused.length > 0) await ctx.queue.send([...messages, ...refused]);
  return {
    accepted: sorted.ids.length,
    duplicates: sorted.duplicates,
    rejected: sorted.rejected.map(({ index, rejection }, i) => ({
      index,
      ...rejection,
      quarantineId: entries[i]?.id ?? "",
    })),
    eventIds: sorted.ids,
    applied:
      token === null ? null : await waitUntilApplied(ctx, input.tenant, token, messages.length),
  };
}
