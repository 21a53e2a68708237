import type { EntitySize, Size } from "./log-sizes.ts";
import type { BuildCost } from "./plan.ts";

/**
 * Measured on two busy cores with a Postgres server beside them (5,000 entities of 4 events, 500 of
 * 100, 10 of 4,000: npm run bench -- rebuild). The embedded Postgres takes up to twice as long; a
 * network adds three round trips for 4,000 events or 500 entities.
 */
const ENTITIES_PER_SECOND = 8_000;
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
