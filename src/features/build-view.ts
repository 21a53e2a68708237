import type { DefinitionStore, EntityHistory } from "./definition-store.ts";
import { addObservations, dropUnreachable, observeEvent } from "./fold-view.ts";
import { netOf } from "./net-events.ts";
import { moveNewest } from "./newest.ts";
import { stateWrite, type OnlineStore } from "./online-store.ts";
import type { ViewPlan } from "./plan.ts";
import { recordFromText } from "./source-record.ts";
import { emptyState, encodeState } from "./state.ts";

export interface BuildContext {
  readonly definitions: Pick<DefinitionStore, "readHistories" | "putBuiltStates" | "markComplete">;
  readonly online: Pick<OnlineStore, "write">;
  /** Told how many entities are built so far, of how many events. */
  readonly progress: (entities: number, events: number) => void;
}

/** Histories that are held in memory at once. */
const PAGE = { entities: 500, events: 4_000 };
/** Of an entity that moved: read alone, it is written in the least time. */
const ALONE = { entities: 1, events: 1 };

/** Pure. The view's state of an entity from its whole history; empty where it has no part in it. */
export function stateOfHistory(plan: ViewPlan, history: EntityHistory): string {
  const state = emptyState(plan);
  const left = plan.isSigned ? new Set(netOf(history.events)) : null;
  for (const event of history.events) {
    try {
      const { eventTime, sign } = event;
      const seen = observeEvent(plan, history.key, event, recordFromText(event.body));
      if (seen === null) continue;
      state.ingested = Math.max(state.ingested, event.ingestTime);
      // What was taken back moves the horizon all the same.
      if (sign === 1) state.horizon = Math.max(state.horizon ?? eventTime, eventTime);
      if (sign === 1 && left?.has(event) !== false) addObservations(plan, state, eventTime, seen);
    } catch (error) {
      // A past event that the view cannot take has no part in it.
      if (!(error instanceof RangeError)) throw error;
    }
  }
  if (plan.isSigned) moveNewest(plan, state, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY);
  dropUnreachable(plan, state);
  return encodeState(plan, state);
}

/**
 * Builds a view from the log, entity by entity, while live events go on: a state is written only if
 * its entity did not move meanwhile, else it is built again. It is declared complete only when every
 * state is online as well: from then on reads trust it. Run twice or restarted, it ends with the
 * same states. Answers how many entities there were.
 */
export async function buildView(ctx: BuildContext, plan: ViewPlan): Promise<number> {
  let after: { readonly tenant: string; readonly key: string } | null = null;
  let [built, read, page] = [0, 0, PAGE];
  for (;;) {
    const histories: readonly EntityHistory[] = await ctx.definitions.readHistories(
      plan.entity,
      after,
      page,
    );
    const last = histories.at(-1);
    if (last === undefined) break;
    const states = histories.map((history) => ({
      tenant: history.tenant,
      entity: history.entity,
      key: history.key,
      version: history.version,
      stateId: plan.stateId,
      bytes: stateOfHistory(plan, history),
    }));
    const written = await ctx.definitions.putBuiltStates(states);
    // While its past was given to an entity, in whatever order, a fold may have put another there.
    const online = states.filter((_, i) => written[i] === true).map(stateWrite);
    await ctx.online.write(online, "replace");
    // An entity that moved is read again, from the last one before it that did not.
    const moved = written.indexOf(false);
    const reached = moved < 0 ? last : moved === 0 ? null : (histories[moved - 1] ?? null);
    if (reached !== null) after = { tenant: reached.tenant, key: reached.key };
    const done = moved < 0 ? histories : histories.slice(0, moved);
    built += done.length;
    read += done.reduce((sum, { events }) => sum + events.length, 0);
    page = moved < 0 ? PAGE : ALONE;
    ctx.progress(built, read);
  }
  await ctx.definitions.markComplete(plan.stateId);
  return built;
}
