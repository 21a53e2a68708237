import { AppError } from "../../errors.ts";
import {
  RejectedByStore,
  type EntityCommit,
  type EventLog,
  type ProjectedVersion,
} from "../../features/event-log.ts";
import { APPEND } from "./append-statement.ts";
import { readAppendResult } from "./append-result.ts";
import { changesSought, READ_CHANGES, readChangesResult } from "./changes-statement.ts";
import { COMMIT } from "./commit-statement.ts";
import { FIND_UNFINISHED, SETTLE } from "./outbox-statements.ts";
import type { SqlClient } from "./sql-client.ts";
import { isBrokenConstraint } from "./store-error.ts";

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
      const { events, contributions, moves = [], touched, stateIds, now } = input;
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
      ]);
      return readAppendResult(input, rows);
    },

    async commit(commits, now) {
      try {
        const rows = await client.query(COMMIT, [
          ...commitParams(commits),
          now,
          commits.map(({ builds }) => builds),
        ]);
        const positions = new Set(rows.map((row) => row["position"]));
        return { won: commits.map((_, index) => positions.has(index + 1)) };
      } catch (error) {
        if (!(error instanceof RejectedByStore) || !isBrokenConstraint(error)) throw error;
        throw strangeFold(error.cause);
      }
    },

    async settleOutbox(projected) {
      await client.query(SETTLE, [
        ...entityParams(projected),
        projected.map(({ version }) => version),
      ]);
    },

    async findUnfinished(before, limit) {
      const rows = await client.query(FIND_UNFINISHED, [before, limit]);
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

function entityParams(entities: readonly (EntityCommit | ProjectedVersion)[]) {
  return [
    entities.map(({ tenant }) => tenant),
    entities.map(({ entity }) => entity),
    entities.map(({ key }) => key),
  ] as const;
}
