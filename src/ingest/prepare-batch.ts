import type { EntityRef, LogEvent } from "../features/event-log.ts";
import type { Registry } from "../features/registry.ts";
import { entitiesOf, idText } from "./entity-refs.ts";
import { refusalOf } from "./fold.ts";
import type { Refused } from "./refused.ts";

/** A batch as it can be appended: what it repeats or no definition knows is set apart. */
export interface Prepared {
  readonly events: LogEvent[];
  /** Per event of the batch, repeats included, the entities that it touches. */
  readonly touchedBy: (readonly EntityRef[])[];
  readonly refused: Refused[];
}

/** Pure. Drops repeats within the batch, and refuses events that no definition knows. */
export function prepareBatch(registry: Registry, events: readonly LogEvent[]): Prepared {
  const prepared: Prepared = { events: [], touchedBy: [], refused: [] };
  const seen = new Map<string, LogEvent>();
  for (const event of events) {
    const touches = touchedOrRefused(registry, event);
    prepared.touchedBy.push("refs" in touches ? touches.refs : []);
    if ("refused" in touches) {
      prepared.refused.push(touches.refused);
      continue;
    }
    const id = idText(event);
    const first = seen.get(id);
    if (first === undefined) {
      seen.set(id, event);
      prepared.events.push(event);
    } else if (first.bodyHash !== event.bodyHash) {
      prepared.refused.push(conflict(event));
    }
  }
  return prepared;
}

function touchedOrRefused(
  registry: Registry,
  event: LogEvent,
): { readonly refs: readonly EntityRef[] } | { readonly refused: Refused } {
  const source = registry.sources.get(event.source);
  if (source === undefined || source.join !== null) {
    const detail = "no definition of this deployment knows the source";
    return { refused: { event, reason: "unknown_source", detail } };
  }
  try {
    return { refs: entitiesOf(registry, event) };
  } catch (error) {
    return { refused: { event, reason: "fold_failed", detail: refusalOf(error) } };
  }
}

/** Pure. The refusal of an event whose id is taken. */
export const conflict = (event: LogEvent): Refused => ({
  event,
  reason: "event_id_conflict",
  detail: "an event with this id and another body came first",
});
