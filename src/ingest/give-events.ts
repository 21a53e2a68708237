import { missedBy } from "../features/backfill.ts";
import type { EntityRef, EventLog, MissedEvent } from "../features/event-log.ts";
import { feedName } from "../features/feeds.ts";
import type { Registry } from "../features/registry.ts";
import { distinctRefs, refOf } from "./entity-refs.ts";

export interface GiveContext {
  readonly registry: Pick<Registry, "feedsBySource">;
  readonly log: Pick<EventLog, "giveMissed">;
}

/** Gives events that were set aside to the entities that missed them, and answers these. */
export async function giveEvents(
  { registry, log }: GiveContext,
  missed: readonly MissedEvent[],
  now: number,
): Promise<readonly EntityRef[]> {
  const feeds = new Map(
    [...registry.feedsBySource.values()].flat().map((feed) => [feedName(feed), feed]),
  );
  const given = missed.flatMap(({ event, feeds: names }) =>
    missedBy(
      names.flatMap((name) => feeds.get(name) ?? []),
      event,
    ),
  );
  await log.giveMissed(missed, given, [...feeds.keys()], now);
  return distinctRefs(given.map(refOf));
}
