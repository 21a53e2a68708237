import type { EntitySize, Size } from "./log-sizes.ts";
import type { BuildCost } from "./plan.ts";

/**
 * Measured on two cores with a Postgres server beside them (1,000 entities of 40 events, 100 of 400).
 * The embedded Postgres takes twice as long; a network adds three round trips for 50 entities.
 */
const ENTITIES_PER_SECOND = 3_000;
const EVENTS_PER_SECOND = 35_000;
/** Looked through and folded, where they spread over many entities. */
const BACKFILLED_PER_SECOND = 3_000;

/**
 * Pure. The cost of building a view of that entity. `backfill` is the size of what has not been given
 * to the entity so far: these events are looked through, folded and read again.
 */
export function buildCost(entity: EntitySize | undefined, backfill: Size | null): BuildCost {
  const { entities, events, exact } = entity ?? { entities: 0, events: 0, exact: true };
  const more = backfill?.count ?? 0;
  return {
    backfill: backfill?.count ?? null,
    entities,
    events: events + more,
    exact: exact && (backfill?.exact ?? true),
    seconds:
      (events + more) / EVENTS_PER_SECOND +
      entities / ENTITIES_PER_SECOND +
      more / BACKFILLED_PER_SECOND,
  };
}
