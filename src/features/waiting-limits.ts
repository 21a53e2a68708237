/** How much of what waits an append answers, beside what it adds. */
export interface WaitingLimits {
  /** The first events of each touched entity that are answered in any case. */
  readonly share: number;
  /** Events in all beyond these: entity by entity, as they are named. */
  readonly events: number;
  /** The most of an entity where sources meet. */
  readonly toMeet: number;
  /** Bytes of their records and around them in all, but for the one with which there are so many. */
  readonly bytes: number;
}

/** An answer of the database holds less than 64 MB, and a Worker 128. */
export const WAITING_LIMITS: WaitingLimits = {
  share: 100,
  events: 5_000,
  toMeet: 500,
  bytes: 8 * 2 ** 20,
};

/** Of an event in an answer, beside its record. */
export const BYTES_AROUND = 400;

/** Pure. Whether more may wait for an entity than the `count` that were found, `beyond` the shares in all. */
export const mayHaveMore = (
  { share, events, toMeet }: WaitingLimits,
  isMeeting: boolean,
  count: number,
  beyond: number,
): boolean =>
  count >= (isMeeting ? Math.min(share, toMeet) : share) &&
  (count >= (isMeeting ? toMeet : share + events) || beyond >= events);
