import { missedBy } from "../features/backfill.ts";
import type { EntityRef, EventLog, MissedEvent } from "../features/event-log.ts";
import { feedName } from "../features/feeds.ts";
import type { Registry } from "../features/registry.ts";
import { distinctRefs, refOf } from "./entity-refs.ts";

export interface GiveContext {
  readonly registry: Pick<Registry, "feedsBySource">;
  readonly log: Pick<EventLog, "giveMissed">;
}

/**
 * Gives events that were set aside to the entities that missed them, as far as their feeds are known
 * here, and answers these entities.
 */
export async function giveEvents(
  { registry, log }: GiveContext,
  missed: readonly MissedEvent[],
  now: number,
): Promise<readonly EntityRef[]> {
  const feeds = new Map(
    [...registry.feedsBySource.values()].flat().map((feed) => [feedName(feed), feed]),
  );
  const known = missed.flatMap(({ event, feeds: names }) => {
    const own = names.filter((name) => feeds.has(name));
    return own.length === 0 ? [] : [{ event, feeds: own }];
  });
  if (known.length === 0) return [];
  const given = known.flatMap(({ event, feeds: names }) =>
    missedBy(
      names.flatMap((name) => feeds.get(name) ?? []),
      event,
    ),
  );
  await log.giveMissed(known, given, now);
  return distinctRefs(given.map(refOf));
}
