import type { EntityRef } from "../features/event-log.ts";
import type { AppliedMark, OnlineStore } from "../features/online-store.ts";
import type { Applied } from "./apply.ts";
import { refText } from "./entity-refs.ts";
import type { IngestMessage } from "./envelope.ts";
import type { IngestQueue } from "./ingest-queue.ts";
import { planFolds, type OpenWait } from "./plan-folds.ts";

export interface WaitContext {
  readonly online: Pick<OnlineStore, "markApplied">;
  readonly queue: IngestQueue;
  readonly note: (message: string, facts: Readonly<Record<string, unknown>>) => void;
}

/** What is left to a later fold; what is stuck comes half as often each time. */
const LATER_FOLD_SECONDS = 2;
/** After half a minute it is the sweep's to try. */
const MOST_TRIES = 4;

/** Marks the waiting requests whose every entity is visible; the others go on with the fold. */
export async function answerWaits(
  ctx: WaitContext,
  applied: Applied,
  waits: readonly OpenWait[],
  tries: number,
): Promise<void> {
  const isVisible = (ref: EntityRef): boolean => applied.visible.has(refText(ref));
  // Who waits for an event waits for the pairs that it makes, too.
  const isDone = (ref: EntityRef): boolean =>
    isVisible(ref) && (applied.gaveTo.get(refText(ref)) ?? []).every(isVisible);
  const marks = waits.filter(({ refs }) => refs.every(isDone));
  const open = waits.filter(({ refs }) => !refs.every(isDone));
  if (marks.length > 0) {
    const told: readonly AppliedMark[] = marks.map(({ tenant, token, part }) => ({
      tenant,
      token,
      part,
    }));
    // A request that is not told merely waits for its ten seconds.
    await ctx.online.markApplied(told).catch((error: unknown) => {
      ctx.note("waiting requests could not be told", { error });
    });
  }
  const still = open.map((wait) => ({
    ...wait,
    refs: wait.refs.filter((ref) => !isDone(ref)),
    met: wait.met.filter(({ at }) => !isDone(at)),
  }));
  const isStuck = (ref: EntityRef): boolean => applied.stuck.has(refText(ref));
  const left = {
    entities: applied.unfinished.filter((ref) => !isStuck(ref)),
    waits: still.filter(({ refs }) => !refs.some(isStuck)),
  };
  const stuck = {
    entities: applied.unfinished.filter(isStuck),
    waits: still.filter(({ refs }) => refs.some(isStuck)),
  };
  await foldLater(ctx, planFolds(left.entities, left.waits, 0), LATER_FOLD_SECONDS);
  if (tries >= MOST_TRIES) return;
  const messages = planFolds(stuck.entities, stuck.waits, tries + 1);
  await foldLater(ctx, messages, LATER_FOLD_SECONDS * 2 ** tries);
}

/** The sweep finds these entities too, should the messages be lost. */
async function foldLater(
  ctx: WaitContext,
  messages: readonly IngestMessage[],
  delaySeconds: number,
): Promise<void> {
  if (messages.length === 0) return;
  await ctx.queue.send(messages, { delaySeconds }).catch((error: unknown) => {
    ctx.note("a later fold could not be queued", { error });
  });
}
