import { buildEntity, catchUp, openGathering, type EntityBuilding } from "./build-entity.ts";
import type {
  BuiltState,
  DefinitionStore,
  EntityVersion,
  HistoryPage,
  PageLimits,
} from "./definition-store.ts";
import type { LogEvent } from "./event-log.ts";
import { addObservations, dropUnreachable } from "./fold-view.ts";
import { observePast } from "./gathered-state.ts";
import { netOf } from "./net-events.ts";
import { moveNewest } from "./newest.ts";
import { stateWrite, type OnlineStore } from "./online-store.ts";
import type { ViewPlan } from "./plan.ts";
import { emptyState, encodeState } from "./state.ts";

export interface BuildContext {
  readonly definitions: Pick<
    DefinitionStore,
    "readHistories" | "readVersions" | "putBuiltStates" | "markComplete"
  >;
  readonly online: Pick<OnlineStore, "write">;
  /** Told how many entities are built so far, and how many events are read. */
  readonly progress: (entities: number, events: number) => void;
}

/** What is held in memory at once: an answer of the database holds less than 64 MB. */
const LIMITS: PageLimits = { entities: 500, events: 4_000, bytes: 8 * 2 ** 20 };

/** Pure. The view's state of an entity from its whole history; empty where it has no part in it. */
export function stateOfHistory(
  plan: ViewPlan,
  history: EntityVersion & { readonly events: readonly LogEvent[] },
): string {
  const state = emptyState(plan);
  const left = plan.isSigned ? new Set(netOf(history.events)) : null;
  for (const event of history.events) {
    const seen = observePast(plan, history.key, event);
    if (seen === null) continue;
    const { eventTime, sign } = event;
    state.ingested = Math.max(state.ingested, event.ingestTime);
    // What was taken back moves the horizon all the same.
    if (sign === 1) state.horizon = Math.max(state.horizon ?? eventTime, eventTime);
    if (sign === 1 && left?.has(event) !== false) addObservations(plan, state, eventTime, seen);
  }
  if (plan.isSigned) moveNewest(plan, state, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY);
  dropUnreachable(plan, state);
  return encodeState(plan, state);
}

/**
 * Builds a view from the log, entity by entity, while live events go on: a state is written only if
 * its entity did not move meanwhile, else what came is added to it. An entity whose history is more
 * than a page is built page by page. It is declared complete only when every state is online as well:
 * from then on reads trust it. Run twice or restarted, it ends with the same states. Answers how many
 * entities there were.
 */
export async function buildView(
  ctx: BuildContext,
  plan: ViewPlan,
  limits: PageLimits = LIMITS,
): Promise<number> {
  let after: { readonly tenant: string; readonly key: string } | null = null;
  let [built, read] = [0, 0];
  const building: EntityBuilding = {
    definitions: ctx.definitions,
    plan,
    limits,
    onRead(events) {
      read += events;
      ctx.progress(built, read);
    },
  };
  for (;;) {
    const page: HistoryPage = await ctx.definitions.readHistories(plan.entity, after, limits);
    const last = page.tooLarge ?? page.histories.at(-1);
    if (last === undefined) break;
    for (const { events } of page.histories) read += events.length;
    // While its past was given to an entity, in whatever order, a fold may have put another there.
    for await (const states of buildPage(building, page)) {
      await ctx.online.write(states.map(stateWrite), "replace");
    }
    after = { tenant: last.tenant, key: last.key };
    built += page.tooLarge === null ? page.histories.length : 1;
    ctx.progress(built, read);
  }
  await ctx.definitions.markComplete(plan.stateId);
  return built;
}

/** The states of a page as they are stored: of all entities that did not move, then of each other. */
async function* buildPage(
  building: EntityBuilding,
  { histories, tooLarge }: HistoryPage,
): AsyncGenerator<readonly BuiltState[]> {
  const { definitions, plan } = building;
  if (tooLarge !== null) {
    const state = await buildEntity(building, tooLarge);
    if (state !== null) yield [state];
    return;
  }
  const states = histories.map((history): BuiltState => {
    const { tenant, entity, key, version } = history;
    const bytes = stateOfHistory(plan, history);
    return { tenant, entity, key, version, stateId: plan.stateId, bytes };
  });
  const written = await definitions.putBuiltStates(states);
  yield states.filter((_, i) => written[i] === true);
  for (const [i, history] of histories.entries()) {
    if (written[i] === true) continue;
    const gathered = openGathering(building, history);
    gathered.take(history.events);
    const state = await catchUp(building, history, gathered, history.version);
    if (state !== null) yield [state];
  }
}
