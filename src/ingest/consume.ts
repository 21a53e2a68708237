import type { EventLog, LogEvent } from "../features/event-log.ts";
import type { OnlineStore } from "../features/online-store.ts";
import type { Registry } from "../features/registry.ts";
import type { ServedAnswers } from "../features/served-answers.ts";
import type { StateArchive } from "../features/state-filling.ts";
import type { Vault } from "../governance/vault.ts";
import {
  applyEvents,
  noFigures,
  type Applied,
  type ApplyContext,
  type ApplyFigures,
} from "./apply.ts";
import { answerWaits } from "./answer-waits.ts";
import { metWaits } from "./awaited-pairs.ts";
import { retryDelaySeconds, type Delivery } from "./delivery.ts";
import { fillPage } from "./fill.ts";
import type { FoldContext } from "./fold-round.ts";
import { quarantineRefused } from "./quarantine.ts";
import type { IngestQueue } from "./ingest-queue.ts";
import { keepAnswers } from "./keep-answers.ts";
import type { OpenWait } from "./plan-folds.ts";
import type { QuarantineStore } from "./quarantine-store.ts";
import { sortDeliveries, type MessageOf, type Received } from "./sort-deliveries.ts";
import { unreadableEntry } from "./unreadable.ts";
import type { ViewsInUse } from "./views-in-use.ts";

export interface ConsumeContext {
  readonly registry: Registry;
  readonly log: EventLog;
  readonly inUse?: ViewsInUse;
  readonly joinLimits?: FoldContext["joinLimits"];
  readonly waitingLimits?: ApplyContext["waitingLimits"];
  readonly history: FoldContext["history"];
  readonly online: Pick<OnlineStore, "read" | "write" | "markApplied" | "writeMeta">;
  readonly archive: StateArchive;
  readonly quarantine: Pick<QuarantineStore, "add">;
  readonly servedAnswers: Pick<ServedAnswers, "add">;
  readonly queue: IngestQueue;
  readonly vault: Vault;
  readonly now: () => number;
  /** From 0 to 1; spreads retries, and looks at what others do. */
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly note: (message: string, facts: Readonly<Record<string, unknown>>) => void;
}

/** What one batch came to. */
export interface Consumed extends ApplyFigures {
  retried: number;
}

/** How many events or entities one append takes; more messages are taken in turns. */
const MAX_AT_ONCE = 500;

/** Runs a step for some deliveries: all acknowledged when it ends, all retried when it throws. */
async function settle(
  ctx: ConsumeContext,
  consumed: Consumed,
  deliveries: readonly Delivery[],
  step: () => Promise<void>,
): Promise<void> {
  try {
    await step();
    for (const delivery of deliveries) delivery.ack();
  } catch (error) {
    ctx.note("deliveries will be retried", { count: deliveries.length, error });
    consumed.retried += deliveries.length;
    for (const delivery of deliveries) {
      delivery.retry(retryDelaySeconds(delivery.attempts, ctx.random()));
    }
  }
}

async function afterApply(
  ctx: ConsumeContext,
  consumed: Consumed,
  applied: Applied,
  waits: readonly OpenWait[],
  tries = 0,
): Promise<void> {
  for (const name of Object.keys(applied.figures) as (keyof ApplyFigures)[]) {
    consumed[name] += applied.figures[name];
  }
  if (applied.projectionError !== null) {
    ctx.note("the online store is behind", { error: applied.projectionError });
  }
  await answerWaits(ctx, applied, waits, tries);
}

/** Forgets outbox rows; a failure only means that the sweep projects these entities once more. */
async function settleOutbox(ctx: ConsumeContext, applied: readonly Applied[]): Promise<void> {
  const projected = applied.flatMap((batch) => batch.projected);
  if (projected.length === 0) return;
  await ctx.log.settleOutbox(projected).catch((error: unknown) => {
    ctx.note("outbox rows stay", { error });
  });
}

/** The same context with another registry. */
export const withRegistry = (ctx: ConsumeContext, registry: Registry): ConsumeContext => ({
  registry,
  ...(ctx.inUse !== undefined && { inUse: ctx.inUse }),
  log: ctx.log,
  joinLimits: ctx.joinLimits,
  waitingLimits: ctx.waitingLimits,
  history: ctx.history,
  online: ctx.online,
  archive: ctx.archive,
  quarantine: ctx.quarantine,
  servedAnswers: ctx.servedAnswers,
  queue: ctx.queue,
  vault: ctx.vault,
  now: ctx.now,
  random: ctx.random,
  sleep: ctx.sleep,
  note: ctx.note,
});

/** The part of the context that applying needs; what it refuses goes to quarantine. */
export const applying = (
  ctx: Pick<
    ConsumeContext,
    | "registry"
    | "inUse"
    | "log"
    | "joinLimits"
    | "waitingLimits"
    | "history"
    | "online"
    | "now"
    | "random"
    | "sleep"
    | "vault"
    | "quarantine"
  >,
): ApplyContext => ({
  registry: ctx.registry,
  inUse: ctx.inUse,
  log: ctx.log,
  joinLimits: ctx.joinLimits,
  waitingLimits: ctx.waitingLimits,
  history: ctx.history,
  online: ctx.online,
  now: ctx.now,
  random: ctx.random,
  sleep: ctx.sleep,
  refuse: (refused) => quarantineRefused(ctx, refused),
});

/** Messages in groups of about MAX_AT_ONCE events or entities. */
function inGroups<T>(received: readonly T[], sizeOf: (item: T) => number): readonly T[][] {
  const groups: T[][] = [];
  let size = 0;
  for (const item of received) {
    const count = sizeOf(item);
    if (groups.length === 0 || size + count > MAX_AT_ONCE) {
      groups.push([]);
      size = 0;
    }
    groups.at(-1)?.push(item);
    size += count;
  }
  return groups;
}

async function consumeEvents(
  ctx: ConsumeContext,
  consumed: Consumed,
  group: readonly Received<MessageOf<"events">>[],
  applied: Applied[],
): Promise<void> {
  const events: LogEvent[] = group.flatMap(({ message }) => message.events);
  await settle(
    ctx,
    consumed,
    group.map(({ delivery }) => delivery),
    async () => {
      const waiting = group.flatMap(({ message }) => (message.wait === null ? [] : message.events));
      const awaited = { events: new Set(waiting), entities: [], met: [] };
      const result = await applyEvents(applying(ctx), events, [], awaited);
      applied.push(result);
      let at = 0;
      const waits = group.flatMap(({ message }) => {
        const touched = result.touchedBy.slice(at, at + message.events.length);
        const refs = touched.flat();
        const met = message.events.flatMap((event, i) =>
          metWaits(ctx.registry, event, touched[i] ?? []),
        );
        at += message.events.length;
        const tenant = message.events[0]?.tenant;
        return message.wait === null || tenant === undefined
          ? []
          : [{ ...message.wait, tenant, refs, met }];
      });
      await afterApply(ctx, consumed, result, waits);
    },
  );
}

async function consumeFolds(
  ctx: ConsumeContext,
  consumed: Consumed,
  group: readonly Received<MessageOf<"fold">>[],
  applied: Applied[],
): Promise<void> {
  await settle(
    ctx,
    consumed,
    group.map(({ delivery }) => delivery),
    async () => {
      const refs = group.flatMap(({ message }) => message.entities);
      const waiting = group.filter(({ message }) => message.waits.length > 0);
      const entities = waiting.flatMap(({ message }) => message.entities);
      const met = waiting.flatMap(({ message }) => message.waits.flatMap((wait) => wait.met));
      const awaited = { events: new Set<LogEvent>(), entities, met };
      const result = await applyEvents(applying(ctx), [], refs, awaited);
      applied.push(result);
      const waits = group.flatMap(({ message }) =>
        message.waits.map((wait) => ({ ...wait, refs: message.entities })),
      );
      const tries = Math.max(...group.map(({ message }) => message.tries));
      await afterApply(ctx, consumed, result, waits, tries);
    },
  );
}

/**
 * Takes one batch of deliveries. Every message is acknowledged once what it says is durable, or
 * retried later on its own; an event that can never be applied goes to quarantine and harms nobody.
 * Never throws: a failure is a retry.
 */
export async function consume(
  ctx: ConsumeContext,
  deliveries: readonly Delivery[],
): Promise<Consumed> {
  const consumed: Consumed = { ...noFigures(), retried: 0 };
  const { events, early, folds, fills, answers, entries, unreadable } = sortDeliveries(
    ctx,
    deliveries,
  );
  const applied: Applied[] = [];
  for (const delivery of early) {
    consumed.retried += 1;
    delivery.retry(retryDelaySeconds(delivery.attempts, ctx.random()));
  }
  for (const group of inGroups(events, ({ message }) => message.events.length)) {
    await consumeEvents(ctx, consumed, group, applied);
  }
  for (const group of inGroups(folds, ({ message }) => message.entities.length)) {
    await consumeFolds(ctx, consumed, group, applied);
  }
  if (entries.length > 0) {
    await settle(
      ctx,
      consumed,
      entries.map(({ delivery }) => delivery),
      () => ctx.quarantine.add(entries.flatMap((item) => item.entries)),
    );
  }
  for (const { delivery, detail } of unreadable) {
    await settle(ctx, consumed, [delivery], async () =>
      ctx.quarantine.add([await unreadableEntry(ctx, delivery, detail)]),
    );
  }
  for (const { delivery, message } of fills) {
    await settle(ctx, consumed, [delivery], () => fillPage(ctx, message));
  }
  for (const group of inGroups(answers, ({ message }) => message.answers.length)) {
    const sample = group.flatMap(({ message }) => message.answers);
    await settle(
      ctx,
      consumed,
      group.map(({ delivery }) => delivery),
      () => keepAnswers(ctx, sample),
    );
  }
  await settleOutbox(ctx, applied);
  return consumed;
}
