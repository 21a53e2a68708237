import type { LogEvent } from "../features/event-log.ts";
import { err, ok, type Result } from "../result.ts";
import { parseMessage } from "./parse-message.ts";

/**
 * What quarantine keeps so that it can be replayed: a record as it was sent, which was never
 * accepted, or an accepted event, masked and complete, which only has to be delivered again.
 */
export type Kept =
  | {
      readonly kind: "record";
      readonly text: string;
      /** When it was known, for imports; epoch ms. */
      readonly knownAt: number | null;
      /** Whether it was too long to be kept whole. */
      readonly cut: boolean;
    }
  | { readonly kind: "event"; readonly event: LogEvent };

/** Sealed and in base64, a record still fits in a queue message. */
const MAX_RECORD_BYTES = 60_000;

/** Pure. A refused record as text: a line that says what it is, then the record as it was sent. */
export function recordToKeep(text: string, knownAt: number | null): string {
  const bytes = new TextEncoder().encode(text);
  const cut = bytes.length > MAX_RECORD_BYTES;
  const kept = cut ? new TextDecoder().decode(bytes.subarray(0, MAX_RECORD_BYTES)) : text;
  return `${JSON.stringify({ kind: "record", known_at: knownAt, cut })}\n${kept}`;
}

/** Pure. An accepted event as text. */
export const eventToKeep = (event: LogEvent): string =>
  `${JSON.stringify({ kind: "event" })}\n${JSON.stringify(event)}`;

/** Pure. Reads what the two functions above wrote; the error is a sentence. */
export function readKept(text: string): Result<Kept, string> {
  const end = text.indexOf("\n");
  const head = parse(text.slice(0, Math.max(0, end))) as {
    kind?: unknown;
    known_at?: unknown;
    cut?: unknown;
  } | null;
  const rest = text.slice(end + 1);
  if (head?.kind === "record") {
    const knownAt = typeof head.known_at === "number" ? head.known_at : null;
    return ok({ kind: "record", text: rest, knownAt, cut: head.cut === true });
  }
  if (head?.kind !== "event") return err("what was kept is neither a record nor an event");
  const message = parseMessage({
    v: 1,
    kind: "events",
    events: [parse(rest)],
    wait: null,
    traceparent: null,
  });
  const event = message.ok && message.value.kind === "events" ? message.value.events[0] : undefined;
  return event === undefined
    ? err("the event that was kept is damaged")
    : ok({ kind: "event", event });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
