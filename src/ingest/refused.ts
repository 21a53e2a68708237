import type { LogEvent } from "../features/event-log.ts";

/** An event that is not applied and never will be, and why. */
export interface Refused {
  readonly event: LogEvent;
  readonly reason: "event_id_conflict" | "unknown_source" | "fold_failed" | "store_refused";
  readonly detail: string;
}
