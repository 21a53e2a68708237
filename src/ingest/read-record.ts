import { digest } from "../digest.ts";
import type { LogEvent } from "../features/event-log.ts";
import { keyOf } from "../features/fold-view.ts";
import type { Registry } from "../features/registry.ts";
import type { SourcePlan } from "../features/source-plan.ts";
import { recordToText, type SourceRecord } from "../features/source-record.ts";
import type { Vault } from "../governance/vault.ts";
import { err, ok, type Result } from "../result.ts";
import { MINUTE_MS, parseInstant } from "../time.ts";
import { readValues, type SentValues } from "./read-values.ts";
import { invalid, type Rejection } from "./rejection.ts";

/** How far a sender's clock may be ahead of ours. */
export const MAX_AHEAD_MS = 5 * MINUTE_MS;

/** Quoted once more, even a body of nothing but quotes fits in a queue message of 128,000 bytes. */
const MAX_BODY_BYTES = 60_000;

export interface ReadContext {
  readonly registry: Registry;
  readonly vault: Vault;
}

export interface ReadInput {
  readonly tenant: string;
  readonly source: SourcePlan;
  /** As parseExactJson read it. */
  readonly value: unknown;
  /** Epoch ms. */
  readonly ingestTime: number;
  /** When it was known, for imports; null for live events. */
  readonly knownAt: number | null;
}

type Timing = Pick<LogEvent, "eventTime" | "originalEventTime">;

/** A record as the log will keep it, and as which event's: all but the id. */
export interface ReadRecord {
  readonly record: SourceRecord;
  readonly event: Omit<LogEvent, "eventId" | "orderKey">;
}

/** The event's time; up to five minutes ahead of ours it is ours, further ahead it is refused. */
function timingOf(
  source: SourcePlan,
  kept: SentValues,
  ingestTime: number,
): Result<Timing, Rejection> {
  const field = source.fields.find(({ name }) => name === source.eventTimeField);
  const sent = kept[source.eventTimeField] ?? "";
  const instant = parseInstant(field?.kind === "number" ? Number(sent) : String(sent));
  if (!instant.ok) return invalid(`${source.eventTimeField}: ${instant.error}`);
  if (instant.value > ingestTime + MAX_AHEAD_MS) {
    const detail = `${source.eventTimeField}: more than five minutes ahead of our clock`;
    return err({ code: "event_in_future", detail });
  }
  if (instant.value <= ingestTime) return ok({ eventTime: instant.value, originalEventTime: null });
  return ok({ eventTime: ingestTime, originalEventTime: instant.value });
}

/** What is wrong with the entity keys that views and joins would take from the record, if anything. */
function keyProblem(registry: Registry, source: SourcePlan, record: SourceRecord): string | null {
  for (const feed of registry.feedsBySource.get(source.name) ?? []) {
    if (feed.isForeign === true) continue;
    try {
      keyOf(feed, record);
    } catch (error) {
      return `${feed.keyColumns.join(", ")}: ${error instanceof Error ? error.message : "refused"}`;
    }
  }
  return null;
}

/**
 * Validates and masks one record, or says why it is refused. Numbers are taken from their text;
 * fields that the source does not declare are left out.
 */
export async function readRecord(
  ctx: ReadContext,
  input: ReadInput,
): Promise<Result<ReadRecord, Rejection>> {
  const { tenant, source, ingestTime, knownAt } = input;
  const sent = readValues(source, input.value);
  if (!sent.ok) return invalid(sent.error);
  const timing = timingOf(source, sent.value, ingestTime);
  if (!timing.ok) return timing;
  const record = (await ctx.vault.mask(tenant, sent.value, source.fields)) as SourceRecord;
  const problem = keyProblem(ctx.registry, source, record);
  if (problem !== null) return invalid(problem);
  const body = recordToText(record);
  if (new TextEncoder().encode(body).length > MAX_BODY_BYTES) {
    return err({ code: "event_too_large", detail: `over ${MAX_BODY_BYTES} bytes` });
  }
  const bodyHash = await digest(body);
  const { name } = source;
  const facts = { tenant, source: name, ingestTime, knownAt, sign: 1, body, bodyHash } as const;
  return ok({ record, event: { ...facts, ...timing.value } });
}
