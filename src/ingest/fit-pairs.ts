import { AppError } from "../errors.ts";
import type { EntitySnapshot, EventLog } from "../features/event-log.ts";
import type { MetAnswer, MetQuery } from "../features/met-events.ts";
import { inOrder, type PairChange, type Side } from "../features/pair-changes.ts";
import { freshSide, PairSearch, type Wanted } from "../features/pair-search.ts";
import type { JoinPlan } from "../features/source-plan.ts";
import { Changes, type JoinLimits, type Room } from "./join-limits.ts";

type MetLog = Pick<EventLog, "readMet">;

export interface JoinContext {
  readonly log: MetLog;
  /** Those of a Worker where nothing is said. */
  readonly joinLimits?: JoinLimits | undefined;
}

/** An entity where sources meet. */
export interface Meeting {
  readonly snapshot: EntitySnapshot;
  readonly join: JoinPlan;
}

const NOTHING: MetAnswer = {
  rights: [],
  areRightsCut: false,
  spans: [],
  lefts: [],
  areLeftsCut: false,
};

/** What is pending of a meeting, as much as is folded at once, and what was read of its log first. */
export interface Begun extends Meeting {
  /** In order. */
  readonly fresh: readonly Side[];
  readonly query: MetQuery | null;
  /** Null where the store failed. */
  readonly answer: MetAnswer | null;
}

/** Pure. What is wanted, of this entity's log as far as the snapshot knows it. */
export const queryOf = (
  { tenant, entity, key, version }: EntitySnapshot,
  wanted: Wanted,
): MetQuery => ({
  ...wanted,
  tenant,
  entity,
  key,
  upTo: version,
});

/** What so many together may have, in looks of one. */
const LOOKS_AT_ONCE = 4;

function sharing({ most, ...wanted }: Wanted, among: number): Wanted {
  const share = (all: number): number => Math.min(all, Math.ceil((all * LOOKS_AT_ONCE) / among));
  const { perStart, rights, lefts, bytes } = most;
  return {
    ...wanted,
    most: { perStart, rights: share(rights), lefts: share(lefts), bytes: share(bytes) },
  };
}

/** Reads, for a page of meetings in one round trip, what most of them need of their logs. */
export async function beginPairs(
  log: MetLog,
  page: readonly Meeting[],
  now: number,
  limits: JoinLimits,
): Promise<readonly Begun[]> {
  const begun = page.map(({ snapshot, join }) => {
    const pending = snapshot.pending.map((event) => freshSide(event, now)).toSorted(inOrder);
    const fresh = pending.slice(0, limits.events);
    const wanted = new PairSearch(join, fresh, limits.search, new Changes(limits.round)).first();
    const query = wanted === null ? null : queryOf(snapshot, sharing(wanted, page.length));
    return { snapshot, join, fresh, query };
  });
  const queries = begun.flatMap(({ query }) => (query === null || query.upTo === 0 ? [] : [query]));
  const read = queries.length === 0 ? [] : await readOrNull(log, queries);
  const answers = new Map(queries.map((query, i) => [query, read === null ? null : read[i]]));
  return begun.map((one) => {
    const answer = one.query === null ? undefined : answers.get(one.query);
    return { ...one, answer: answer === undefined ? NOTHING : answer };
  });
}

/** A store that fails has nothing: the commit of the other folds tells whether it is down. */
async function readOrNull(log: MetLog, queries: readonly MetQuery[]) {
  try {
    return await log.readMet(queries);
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}

/** What some pending events come to. */
export interface Fitting {
  readonly taken: readonly Side[];
  readonly changes: readonly PairChange[];
  readonly size: Room;
  /** Whether `taken` is one event that makes more than a commit takes. */
  readonly isTooMuch: boolean;
}

/** Fewer events, where these make more than there is room for, and nothing later was looked at. */
function fewer(taken: readonly Side[], changes: readonly PairChange[]): readonly Side[] {
  const reached = changes.at(-1)?.right.event.eventTime ?? Number.NEGATIVE_INFINITY;
  const count = taken.filter(({ event }) => event.eventTime <= reached).length;
  return taken.slice(0, Math.max(1, Math.min(taken.length >> 1, Math.floor((count * 7) / 8))));
}

/**
 * As many pending events as make no more pairs than there is room for; one where none fits. Null
 * where their past cannot be read.
 */
export async function fitPairs(
  log: MetLog,
  { join, snapshot, fresh, query, answer }: Begun,
  room: Room,
  limits: JoinLimits,
): Promise<Fitting | null> {
  if (answer === null) return null;
  let taken = fresh;
  for (;;) {
    const changes = new Changes(taken.length > 1 ? room : limits.event);
    const search = new PairSearch(join, taken, limits.search, changes);
    if (query !== null) search.take(query, answer);
    for (let next = search.next(); next !== null && !changes.isFull; next = search.next()) {
      const asked = queryOf(snapshot, next);
      const read = snapshot.version === 0 ? [NOTHING] : await readOrNull(log, [asked]);
      if (read?.[0] === undefined) return null;
      search.take(asked, read[0]);
    }
    const { list, size, isFull } = changes;
    if (!isFull || taken.length <= 1) return { taken, changes: list, size, isTooMuch: isFull };
    taken = fewer(taken, list);
  }
}
