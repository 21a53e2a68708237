import type { DefinitionStore, MissedContribution, RegisteredView } from "./definition-store.ts";
import type { EntityRef, LogEvent } from "./event-log.ts";
import { keyOf } from "./fold-view.ts";
import type { ViewPlan } from "./plan.ts";
import { recordFromText, type SourceRecord } from "./source-record.ts";
import type { StateArchive } from "./state-filling.ts";

export interface BackfillContext {
  readonly definitions: Pick<DefinitionStore, "readEvents" | "addContributions">;
  readonly archive: Pick<StateArchive, "listTenants">;
  readonly now: () => number;
  /** Folds what is pending for these entities. */
  readonly fold: (entities: readonly EntityRef[]) => Promise<void>;
  /** Told how many events are looked through so far. */
  readonly progress: (events: number) => void;
}

const PAGE = 500;

/** What decides which entities an event is given to. */
const feed = (entity: string, source: string, columns: readonly string[]): string =>
  JSON.stringify([entity, source, columns]);

interface Spec {
  readonly entity: { readonly name: string };
  readonly source: { readonly name: string };
  readonly key: readonly string[];
}

/**
 * Pure. The views through which a source feeds an entity that it has not fed so far: no registered
 * view that is in use has their entity, source and key columns.
 */
export function newFeeds(
  views: Iterable<ViewPlan>,
  registered: readonly RegisteredView[],
): readonly ViewPlan[] {
  const fed = new Set(
    registered
      .filter(({ retired }) => !retired)
      .map(({ spec }) => JSON.parse(spec) as Spec)
      .map(({ entity, source, key }) => feed(entity.name, source.name, key)),
  );
  const unfed = [...views].filter(
    ({ entity, source, keyColumns }) => !fed.has(feed(entity, source, keyColumns)),
  );
  return [
    ...new Map(unfed.map((v) => [feed(v.entity, v.source, v.keyColumns), v] as const)).values(),
  ];
}

/** Null, too, for a past event whose key is refused: it has no such entity. */
function keyOrNull(view: ViewPlan, record: SourceRecord): string | null {
  try {
    return keyOf(view, record);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function missedBy(views: readonly ViewPlan[], event: LogEvent): readonly MissedContribution[] {
  const record = recordFromText(event.body);
  const { tenant, source, eventId } = event;
  return views.flatMap((view) => {
    const key = keyOrNull(view, record);
    return key === null ? [] : [{ tenant, entity: view.entity, key, source, eventId }];
  });
}

const distinct = (missed: readonly MissedContribution[]): readonly EntityRef[] => [
  ...new Map(
    missed.map(({ tenant, entity, key }) => [
      `${tenant}\n${entity}\n${key}`,
      { tenant, entity, key },
    ]),
  ).values(),
];

/**
 * Gives past events to entities that their source did not feed when they were accepted, so that a
 * new kind of entity has its whole history. Safe while events go on, to repeat and to interrupt, but
 * not beside itself. Answers how many contributions were missing.
 */
export async function backfill(ctx: BackfillContext, views: readonly ViewPlan[]): Promise<number> {
  const sources = new Set(views.map(({ source }) => source));
  let [looked, added] = [0, 0];
  for (const tenant of await ctx.archive.listTenants()) {
    for (const source of sources) {
      const fed = views.filter((view) => view.source === source);
      let after: string | null = null;
      for (;;) {
        const events: readonly LogEvent[] = await ctx.definitions.readEvents(
          tenant,
          source,
          after,
          PAGE,
        );
        const last = events.at(-1);
        if (last === undefined) break;
        const missed = events.flatMap((event) => missedBy(fed, event));
        const count = await ctx.definitions.addContributions(missed, ctx.now());
        if (count > 0) await ctx.fold(distinct(missed));
        added += count;
        looked += events.length;
        after = last.eventId;
        ctx.progress(looked);
      }
    }
  }
  return added;
}
