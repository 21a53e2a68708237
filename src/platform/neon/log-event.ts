import type { LogEvent } from "../../features/event-log.ts";
import type { SqlRow } from "./sql-client.ts";

/** Columns of `events e`, for `logEventFrom`. */
export const LOG_EVENT_COLUMNS = `e.tenant, e.source, e.event_id, e.event_time,
  e.original_event_time, e.ingest_time, e.known_at, e.sign, e.order_key,
  encode(e.body_hash, 'hex') AS body_hash, e.body::text AS body`;

/** In the place of LOG_EVENT_COLUMNS in a row without an event. */
export const NO_EVENT_COLUMNS = "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL";

/** Pure. The event in a row of LOG_EVENT_COLUMNS. */
export function logEventFrom(row: SqlRow): LogEvent {
  return {
    tenant: String(row["tenant"]),
    source: String(row["source"]),
    eventId: String(row["event_id"]),
    eventTime: Number(row["event_time"]),
    originalEventTime: wholeOrNull(row["original_event_time"]),
    ingestTime: Number(row["ingest_time"]),
    orderKey: String(row["order_key"]),
    sign: Number(row["sign"]) < 0 ? -1 : 1,
    body: String(row["body"]),
    bodyHash: String(row["body_hash"]),
    knownAt: wholeOrNull(row["known_at"]),
  };
}

function wholeOrNull(value: SqlRow[string] | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}
