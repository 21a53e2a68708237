import type { DefinitionStore, MissedContribution, RegisteredView } from "./definition-store.ts";
import type { EntityRef, EventRef, GivenEntity, LogEvent } from "./event-log.ts";
import { keyOf } from "./fold-view.ts";
import { feedName, feedsOf, isJoinId, type Feed } from "./feeds.ts";
import type { Registry } from "./registry.ts";
import { recordFromText, type SourceRecord } from "./source-record.ts";
import type { StateArchive } from "./state-filling.ts";

export interface BackfillContext {
  readonly definitions: Pick<DefinitionStore, "readEvents" | "addContributions">;
  readonly archive: Pick<StateArchive, "listTenants">;
  readonly now: () => number;
  /** Folds what is pending for these entities, and what that makes. */
  readonly fold: (entities: readonly EntityRef[]) => Promise<void>;
  /** Told how many events are looked through so far. */
  readonly progress: (events: number) => void;
}

const PAGE = 500;

interface Spec {
  readonly entity: { readonly name: string };
  readonly source: { readonly name: string; readonly pairs?: string };
  readonly key: readonly string[];
}

/**
 * Pure. The feeds of a deployment by which events were given to nobody so far: no registered view
 * that is in use has this entity, source and key columns, or for a join's, reads that join.
 */
export function newFeeds(
  { views, joinsByEntity }: Pick<Registry, "views" | "joinsByEntity">,
  registered: readonly RegisteredView[],
): readonly Feed[] {
  const specs = registered
    .filter(({ retired }) => !retired)
    .map(({ spec }) => JSON.parse(spec) as Spec);
  const fed = new Set(
    specs.map(({ entity, source, key }) =>
      feedName({ entity: entity.name, source: source.pairs ?? source.name, keyColumns: key }),
    ),
  );
  const joined = new Set(specs.map(({ source }) => source.pairs));
  return feedsOf(views.values(), joinsByEntity).filter((feed) =>
    isJoinId(feed.entity) ? !joined.has(feed.entity) : !fed.has(feedName(feed)),
  );
}

/** Null, too, for a past event whose key is refused: it has no such entity. */
function keyOrNull(feed: Feed, record: SourceRecord): string | null {
  try {
    return keyOf(feed, record);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Pure. To whom these feeds give an event that was stored without them. */
export function missedBy(
  feeds: readonly Feed[],
  event: LogEvent,
): readonly (Required<GivenEntity> & EventRef)[] {
  const record = recordFromText(event.body);
  const { tenant, source, eventId } = event;
  return feeds.flatMap((feed) => {
    const key = keyOrNull(feed, record);
    const given = { tenant, entity: feed.entity, key: key ?? "", source, eventId };
    return key === null ? [] : [{ ...given, feed: feedName(feed) }];
  });
}

const distinct = (missed: readonly EntityRef[]): readonly EntityRef[] => [
  ...new Map(
    missed.map(({ tenant, entity, key }) => [
      `${tenant}\n${entity}\n${key}`,
      { tenant, entity, key },
    ]),
  ).values(),
];

/**
 * Feeds by source, in their turns. Right sides of joins come after the left ones: they then find all
 * that they are paired with, at once. Pairs come last: the events before them make some.
 */
function passesOf(feeds: readonly Feed[]): readonly (readonly Feed[])[] {
  const isRight = ({ entity, isLeft }: Feed): boolean => isJoinId(entity) && isLeft !== true;
  const ofRights = new Set(feeds.filter(isRight).map(({ source }) => source));
  const turnOf = ({ source, isLeft }: Feed): number =>
    isJoinId(source) ? 2 : isLeft !== true && ofRights.has(source) ? 1 : 0;
  const passes = new Map<string, Feed[]>();
  for (const feed of feeds.toSorted((a, b) => turnOf(a) - turnOf(b))) {
    const name = `${turnOf(feed)} ${feed.source}`;
    passes.set(name, [...(passes.get(name) ?? []), feed]);
  }
  return [...passes.values()];
}

/**
 * Gives past events to entities that their source did not feed when they were accepted, so that a
 * new kind of entity has its whole history; then the pairs that they make. Safe while events go on,
 * to repeat and to interrupt, but not beside itself. Answers how many contributions were missing.
 */
export async function backfill(ctx: BackfillContext, feeds: readonly Feed[]): Promise<number> {
  let [looked, added] = [0, 0];
  for (const tenant of await ctx.archive.listTenants()) {
    for (const fed of passesOf(feeds)) {
      const source = fed[0]?.source ?? "";
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
        // A live one was known since it was ingested, whenever it is given to them; an import says it.
        const missed = events.flatMap((event) => {
          const knownAt = event.knownAt === null ? event.ingestTime : null;
          return missedBy(fed, event).map((one): MissedContribution => ({ ...one, knownAt }));
        });
        const count = await ctx.definitions.addContributions(missed, ctx.now());
        // Also what was given before an interruption: views are built of what is folded.
        if (missed.length > 0) await ctx.fold(distinct(missed));
        added += count;
        looked += events.length;
        after = last.eventId;
        ctx.progress(looked);
      }
    }
  }
  return added;
}
