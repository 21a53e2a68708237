import type { LogEvent, StoredChange, StoredRow } from "../../features/event-log.ts";
import { retractionId } from "../../features/row-events.ts";
import { LOG_EVENT_COLUMNS, logEventFrom } from "./log-event.ts";
import type { SqlRow } from "./sql-client.ts";

/** Rows of tables with their images ($1–$3), and events ($4–$6), looked up one by one. */
export const READ_CHANGES = `
WITH named AS MATERIALIZED (
  SELECT r.row_key, r.order_key, i.tenant, i.source, r.event_id
    FROM unnest($1::text[], $2::text[], $3::text[]) AS i(tenant, source, row_key)
   CROSS JOIN LATERAL (
    SELECT s.row_key, s.order_key, s.event_id FROM source_rows s
     WHERE s.tenant = i.tenant AND s.source = i.source AND s.row_key = i.row_key OFFSET 0) AS r
  UNION ALL
  SELECT NULL, NULL, i.tenant, i.source, i.event_id
    FROM unnest($4::text[], $5::text[], $6::text[]) AS i(tenant, source, event_id)
)
SELECT n.row_key, n.order_key AS row_order, n.tenant AS row_tenant, n.source AS row_source,
       array_to_json(m.feeds)::text AS missed_by, e.*
  FROM named n LEFT JOIN LATERAL (
    SELECT ${LOG_EVENT_COLUMNS} FROM events e
     WHERE e.tenant = n.tenant AND e.source = n.source AND e.event_id = n.event_id OFFSET 0
  ) AS e ON true
  LEFT JOIN LATERAL (
    SELECT array_agg(f.feed ORDER BY f.feed COLLATE "C") AS feeds
      FROM missed_events m CROSS JOIN unnest(m.feeds) AS f(feed)
     WHERE n.row_key IS NOT NULL
       AND m.tenant = n.tenant AND m.source = n.source AND m.event_id = n.event_id OFFSET 0
  ) AS m ON true
 WHERE n.row_key IS NOT NULL OR e.event_id IS NOT NULL`;

/** A row's name or an event's id: what tells them apart within a tenant's source. */
type Named = readonly [tenant: string, source: string, name: string];

const distinct = (named: readonly Named[]): readonly Named[] => [
  ...new Map(named.map((one) => [JSON.stringify(one), one])).values(),
];

const rowsOf = ({ tenant, source, row }: LogEvent): readonly Named[] =>
  row === undefined ? [] : [[tenant, source, row.key]];

/** The event of the change itself, and that of what it took back. */
function idsOf({ tenant, source, eventId, row }: LogEvent): readonly Named[] {
  const ids = row === undefined ? [] : [eventId, retractionId(row)];
  return ids.map((id) => [tenant, source, id]);
}

/** Pure. The parameters of READ_CHANGES: each row and each event once. */
export function changesSought(changes: readonly LogEvent[]) {
  const columns = (named: readonly Named[]) =>
    ([0, 1, 2] as const).map((column) => named.map((one) => one[column]));
  const [rows, ids] = [changes.flatMap(rowsOf), changes.flatMap(idsOf)];
  return [...columns(distinct(rows)), ...columns(distinct(ids))];
}

/** Pure. What the rows of READ_CHANGES say of the changes, in their order. */
export function readChangesResult(
  changes: readonly LogEvent[],
  found: readonly SqlRow[],
): readonly StoredChange[] {
  const rows = new Map<string, StoredRow>();
  const events = new Map<string, LogEvent>();
  for (const line of found) {
    const of = [line["row_tenant"], line["row_source"]];
    const event = line["event_id"] === null ? null : logEventFrom(line);
    if (line["row_key"] !== null) {
      const missed = line["missed_by"];
      const missedBy =
        typeof missed === "string" ? (JSON.parse(missed) as readonly string[]) : null;
      const row = { order: String(line["row_order"]), image: event };
      const name = JSON.stringify([...of, line["row_key"]]);
      rows.set(name, { ...row, ...(missedBy !== null && { missedBy }) });
    } else if (event !== null) {
      events.set(JSON.stringify([...of, event.eventId]), event);
    }
  }
  return changes.map((change) => {
    const [row] = rowsOf(change).map((name) => rows.get(JSON.stringify(name)));
    const [taken, tookBack] = idsOf(change).map((id) => events.get(JSON.stringify(id)));
    return { row: row ?? null, taken: taken ?? null, tookBack: tookBack ?? null };
  });
}
