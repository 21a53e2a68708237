import type { EntityRef, EntitySnapshot, LogEvent } from "../features/event-log.ts";
import { inOrder, type PairChange } from "../features/pair-changes.ts";
import { PairSearch } from "../features/pair-search.ts";
import { ALWAYS } from "../features/pair-spans.ts";
import { pairEvent, readingRecords } from "../features/pairs.ts";
import type { Registry } from "../features/registry.ts";
import type { JoinPlan } from "../features/source-plan.ts";
import { entitiesOf, refText } from "./entity-refs.ts";
import { queryOf, type JoinContext } from "./fit-pairs.ts";
import { JOIN_LIMITS } from "./join-limits.ts";

/**
 * To whom a join's pairs go that some events of one of its entities take part in, or took the place of:
 * events that are folded already, up to the snapshot's version. Throws AppError
 * `dependency_unavailable`.
 */
export async function givenBy(
  {
    registry,
    log,
    joinLimits: { search: limits } = JOIN_LIMITS,
  }: JoinContext & {
    readonly registry: Registry;
  },
  join: JoinPlan,
  snapshot: EntitySnapshot,
  events: readonly LogEvent[],
): Promise<readonly EntityRef[]> {
  const given = new Map<string, EntityRef>();
  let recordOf = readingRecords();
  const add = (change: PairChange): void => {
    const { event } = pairEvent(join, change, recordOf);
    for (const ref of entitiesOf(registry, event)) given.set(refText(ref), ref);
  };
  const fresh = events.map((event) => ({ event, known: ALWAYS, isFresh: true, isLive: true }));
  const search = new PairSearch(join, fresh.toSorted(inOrder), limits, { isFull: false, add });
  for (let next = search.first(); next !== null; next = search.next()) {
    const query = queryOf(snapshot, next);
    const [answer] = await log.readMet([query]);
    if (answer === undefined) break;
    recordOf = readingRecords();
    search.take(query, answer);
  }
  return [...given.values()];
}
