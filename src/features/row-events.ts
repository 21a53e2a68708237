import type { LogEvent, RowChange } from "./event-log.ts";

/** Ids of a change's events sort so that what is taken back precedes what takes its place. */
const marks = { takenBack: "*", image: "+", deleted: "-" } as const;

/**
 * Pure. The id of a change: its order and its row. `order` ends in `+`, or in `-` for a delete
 * (which thereby follows whatever has the same order).
 */
export const changeId = ({ order, key }: RowChange): string => `${order}${key}`;

/** Pure. The id of the event by which a change takes back what its row was. */
export const retractionId = ({ order, key }: RowChange): string =>
  order.endsWith(marks.deleted)
    ? `${order}${key}`
    : `${order.slice(0, -1)}${marks.takenBack}${key}`;

/** Pure. The order of a change, of the order-preserving text of its sender's order. */
export const changeOrder = (text: string, isDelete: boolean): string =>
  text + (isDelete ? marks.deleted : marks.image);

/** Pure. What takes an image back, because of a change. */
export const retractionOf = (image: LogEvent, change: LogEvent, row: RowChange): LogEvent => ({
  ...image,
  eventId: retractionId(row),
  ingestTime: change.ingestTime,
  knownAt: change.knownAt,
  sign: -1,
});
