import { AppError } from "../../../src/errors.ts";
import {
  RejectedByStore,
  type AppendInput,
  type EntityCommit,
  type EntityRef,
  type EntitySnapshot,
  type EventLog,
  type LogEvent,
  type RowMove,
  type Verdict,
} from "../../../src/features/event-log.ts";
import { BYTES_AROUND, mayHaveMore, WAITING_LIMITS } from "../../../src/features/waiting-limits.ts";
import { hash64 } from "../../../src/features/hash64.ts";
import { retractionId } from "../../../src/features/row-events.ts";
import { naiveMet } from "./naive-met.ts";
import { registerTenant } from "./memory-key-store.ts";
import {
  checkDistinct,
  checkIndexable,
  checkStorable,
  compareBytes,
  contribute,
  entitiesInOrder,
  entityKey,
  entityRecord,
  eventKey,
  type EntityRecord,
  type MemoryTruth,
} from "./memory-truth.ts";

/** The event log in memory; every method is atomic, as its statement is. */
export function createMemoryEventLog(truth: MemoryTruth): EventLog {
  return {
    async readChanges(changes) {
      checkStorable(changes);
      return changes.map((change) => {
        const { tenant, source, eventId, row } = change;
        if (row === undefined) throw new TypeError("an event without a row is no change");
        const known = truth.rows.get(eventKey({ tenant, source, eventId: row.key }));
        const stored = (id: string | null): LogEvent | null => {
          const event = truth.events.get(eventKey({ tenant, source, eventId: id ?? "" }));
          return event === undefined ? null : { ...event };
        };
        const missedBy = truth.missed
          .get(eventKey({ tenant, source, eventId: known?.imageId ?? "" }))
          ?.toSorted(compareBytes);
        return {
          row:
            known === undefined
              ? null
              : {
                  order: known.order,
                  image: stored(known.imageId),
                  ...(missedBy !== undefined && { missedBy }),
                },
          taken: stored(eventId),
          tookBack: stored(retractionId(row)),
        };
      });
    },

    async append(input) {
      checkEvents(input);
      const { events, contributions, moves = [], touched, stateIds, feeds, now } = input;
      for (const { tenant } of events) registerTenant(truth, tenant);
      const erased = new Set(
        contributions.flatMap(({ event, entity, key }) => {
          const { tenant = "", ingestTime = 0 } = events[event] ?? {};
          const tombstone =
            truth.entities.get(entityKey({ tenant, entity, key }))?.erasedAt ?? null;
          return tombstone !== null && ingestTime <= tombstone ? [event] : [];
        }),
      );
      const moved = moves.map((move) => moveRow(truth, move));
      const lost = new Set(moves.flatMap((move, i) => (moved[i] === true ? [] : move.events)));
      const verdicts = events.map((event, index) =>
        lost.has(index) ? "unsettled" : erased.has(index) ? "erased" : verdictOf(truth, event),
      );
      let setsAside = false;
      for (const [index, event] of events.entries()) {
        if (verdicts[index] !== "accepted") continue;
        truth.events.set(eventKey(event), { ...event });
        setsAside = setAside(truth, event, feeds) || setsAside;
      }
      for (const { event: index, entity, key } of contributions) {
        const event = events[index];
        if (event === undefined || verdicts[index] !== "accepted") continue;
        const record = entityRecord(truth, { tenant: event.tenant, entity, key });
        record.pending.set(eventKey(event), { event: { ...event }, since: now, knownAt: null });
      }
      const accepted = new Set(
        events.filter((_, index) => verdicts[index] === "accepted").map(eventKey),
      );
      const complete = truth.views.filter(
        (view) => view.complete && stateIds.includes(view.stateId),
      );
      return {
        verdicts,
        moved,
        entities: snapshotsOf(truth, input, accepted),
        completeStates: new Set(complete.map(({ stateId }) => stateId)),
        newerFor: new Set(
          truth.views
            .filter(({ stateId }) => !truth.retired.has(stateId) && !stateIds.includes(stateId))
            .map(({ entity }) => entity)
            .filter((entity) => touched.some((ref) => ref.entity === entity)),
        ),
        setsAside,
        views: viewsInUse(truth),
      };
    },

    async commit(commits, now, feeds, views) {
      checkStorable(commits);
      checkDistinct(commits.map(entityKey));
      const won = commits.map(({ readVersion, builds, ...ref }) => {
        const record = truth.entities.get(entityKey(ref));
        const isSame = (record?.version ?? 0) === readVersion && (record?.builds ?? 0) === builds;
        return isSame && (views === undefined || views === viewsInUse(truth));
      });
      const winners = commits.filter((_, index) => won[index]);
      winners.forEach((commit) => checkFold(truth, commit));
      for (const commit of winners) apply(entityRecord(truth, commit), commit, now);
      for (const commit of winners) derive(truth, commit, now, feeds);
      return { won };
    },

    async findMissed(feeds, limit) {
      const missed = [...truth.missed]
        .toSorted(([a], [b]) => compareBytes(a, b))
        .flatMap(([key, names]) => completeOf(truth, names, feeds).map((feed) => ({ key, feed })));
      const byKey = Map.groupBy(missed.slice(0, limit), ({ key }) => key);
      return [...byKey].flatMap(([key, some]) => {
        const event = truth.events.get(key);
        return event === undefined
          ? []
          : [{ event: { ...event }, feeds: some.map(({ feed }) => feed) }];
      });
    },

    async giveMissed(missed, contributions, now) {
      const taken = missed.flatMap(({ event, feeds }) =>
        takeMissed(truth, eventKey(event), feeds).map((feed) => `${eventKey(event)}\0${feed}`),
      );
      const own = contributions.filter((one) => taken.includes(`${eventKey(one)}\0${one.feed}`));
      contribute(
        truth,
        own.map((one) => ({ ...one, knownAt: null })),
        now,
      );
    },

    async readMet(queries) {
      return queries.map((query) => {
        const log = truth.entities.get(entityKey(query))?.log ?? [];
        const met = log.flatMap(({ knownAt: loggedAt, isMet, isLive, ...one }, i) => {
          const event = truth.events.get(eventKey({ tenant: query.tenant, ...one }));
          if (event === undefined || !isMet) return [];
          return [{ event: { ...event }, version: i + 1, loggedAt, isLive }];
        });
        return naiveMet(query, met);
      });
    },

    async readLogged(tenant, events) {
      return events.flatMap((ref) => {
        const event = truth.events.get(eventKey({ tenant, ...ref }));
        return event === undefined ? [] : [{ ...event }];
      });
    },

    async readWaiting(entities) {
      return entities.map((ref) => waitingSince(truth.entities.get(entityKey(ref))));
    },

    async settleOutbox(projected) {
      for (const { version, ...ref } of projected) {
        const record = truth.entities.get(entityKey(ref));
        const { outbox } = record ?? {};
        if (record === undefined || outbox === null || outbox === undefined) continue;
        if (outbox.version <= version) record.outbox = null;
        else outbox.since = outbox.changedAt;
      }
    },

    async findUnfinished(before, limit, joins, seed) {
      const rankOf = (record: EntityRecord, since: number): number =>
        seed === undefined ? since : hash64(`${seed} ${entityKey(record)}`).high;
      return entitiesInOrder(truth)
        .filter(({ entity }) => !entity.includes("@") || (joins?.includes(entity) ?? true))
        .map((record) => ({ record, since: unfinishedSince(record) }))
        .filter(({ since }) => since < before)
        .map((one) => ({ ...one, rank: rankOf(one.record, one.since) }))
        .toSorted((a, b) => a.rank - b.rank)
        .slice(0, limit)
        .map(({ record: { tenant, entity, key } }) => ({ tenant, entity, key }));
    },
  };
}

const viewsInUse = (truth: MemoryTruth): string =>
  truth.views
    .map(({ stateId }) => stateId)
    .filter((stateId) => !truth.retired.has(stateId))
    .toSorted(compareBytes)
    .join(" ");

/** Whether the row still is where it was read. */
function moveRow(truth: MemoryTruth, { tenant, source, key, from, to, imageId }: RowMove): boolean {
  const id = eventKey({ tenant, source, eventId: key });
  if ((truth.rows.get(id)?.order ?? null) !== from) return false;
  truth.rows.set(id, { order: to, imageId });
  return true;
}

function checkEvents({ events, contributions, moves = [], touched }: AppendInput): void {
  checkStorable([events, contributions, moves, touched]);
  for (const { tenant, source, key } of moves) checkIndexable(tenant, source, key);
  checkDistinct(moves.map(({ tenant, source, key }) => [tenant, source, key].join("\0")));
  for (const event of events) {
    checkIndexable(event.tenant, event.source, event.eventId);
    if (!/^([0-9a-f]{2})*$/i.test(event.bodyHash)) throw new RejectedByStore("A hash is not hex.");
    try {
      JSON.parse(event.body);
    } catch (cause) {
      throw new RejectedByStore("A body is not JSON.", { cause });
    }
  }
  for (const { event, entity, key } of contributions) {
    const { source = "", eventId = "", tenant = "" } = events[event] ?? {};
    checkIndexable(tenant, entity, key, source, eventId);
  }
}

function verdictOf(truth: MemoryTruth, event: LogEvent): Verdict {
  if (truth.beingWritten.has(eventKey(event))) return "unsettled";
  const stored = truth.events.get(eventKey(event));
  if (stored === undefined) return "accepted";
  return stored.bodyHash === event.bodyHash.toLowerCase() ? "duplicate" : "conflict";
}

const isBefore = (a: LogEvent, b: LogEvent): boolean =>
  a.source === b.source ? a.eventId < b.eventId : a.source < b.source;

/** The touched entities with as much of what waits as the limits allow, and what was just added. */
function snapshotsOf(
  truth: MemoryTruth,
  { touched, stateIds, waiting: limits = WAITING_LIMITS }: AppendInput,
  added: ReadonlySet<string>,
): readonly EntitySnapshot[] {
  const isAdded = (event: LogEvent): boolean => added.has(eventKey(event));
  const pendingOf = (ref: EntityRef): readonly LogEvent[] =>
    [...(truth.entities.get(entityKey(ref))?.pending.values() ?? [])]
      .map(({ event, knownAt }) => ({ ...event, knownAt: knownAt ?? event.knownAt }))
      .toSorted((a, b) => (isBefore(a, b) ? -1 : 1));
  const { share, events, toMeet } = limits;
  let beyond = 0;
  const waiting = touched.map((ref) => {
    const all = pendingOf(ref).filter((event) => !isAdded(event));
    const isMeeting = ref.entity.includes("@");
    const first = all.slice(0, isMeeting ? Math.min(share, toMeet) : share);
    const most = Math.min(events - beyond, isMeeting ? toMeet - share : events);
    const further = all.slice(share, share + Math.max(0, most));
    beyond += further.length;
    return { first: [...first, ...further], isMeeting };
  });
  // The first of each entity before the second of any; each event once, where it is first.
  const inTurns = waiting
    .flatMap(({ first }) => first.map((event, place) => ({ event, place })))
    .toSorted((a, b) => a.place - b.place || (isBefore(a.event, b.event) ? -1 : 1));
  const fitting = new Set<string>();
  let bytes = 0;
  for (const { event } of inTurns) {
    if (fitting.has(eventKey(event))) continue;
    if (bytes >= limits.bytes) break;
    bytes += new TextEncoder().encode(event.body).length + BYTES_AROUND;
    fitting.add(eventKey(event));
  }
  return touched.map((ref, i) => {
    const { first, isMeeting } = waiting[i] ?? { first: [], isMeeting: false };
    const unfit = first.findIndex((event) => !fitting.has(eventKey(event)));
    const part = unfit < 0 ? first : first.slice(0, unfit);
    const hasMore = unfit >= 0 || mayHaveMore(limits, isMeeting, first.length, beyond);
    const own = pendingOf(ref).filter(isAdded);
    const isLater = hasMore && own.some(({ sign }) => sign === -1);
    const pending = isLater ? part : [...part, ...own];
    return { ...snapshotOf(truth, ref, stateIds), pending, hasMore };
  });
}

function snapshotOf(
  truth: MemoryTruth,
  { tenant, entity, key }: EntityRef,
  stateIds: readonly string[],
): Omit<EntitySnapshot, "pending" | "hasMore"> {
  const record = truth.entities.get(entityKey({ tenant, entity, key }));
  const states = [...(record?.states ?? [])].filter(([stateId]) => stateIds.includes(stateId));
  return {
    tenant,
    entity,
    key,
    version: record?.version ?? 0,
    builds: record?.builds ?? 0,
    states: new Map(states.map(([stateId, { bytes }]) => [stateId, bytes])),
    waitingSince: waitingSince(record),
    erased: (record?.version ?? 0) === 0 && typeof record?.erasedAt === "number",
  };
}

const waitingSince = (record: EntityRecord | undefined): readonly number[] => [
  ...new Set([...(record?.pending.values() ?? [])].map(({ since }) => since)),
];

const keyOf = (commit: EntityCommit, ref: { source: string; eventId: string }): string =>
  eventKey({ tenant: commit.tenant, ...ref });

/** A fold of what no longer waits refuses the whole statement. */
function checkFold(truth: MemoryTruth, commit: EntityCommit): void {
  const pending = truth.entities.get(entityKey(commit))?.pending;
  const folded = commit.folded.map((ref) => keyOf(commit, ref));
  const distinct = new Set([...folded, ...commit.poisoned.map((ref) => keyOf(commit, ref))]);
  const total = commit.folded.length + commit.poisoned.length;
  if (distinct.size !== total || !folded.every((key) => pending?.has(key))) {
    throw new AppError("internal", "A fold differs from what was waiting.");
  }
  checkDistinct(commit.states.map(({ stateId }) => stateId));
}

function apply(record: EntityRecord, commit: EntityCommit, now: number): void {
  for (const ref of commit.folded) {
    const { event, knownAt = null } = record.pending.get(keyOf(commit, ref)) ?? {};
    const said = knownAt ?? event?.knownAt ?? null;
    const known = Math.min(said ?? now, now);
    const isMet = commit.derived !== undefined;
    record.log.push({ ...ref, knownAt: known, isMet, isLive: said === null });
    record.pending.delete(keyOf(commit, ref));
  }
  for (const ref of commit.poisoned) record.pending.delete(keyOf(commit, ref));
  record.version = commit.readVersion + commit.folded.length;
  for (const { stateId, bytes } of commit.states) {
    record.states.set(stateId, { version: record.version, bytes });
  }
  if (commit.folded.length === 0 || commit.derived !== undefined) return;
  const since = record.outbox?.since ?? now;
  record.outbox = { version: record.version, since, changedAt: now };
}

/** Sets a stored event aside for the feeds of its source that the caller does not know, if any. */
function setAside(
  truth: MemoryTruth,
  event: LogEvent,
  known: readonly string[] | undefined,
): boolean {
  const feeds = [...truth.feeds].flatMap(([name, { source }]) =>
    source === event.source && known?.includes(name) === false ? [name] : [],
  );
  if (feeds.length > 0) truth.missed.set(eventKey(event), feeds);
  return feeds.length > 0;
}

/** Of these feeds those that are known to the caller, and were given all past events. */
const completeOf = (
  truth: MemoryTruth,
  names: readonly string[],
  known: readonly string[],
): readonly string[] =>
  names
    .filter((name) => known.includes(name) && truth.feeds.get(name)?.complete === true)
    .toSorted(compareBytes);

/** Sets an event aside no longer for some feeds, and answers for which it was. */
function takeMissed(truth: MemoryTruth, key: string, feeds: readonly string[]): readonly string[] {
  const names = truth.missed.get(key) ?? [];
  const taken = completeOf(truth, names, feeds);
  const left = names.filter((name) => !taken.includes(name));
  if (left.length > 0) truth.missed.set(key, left);
  else truth.missed.delete(key);
  return taken;
}

/** Stores what a fold made, as an append would: not for the erased, and nothing without what it follows. */
function derive(
  truth: MemoryTruth,
  { tenant, derived = [] }: EntityCommit,
  now: number,
  feeds: readonly string[] | undefined,
): void {
  const inOrder = derived.toSorted(
    (a, b) => Number(a.follows !== null) - Number(b.follows !== null),
  );
  for (const { event, entities, follows } of inOrder) {
    checkIndexable(tenant, event.source, event.eventId);
    const isErased = entities.some((ref) => {
      const erasedAt = truth.entities.get(entityKey(ref))?.erasedAt ?? null;
      return erasedAt !== null && event.ingestTime <= erasedAt;
    });
    const isAlone = follows !== null && !truth.events.has(eventKey({ ...event, eventId: follows }));
    if (isErased || isAlone || truth.events.has(eventKey(event))) continue;
    truth.events.set(eventKey(event), { ...event });
    setAside(truth, event, feeds);
    const followed = eventKey({ ...event, eventId: follows ?? "" });
    // Whoever missed a pair is given it together with what takes it back.
    const taken = takeMissed(truth, followed, feeds ?? []);
    const missed = { source: event.source, eventId: follows ?? "", knownAt: null };
    const others = entities.filter(({ feed = "" }) => taken.includes(feed));
    contribute(
      truth,
      others.map((ref) => ({ ...ref, ...missed })),
      now,
    );
    for (const ref of entities) {
      const record = entityRecord(truth, ref);
      record.pending.set(eventKey(event), { event: { ...event }, since: now, knownAt: null });
    }
  }
}

function unfinishedSince(record: EntityRecord): number {
  const times = [...record.pending.values()].map(({ since }) => since);
  return Math.min(record.outbox?.since ?? Number.POSITIVE_INFINITY, ...times);
}
