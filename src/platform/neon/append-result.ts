import type {
  AppendInput,
  AppendResult,
  EntitySnapshot,
  LogEvent,
  Verdict,
} from "../../features/event-log.ts";
import { isJoinId } from "../../features/feeds.ts";
import { mayHaveMore, WAITING_LIMITS } from "../../features/waiting-limits.ts";
import { logEventFrom } from "./log-event.ts";
import type { SqlRow } from "./sql-client.ts";

const VERDICTS: ReadonlyMap<string, Verdict> = new Map([
  ["a", "accepted"],
  ["d", "duplicate"],
  ["c", "conflict"],
  ["e", "erased"],
  ["u", "unsettled"],
]);

/** Pure. What the rows of APPEND say, joined with the events that it stored. */
export function readAppendResult(input: AppendInput, rows: readonly SqlRow[]): AppendResult {
  const letters = new Map(rows.map((row) => [row["kind"], row["a"]])).get("verdicts");
  const verdicts = input.events.map((_, index) => {
    const verdict = VERDICTS.get(String(letters).charAt(index));
    if (verdict === undefined) throw new Error("The append answered without a verdict.");
    return verdict;
  });
  const stored = new Map<string, LogEvent>();
  for (const row of ofKind(rows, "event")) stored.set(eventKey(row), unpackedEvent(row));

  const heads = new Map<number, { readonly version: number; readonly builds: number }>();
  for (const row of ofKind(rows, "head")) {
    heads.set(indexOf(row), { version: Number(row["a"]), builds: Number(row["b"]) });
  }
  const moved = new Set(ofKind(rows, "moved").map(indexOf));
  const erased = new Set(ofKind(rows, "erased").map(indexOf));
  const states = new Map<number, Map<string, string>>();
  for (const row of ofKind(rows, "state")) {
    grouped(states, indexOf(row), () => new Map()).set(String(row["a"]), String(row["b"]));
  }
  const waiting = new Map<number, (LogEvent | null)[]>();
  const since = new Map<number, Set<number>>();
  for (const row of ofKind(rows, "waiting")) {
    const event = stored.get(eventKey(row)) ?? null;
    // Of what waits, the first one always fits.
    if (stored.size === 0) throw new Error("An event waits that the log does not hold.");
    const known = row["d"] ?? null;
    const own = known === null || event === null ? event : { ...event, knownAt: Number(known) };
    grouped(waiting, indexOf(row), () => [])[Number(row["f"]) - 1] = own;
    grouped(since, indexOf(row), () => new Set()).add(Number(row["e"]));
  }
  const limits = input.waiting ?? WAITING_LIMITS;
  const beyond = [...waiting.values()].reduce(
    (sum, { length }) => sum + Math.max(0, length - limits.share),
    0,
  );
  const added = addedEvents(input, verdicts);

  return {
    verdicts,
    moved: (input.moves ?? []).map((_, index) => moved.has(index)),
    entities: input.touched.map(({ tenant, entity, key }, index): EntitySnapshot => {
      const { version, builds } = heads.get(index) ?? { version: 0, builds: 0 };
      const fresh = added.get(entityKey({ tenant, entity, key })) ?? new Set();
      const waitingSince = new Set(since.get(index));
      if (fresh.size > 0) waitingSince.add(input.now);
      const all = waiting.get(index) ?? [];
      const mayBeMore = mayHaveMore(limits, isJoinId(entity), all.length, beyond);
      return {
        tenant,
        entity,
        key,
        version,
        builds,
        states: states.get(index) ?? new Map(),
        ...partOf(all, mayBeMore, [...fresh]),
        waitingSince: [...waitingSince],
        erased: version === 0 && erased.has(index),
      };
    }),
    completeStates: new Set(ofKind(rows, "complete").map((row) => String(row["a"]))),
    newerFor: new Set(ofKind(rows, "newer").map((row) => String(row["a"]))),
    setsAside: ofKind(rows, "aside").length > 0,
    views: String(ofKind(rows, "views")[0]?.["a"]),
  };
}

/**
 * Pure. What is folded at once: what waits, in its order, as far as it came with its records, and what
 * was just added.
 */
function partOf(
  waiting: readonly (LogEvent | null)[],
  mayBeMore: boolean,
  added: readonly LogEvent[],
): Pick<EntitySnapshot, "pending" | "hasMore"> {
  const without = waiting.indexOf(null);
  const hasMore = mayBeMore || without >= 0;
  const isLater = hasMore && added.some(({ sign }) => sign === -1);
  const fitting = without < 0 ? waiting : waiting.slice(0, without);
  const part = fitting.filter((event) => event !== null);
  return { pending: isLater ? part : [...part, ...added], hasMore };
}

/** By entity, the accepted events: the snapshot that was read does not see them yet. */
function addedEvents(input: AppendInput, verdicts: readonly Verdict[]): Map<string, Set<LogEvent>> {
  const added = new Map<string, Set<LogEvent>>();
  for (const contribution of input.contributions) {
    const event = input.events[contribution.event];
    if (event === undefined || verdicts[contribution.event] !== "accepted") continue;
    grouped(added, entityKey({ ...contribution, tenant: event.tenant }), () => new Set()).add(
      event,
    );
  }
  return added;
}

const ofKind = (rows: readonly SqlRow[], kind: string): readonly SqlRow[] =>
  rows.filter((row) => row["kind"] === kind);

/** Positions count from 1. */
const indexOf = (row: SqlRow): number => Number(row["position"]) - 1;

const eventKey = (row: SqlRow): string => JSON.stringify([row["a"], row["b"], row["c"]]);

const entityKey = (ref: { tenant: string; entity: string; key: string }): string =>
  JSON.stringify([ref.tenant, ref.entity, ref.key]);

function grouped<K, V>(groups: Map<K, V>, key: K, empty: () => V): V {
  const group = groups.get(key) ?? empty();
  groups.set(key, group);
  return group;
}

function unpackedEvent(row: SqlRow): LogEvent {
  const [eventTime, original, ingestTime, known, sign, bodyHash] = String(row["f"]).split(",");
  return logEventFrom({
    tenant: row["a"] ?? null,
    source: row["b"] ?? null,
    event_id: row["c"] ?? null,
    order_key: row["d"] ?? null,
    body: row["e"] ?? null,
    event_time: eventTime ?? null,
    original_event_time: original === "" ? null : (original ?? null),
    ingest_time: ingestTime ?? null,
    known_at: known === "" ? null : (known ?? null),
    sign: sign ?? null,
    body_hash: bodyHash ?? null,
  });
}
