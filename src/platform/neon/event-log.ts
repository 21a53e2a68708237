import { AppError } from "../../errors.ts";
import {
  RejectedByStore,
  type DerivedEvent,
  type EntityCommit,
  type EntityRef,
  type EventLog,
  type LogEvent,
} from "../../features/event-log.ts";
import { WAITING_LIMITS } from "../../features/waiting-limits.ts";
import { APPEND } from "./append-statement.ts";
import { readAppendResult } from "./append-result.ts";
import { changesSought, READ_CHANGES, readChangesResult } from "./changes-statement.ts";
import { COMMIT, COMMIT_DERIVED, COMMIT_MET } from "./commit-statement.ts";
import { logEventFrom, LOG_EVENT_COLUMNS } from "./log-event.ts";
import { metParams, readMetAnswers, READ_MET, WALK_INDEXES } from "./met-statement.ts";
import { contributionParams, findMissed, GIVE_MISSED } from "./missed-sql.ts";
import { FIND_ANY_UNFINISHED, FIND_UNFINISHED, SETTLE } from "./outbox-statements.ts";
import type { SqlClient } from "./sql-client.ts";
import { isBrokenConstraint } from "./store-error.ts";

/** $1 tenant, $2–$3 sources and ids. */
const READ_LOGGED = `
SELECT e.* FROM unnest($2::text[], $3::text[]) AS r(source, event_id)
 CROSS JOIN LATERAL (
    SELECT ${LOG_EVENT_COLUMNS} FROM events e
     WHERE e.tenant = $1 AND e.source = r.source AND e.event_id = r.event_id OFFSET 0
  ) AS e`;

/** $1–$3 entities. */
const READ_WAITING = `
SELECT t.position::int AS position, w.since
  FROM unnest($1::text[], $2::text[], $3::text[])
         WITH ORDINALITY AS t(tenant, entity, entity_key, position)
 CROSS JOIN LATERAL (
    SELECT DISTINCT p.since FROM pending p
     WHERE p.tenant = t.tenant AND p.entity = t.entity AND p.entity_key = t.entity_key OFFSET 0
  ) AS w`;

const FIND_MISSED = findMissed(LOG_EVENT_COLUMNS);

/**
 * The truth in Postgres, on its default isolation (READ COMMITTED). What an append returns is one
 * snapshot and what it added. A commit that ends after that snapshot moved a version, and the
 * compare-and-set of ours fails; it cannot have taken what we added, since nobody saw it yet.
 */
export function createEventLog(client: SqlClient): EventLog {
  return {
    async readChanges(changes) {
      const rows = await client.query(READ_CHANGES, changesSought(changes));
      return readChangesResult(changes, rows);
    },

    async append(input) {
      const { events, contributions, moves = [], touched, stateIds, feeds, now } = input;
      const { waiting = WAITING_LIMITS } = input;
      const moveOf = new Map(moves.flatMap((move, i) => move.events.map((at) => [at, i + 1])));
      const rows = await client.query(APPEND, [
        events.map((event) => event.tenant),
        events.map((event) => event.source),
        events.map((event) => event.eventId),
        events.map((event) => event.eventTime),
        events.map((event) => event.originalEventTime),
        events.map((event) => event.ingestTime),
        events.map((event) => event.knownAt),
        events.map((event) => event.sign),
        events.map((event) => event.orderKey),
        events.map((event) => event.bodyHash),
        events.map((event) => event.body),
        contributions.map((contribution) => contribution.event + 1),
        contributions.map((contribution) => contribution.entity),
        contributions.map((contribution) => contribution.key),
        touched.map((entity) => entity.tenant),
        touched.map((entity) => entity.entity),
        touched.map((entity) => entity.key),
        stateIds,
        now,
        events.map((_, index) => moveOf.get(index) ?? null),
        moves.map((move) => move.tenant),
        moves.map((move) => move.source),
        moves.map((move) => move.key),
        moves.map((move) => move.from),
        moves.map((move) => move.to),
        moves.map((move) => move.imageId),
        feeds ?? null,
        waiting.share,
        waiting.events,
        waiting.toMeet,
        waiting.bytes,
      ]);
      return readAppendResult(input, rows);
    },

    async commit(commits, now, feeds, views) {
      try {
        const derived = commits.flatMap(({ derived: made = [] }, index) =>
          made.map((one) => ({ ...one, commit: index + 1 })),
        );
        const isMet = commits.some((commit) => commit.derived !== undefined);
        const plain = isMet ? COMMIT_MET : COMMIT;
        const rows = await client.query(derived.length === 0 ? plain : COMMIT_DERIVED, [
          ...commitParams(commits),
          now,
          commits.map(({ builds }) => builds),
          commits.map((commit) => (commit.derived === undefined ? 0 : 1)),
          views ?? null,
          ...(derived.length === 0 ? [] : derivedParams(derived, feeds ?? null)),
        ]);
        const positions = new Set(rows.map((row) => row["position"]));
        return { won: commits.map((_, index) => positions.has(index + 1)) };
      } catch (error) {
        if (!(error instanceof RejectedByStore) || !isBrokenConstraint(error)) throw error;
        throw strangeFold(error.cause);
      }
    },

    async findMissed(feeds, limit) {
      const found = new Map<string, { event: LogEvent; feeds: string[] }>();
      for (const row of await client.query(FIND_MISSED, [feeds, limit])) {
        const event = logEventFrom(row);
        const { tenant, source, eventId } = event;
        const id = JSON.stringify([tenant, source, eventId]);
        const one = found.get(id) ?? { event, feeds: [] };
        found.set(id, one);
        one.feeds.push(...(JSON.parse(String(row["feeds"])) as readonly string[]));
      }
      return [...found.values()];
    },

    async giveMissed(missed, contributions, now) {
      const named = missed.flatMap(({ event, feeds }) => feeds.map((feed) => ({ ...event, feed })));
      await client.query(GIVE_MISSED, [
        ...contributionParams(contributions),
        now,
        contributions.map(({ feed }) => feed),
        named.map(({ tenant }) => tenant),
        named.map(({ source }) => source),
        named.map(({ eventId }) => eventId),
        named.map(({ feed }) => feed),
      ]);
    },

    async readMet(queries) {
      const rows = await client.batch([
        { text: WALK_INDEXES, params: [] },
        { text: READ_MET, params: metParams(queries) },
      ]);
      return readMetAnswers(queries, rows[1] ?? []);
    },

    async readLogged(tenant, events) {
      const rows = await client.query(READ_LOGGED, [
        tenant,
        events.map(({ source }) => source),
        events.map(({ eventId }) => eventId),
      ]);
      return rows.map(logEventFrom);
    },

    async readWaiting(entities) {
      const rows = await client.query(READ_WAITING, entityParams(entities));
      const waiting = entities.map((): number[] => []);
      for (const row of rows) waiting[Number(row["position"]) - 1]?.push(Number(row["since"]));
      return waiting;
    },

    async settleOutbox(projected) {
      await client.query(SETTLE, [
        ...entityParams(projected),
        projected.map(({ version }) => version),
      ]);
    },

    async findUnfinished(before, limit, joins, seed) {
      const asked = [before, limit, joins ?? null] as const;
      const rows =
        seed === undefined
          ? await client.query(FIND_UNFINISHED, asked)
          : await client.query(FIND_ANY_UNFINISHED, [...asked, seed]);
      return rows.map((row) => ({
        tenant: String(row["tenant"]),
        entity: String(row["entity"]),
        key: String(row["entity_key"]),
      }));
    },
  };
}

const strangeFold = (cause?: unknown): AppError =>
  new AppError("internal", "A fold differs from what was waiting.", { cause });

function commitParams(commits: readonly EntityCommit[]) {
  const references = commits.flatMap(({ folded, poisoned }, index) => [
    ...folded.map((event, number) => ({ ...event, commit: index + 1, number: number + 1 })),
    ...poisoned.map((event) => ({ ...event, commit: index + 1, number: null })),
  ]);
  // The statement would number an event twice that is named twice.
  const names = references.map((r) => JSON.stringify([r.commit, r.source, r.eventId]));
  if (new Set(names).size !== names.length) throw strangeFold();
  const states = commits.flatMap((commit, index) =>
    commit.states.map((state) => ({ ...state, commit: index + 1 })),
  );
  return [
    ...entityParams(commits),
    commits.map(({ readVersion }) => readVersion),
    commits.map(({ folded }) => folded.length),
    references.map(({ commit }) => commit),
    references.map(({ number }) => number),
    references.map(({ source }) => source),
    references.map(({ eventId }) => eventId),
    states.map(({ commit }) => commit),
    states.map(({ stateId }) => stateId),
    states.map(({ bytes }) => bytes),
  ] as const;
}

function derivedParams(
  derived: readonly (DerivedEvent & { readonly commit: number })[],
  feeds: readonly string[] | null,
) {
  const given = derived.flatMap(({ entities }, index) =>
    entities.map((entity) => ({ ...entity, derived: index + 1 })),
  );
  return [
    derived.map(({ commit }) => commit),
    derived.map(({ event }) => event.source),
    derived.map(({ event }) => event.eventId),
    derived.map(({ event }) => event.eventTime),
    derived.map(({ event }) => event.ingestTime),
    derived.map(({ event }) => event.knownAt),
    derived.map(({ event }) => event.sign),
    derived.map(({ event }) => event.orderKey),
    derived.map(({ event }) => event.bodyHash),
    derived.map(({ event }) => event.body),
    derived.map(({ follows }) => follows),
    given.map((one) => one.derived),
    given.map(({ entity }) => entity),
    given.map(({ key }) => key),
    feeds,
    given.map(({ feed }) => feed ?? null),
  ] as const;
}

function entityParams(entities: readonly EntityRef[]) {
  return [
    entities.map(({ tenant }) => tenant),
    entities.map(({ entity }) => entity),
    entities.map(({ key }) => key),
  ] as const;
}
