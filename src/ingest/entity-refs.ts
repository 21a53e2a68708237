import type { EntityRef, LogEvent } from "../features/event-log.ts";
import { keyOf } from "../features/fold-view.ts";
import type { ViewPlan } from "../features/plan.ts";
import type { Registry } from "../features/registry.ts";
import { recordFromText, type SourceRecord } from "../features/source-record.ts";

/** Pure. A text that names an entity, for sets and maps. */
export const refText = ({ tenant, entity, key }: EntityRef): string =>
  `${tenant}\n${entity}\n${key}`;

/** Pure. A text that names an event, likewise. */
export const idText = ({ tenant, source, eventId }: LogEvent): string =>
  `${tenant}\n${source}\n${eventId}`;

/** Pure. The name of an entity alone. */
export const refOf = ({ tenant, entity, key }: EntityRef): EntityRef => ({ tenant, entity, key });

/**
 * Pure. The entities that an event touches through the views of its source. Throws a RangeError
 * where a key of it is refused; what takes an image back is then none of that entity's, since the
 * image was none (a definition changed).
 */
export function entitiesOf(registry: Registry, event: LogEvent): readonly EntityRef[] {
  const record = recordFromText(event.body);
  const refs = new Map<string, EntityRef>();
  for (const view of registry.viewsBySource.get(event.source) ?? []) {
    const key = event.sign === 1 ? keyOf(view, record) : keyOrNull(view, record);
    if (key === null) continue;
    const ref = { tenant: event.tenant, entity: view.entity, key };
    refs.set(refText(ref), ref);
  }
  return [...refs.values()];
}

function keyOrNull(view: ViewPlan, record: SourceRecord): string | null {
  try {
    return keyOf(view, record);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
