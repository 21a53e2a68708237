import { err, type Result } from "../result.ts";

/** Why an event is not accepted: a stable code, and a sentence without any of its values. */
export interface Rejection {
  readonly code: "invalid_event" | "event_in_future" | "event_too_large" | "event_id_conflict";
  readonly detail: string;
}

/** Pure. The refusal of what does not fit its source. */
export const invalid = (detail: string): Result<never, Rejection> =>
  err({ code: "invalid_event", detail });
