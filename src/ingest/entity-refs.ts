import type { EntityRef, LogEvent } from "../features/event-log.ts";
import { keyOf } from "../features/fold-view.ts";
import type { Registry } from "../features/registry.ts";
import { recordFromText } from "../features/source-record.ts";

/** Pure. A text that names an entity, for sets and maps. */
export const refText = ({ tenant, entity, key }: EntityRef): string =>
  `${tenant}\n${entity}\n${key}`;

/** Pure. The name of an entity alone. */
export const refOf = ({ tenant, entity, key }: EntityRef): EntityRef => ({ tenant, entity, key });

/** Pure. The entities that an event touches through the views of its source. */
export function entitiesOf(registry: Registry, event: LogEvent): readonly EntityRef[] {
  const record = recordFromText(event.body);
  const refs = new Map<string, EntityRef>();
  for (const view of registry.viewsBySource.get(event.source) ?? []) {
    const key = keyOf(view, record);
    if (key === null) continue;
    const ref = { tenant: event.tenant, entity: view.entity, key };
    refs.set(refText(ref), ref);
  }
  return [...refs.values()];
}
