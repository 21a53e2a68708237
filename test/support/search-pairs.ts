import fc from "fast-check";
import type { MetEvent } from "../../src/features/met-events.ts";
import { inOrder, type PairChange, type Side } from "../../src/features/pair-changes.ts";
import { PairSearch, type SearchLimits, type Wanted } from "../../src/features/pair-search.ts";
import type { JoinPlan } from "../../src/features/source-plan.ts";
import { JOIN_LIMITS, type JoinLimits } from "../../src/ingest/join-limits.ts";
import { naiveMet } from "./fakes/naive-met.ts";

export const joinOf = (withinMs: number, fanOut: number): JoinPlan => ({
  name: "pairs",
  left: "clicks",
  right: "orders",
  on: [{ left: "who", right: "who" }],
  withinMs,
  fanOut,
  sourceId: "pairs@1",
  fields: {
    left: [
      { from: "who", to: "who" },
      { from: "ad", to: "clicks__ad" },
    ],
    right: [{ from: "price", to: "orders__price" }],
  },
});

export const ROOMY: SearchLimits = {
  rights: 500,
  lefts: 2_000,
  bytes: 1e9,
  spare: 32,
  counted: 2_000,
};

/** So that whatever can be cut is cut somewhere. */
export const anyTightLimits: fc.Arbitrary<SearchLimits> = fc.record({
  rights: fc.integer({ min: 1, max: 3 }),
  lefts: fc.integer({ min: 1, max: 3 }),
  bytes: fc.constantFrom(1, 150, 1e9),
  spare: fc.integer({ min: 0, max: 2 }),
  counted: fc.integer({ min: 1, max: 9 }),
});

/** The same for folds: a few events and pairs at a time, of a few rows. */
const TIGHT: JoinLimits = {
  search: { rights: 2, lefts: 3, bytes: 200, spare: 0, counted: 3 },
  events: 4,
  round: { pairs: 3, chars: 1e6 },
  event: { pairs: 1_000, chars: 1e9 },
};

export const anyJoinLimits: fc.Arbitrary<JoinLimits> = fc.constantFrom(JOIN_LIMITS, TIGHT);

export interface Scene {
  readonly join: JoinPlan;
  readonly fresh: readonly Side[];
  readonly logged: readonly MetEvent[];
}

const MAX_LOOKS = 5_000;

/**
 * All changes that a search finds, and what it read for them. What is read first may be for more fresh
 * events.
 */
export function searchAll(
  { join, fresh, logged }: Scene,
  limits: SearchLimits = ROOMY,
  begin: readonly Side[] = fresh,
) {
  const changes: PairChange[] = [];
  const sink = { isFull: false, add: (one: PairChange) => void changes.push(one) };
  const search = new PairSearch(join, fresh.toSorted(inOrder), limits, sink);
  let [looks, rows] = [0, 0];
  const look = (wanted: Wanted | null): boolean => {
    if (wanted === null) return false;
    const query = { ...wanted, tenant: "t", entity: "pairs@1", key: "k", upTo: logged.length };
    const answer = naiveMet(query, logged);
    looks += 1;
    rows += answer.rights.length + answer.lefts.length;
    search.take(query, answer);
    if (looks > MAX_LOOKS) throw new Error("the search does not end");
    return true;
  };
  look(new PairSearch(join, begin.toSorted(inOrder), limits, sink).first());
  while (look(search.next()));
  return { changes, looks, rows };
}
