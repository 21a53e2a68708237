import type { Contribution, EntityRef, LogEvent } from "../../src/features/event-log.ts";

/** A tenant that no other test uses. */
export const newTenant = (): string => `t${crypto.randomUUID().replaceAll("-", "")}`;

/** An event of which a test names only what matters to it. */
export function logEvent(
  tenant: string,
  eventId: string,
  fields: Partial<LogEvent> = {},
): LogEvent {
  return {
    tenant,
    source: "payments",
    eventId,
    eventTime: 1_000,
    originalEventTime: null,
    ingestTime: 2_000,
    orderKey: eventId,
    sign: 1,
    body: '{"amount":"12.50","note":"caf\u00e9"}',
    bodyHash: "00112233445566778899aabbccddeeff",
    knownAt: null,
    ...fields,
  };
}

/** Every event contributes to every entity. */
export const contributionsOf = (
  events: readonly LogEvent[],
  entities: readonly EntityRef[],
): readonly Contribution[] =>
  events.flatMap((_, event) => entities.map((entity) => ({ ...entity, event })));
