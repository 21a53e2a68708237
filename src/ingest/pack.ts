import type { LogEvent } from "../features/event-log.ts";
import type { IngestMessage } from "./envelope.ts";

/** Small enough that a message stays well under the queue's 128 kB. */
const MAX_EVENTS = 50;
const MAX_CHARS = 40_000;

/** Pure. Events in as few messages as fit; `token` numbers them as parts of a waiting request. */
export function packEvents(
  events: readonly LogEvent[],
  token: string | null,
  traceparent: string | null,
): readonly IngestMessage[] {
  const groups: LogEvent[][] = [];
  let size = 0;
  for (const event of events) {
    // A character is at most three bytes: of UTF-8, or of ASCII escaped once more.
    const { body, eventId, orderKey, row } = event;
    const names = eventId.length + orderKey.length + (row === undefined ? 0 : eventId.length + 40);
    const chars = body.length + names + 400;
    const group = groups.at(-1);
    if (group === undefined || group.length >= MAX_EVENTS || size + chars > MAX_CHARS) {
      groups.push([event]);
      size = chars;
    } else {
      group.push(event);
      size += chars;
    }
  }
  return groups.map((group, part) => ({
    v: 1,
    kind: "events",
    events: group,
    wait: token === null ? null : { token, part },
    traceparent,
  }));
}
