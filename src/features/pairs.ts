import type { DerivedEvent, LogEvent } from "./event-log.ts";
import type { PairChange } from "./pair-changes.ts";
import { recordFromText, recordToText, type SourceRecord } from "./source-record.ts";
import type { JoinPlan, PairField } from "./source-plan.ts";

const BETWEEN = "‖";

/** No longer in UTF-8 than before, but for `%`; so that two ids of 256 characters fit in an index. */
const escaped = (id: string): string => id.replaceAll("%", "%25").replaceAll(BETWEEN, "%7C");

/** Pure. The id of a pair; distinct pairs never collide, nor do they with what changes them. */
const pairId = (left: LogEvent, right: LogEvent): string =>
  `${escaped(left.eventId)}${BETWEEN}${escaped(right.eventId)}`;

/** Pure. An order key as pairs have it: no escaped key holds a bare \u0001, and none is less: the order is by the first key, then the second. */
export const ordered = (key: string): string =>
  key.replaceAll("\u0002", "\u0002\u0002").replaceAll("\u0001", "\u0002\u0001");

/** Reads each event's record once, for all the pairs that it is in. */
type RecordOf = (event: LogEvent) => SourceRecord;

export function readingRecords(): RecordOf {
  const records = new Map<LogEvent, SourceRecord>();
  return (event) => {
    const record = records.get(event) ?? recordFromText(event.body);
    records.set(event, record);
    return record;
  };
}

const taken = (fields: readonly PairField[], record: SourceRecord): SourceRecord =>
  Object.fromEntries(fields.map(({ from, to }) => [to, record[from] ?? null]));

/**
 * Pure. A change of a join's pairs as an event: it happens when the right event does; ties are
 * decided by the right event's order key, then the left one's.
 */
export function pairEvent(
  plan: JoinPlan,
  { left, right, sign, mark, knownAt, ingestTime }: PairChange,
  recordOf: RecordOf,
): Omit<DerivedEvent, "entities"> {
  const [l, r] = [left.event, right.event];
  const id = pairId(l, r);
  const record = {
    ...taken(plan.fields.left, recordOf(l)),
    ...taken(plan.fields.right, recordOf(r)),
  };
  const event: LogEvent = {
    tenant: l.tenant,
    source: plan.sourceId,
    eventId: mark === "" ? id : `${id}${BETWEEN}${mark}`,
    eventTime: r.eventTime,
    originalEventTime: null,
    ingestTime,
    orderKey: `${ordered(r.orderKey)}\u0001${ordered(l.orderKey)}`,
    sign,
    body: recordToText(record),
    bodyHash: l.bodyHash.slice(0, 16) + r.bodyHash.slice(0, 16),
    knownAt,
  };
  return { event, follows: mark === "" ? null : id };
}
