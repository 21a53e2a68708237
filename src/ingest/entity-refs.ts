import type { EntityRef, GivenEntity, LogEvent } from "../features/event-log.ts";
import { feedName, isJoinId } from "../features/feeds.ts";
import { keyOf } from "../features/fold-view.ts";
import type { Registry } from "../features/registry.ts";
import { recordFromText } from "../features/source-record.ts";

/** Pure. A text that names an entity, for sets and maps. */
export const refText = ({ tenant, entity, key }: EntityRef): string =>
  `${tenant}\n${entity}\n${key}`;

/** Pure. A text that names an event, likewise. */
export const idText = ({
  tenant,
  source,
  eventId,
}: Pick<LogEvent, "tenant" | "source" | "eventId">): string => `${tenant}\n${source}\n${eventId}`;

/** Pure. The name of an entity alone. */
export const refOf = ({ tenant, entity, key }: EntityRef): EntityRef => ({ tenant, entity, key });

/** Pure. Entities without repeats. */
export const distinctRefs = (refs: Iterable<EntityRef>): readonly EntityRef[] => [
  ...new Map([...refs].map((ref) => [refText(ref), ref])).values(),
];

/**
 * Pure. The entities that an event touches: through the views of its source, and where it meets
 * events of other sources. Throws a RangeError for a key that is refused; but of a pair, whose keys
 * nobody could refuse, of what is taken back, and of another deployment's feeds, such an entity is
 * left out.
 */
export const entitiesOf = (registry: Registry, event: LogEvent): readonly EntityRef[] =>
  distinctRefs(givenOf(registry, event).map(refOf));

/** Pure. The same, each with every feed that names it. */
export function givenOf(registry: Registry, event: LogEvent): readonly Required<GivenEntity>[] {
  const { tenant, source } = event;
  const record = recordFromText(event.body);
  return (registry.feedsBySource.get(source) ?? []).flatMap((feed) => {
    try {
      const key = keyOf(feed, record);
      return key === null ? [] : [{ tenant, entity: feed.entity, key, feed: feedName(feed) }];
    } catch (error) {
      const isPassedOver = isJoinId(source) || event.sign === -1 || feed.isForeign === true;
      if (isPassedOver && error instanceof RangeError) return [];
      throw error;
    }
  });
}

/** Pure. The same for an event of the log; none where definitions of today refuse a key of it. */
export function loggedEntitiesOf(registry: Registry, event: LogEvent): readonly EntityRef[] {
  try {
    return entitiesOf(registry, event);
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
}
