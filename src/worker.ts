import { definitions } from "../definitions/index.ts";
import { createApp } from "./app.ts";
import { contextFrom, type Ctx } from "./context.ts";
import { compileDeployment } from "./deployment.ts";
import { forgetAnswers } from "./features/forget-answers.ts";
import { profileViews } from "./features/quality/profile-views.ts";
import { consume } from "./ingest/consume.ts";
import { consumeDeadLetters, restoreDeadLetters } from "./ingest/dead-letters.ts";
import type { Delivery } from "./ingest/delivery.ts";
import { sweep } from "./ingest/sweep.ts";
import { createLogger } from "./log.ts";
import { maintainIndexes } from "./retrieval/maintain.ts";

const deployment = compileDeployment(definitions);
const logger = createLogger((level, line) => console[level](line));

const contextOf = (env: unknown, afterwards: Ctx["afterwards"]): Ctx =>
  contextFrom({ env: env as Env, deployment, now: () => Date.now(), afterwards, logger });

const app = createApp({ contextFor: contextOf, logger });

const deadLettersOf = (ctx: Ctx) => ({
  vault: ctx.vault,
  quarantine: ctx.quarantine,
  archive: ctx.deadLetters,
  now: ctx.now,
  note: ctx.note,
});

const deliveryOf = (message: Message): Delivery => ({
  id: message.id,
  body: message.body,
  attempts: message.attempts,
  ack: () => message.ack(),
  retry: (delaySeconds) => message.retry({ delaySeconds }),
});

/** `freshet-ingest-staging` is the ingest queue of staging. */
function isDeadLetterQueue(name: string): boolean {
  const [, kind] = /^freshet-(ingest|dead-letters)(-|$)/.exec(name) ?? [];
  if (kind === undefined) throw new Error(`nothing consumes the queue "${name}"`);
  return kind === "dead-letters";
}

export default {
  fetch: app.fetch,

  async queue(batch, env, executionCtx) {
    const ctx = contextOf(env, (work) => executionCtx.waitUntil(work()));
    const deliveries = batch.messages.map(deliveryOf);
    const started = ctx.now();
    const figures = isDeadLetterQueue(batch.queue)
      ? await consumeDeadLetters(deadLettersOf(ctx), deliveries)
      : await consume(ctx, deliveries);
    const { redis, postgres } = ctx.roundTrips;
    logger.info("batch consumed", {
      queue: batch.queue,
      messages: deliveries.length,
      ms: ctx.now() - started,
      ...figures,
      round_trips: { redis: redis.count, postgres: postgres.count },
    });
  },

  async scheduled(_controller, env, executionCtx) {
    const ctx = contextOf(env, (work) => executionCtx.waitUntil(work()));
    // One that fails must not keep the others from running.
    const ends = await Promise.allSettled([
      sweep(ctx),
      restoreDeadLetters(deadLettersOf(ctx)),
      maintainIndexes(ctx),
      forgetAnswers(ctx),
    ]);
    const [swept, restored, maintained, forgotten] = ends;
    logger.info("swept", {
      ...(swept.status === "fulfilled" ? swept.value : { sweep_failed: swept.reason }),
      ...(restored.status === "fulfilled"
        ? { dead_letters: restored.value }
        : { dead_letters_failed: restored.reason }),
      ...(maintained.status === "fulfilled"
        ? { search: maintained.value }
        : { search_failed: maintained.reason }),
      ...(forgotten.status === "fulfilled"
        ? { answers_forgotten: forgotten.value }
        : { answers_failed: forgotten.reason }),
    });
    // Only now: whatever it takes, what reads wait for is done.
    const [profiled] = await Promise.allSettled([profileViews(ctx)]);
    if (profiled.status === "rejected") logger.warn("profiling failed", { error: profiled.reason });
    else if (profiled.value > 0) logger.info("profiled", { views: profiled.value });
    const failed = ends.find((end) => end.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  },
} satisfies ExportedHandler<Env>;
