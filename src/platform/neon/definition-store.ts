import type {
  DefinitionStore,
  EntityHistory,
  EntityVersion,
  NumberedEvent,
  RegisteredView,
} from "../../features/definition-store.ts";
import {
  LIST,
  WITHDRAW,
  RETIRE,
  FORGET_STATES,
  KEEP_COMMITS,
  BE_BRIEF,
  RETURN,
  REGISTER,
  READ_HISTORIES,
  READ_VERSIONS,
  PUT_STATES,
  READ_EVENTS,
} from "./definition-statements.ts";
import { COMPLETE_FEEDS, FORGET_JOINS, REGISTER_FEEDS } from "./feed-statements.ts";
import { logEventFrom } from "./log-event.ts";
import { ADD_CONTRIBUTIONS, contributionParams } from "./missed-sql.ts";
import type { SqlClient, SqlRow } from "./sql-client.ts";

const FORGOTTEN_AT_ONCE = 20_000;

/** The registry and the histories, in Postgres. */
export function createDefinitionStore(client: SqlClient): DefinitionStore {
  const listViews = async (): Promise<readonly RegisteredView[]> =>
    (await client.query(LIST, [])).map(registeredView);

  return {
    listViews,

    async registerFeeds(feeds) {
      const names = feeds.map(({ name }) => name);
      const sources = feeds.map(({ source }) => source);
      const areNew = feeds.map(({ isNew }) => String(isNew));
      const [lock, insert, open] = REGISTER_FEEDS;
      const [, , , rows = []] = await client.batch([
        BE_BRIEF,
        { text: lock, params: [] },
        { text: insert, params: [names, sources, areNew] },
        { text: open, params: [names] },
      ]);
      return rows.map((row) => String(row["name"]));
    },

    async completeFeeds(names) {
      const [forget, complete, tidy] = COMPLETE_FEEDS;
      await client.batch([
        { text: forget, params: [names] },
        { text: complete, params: [names] },
        { text: tidy, params: [] },
      ]);
    },

    async withdrawViews(kept) {
      return (await client.query(WITHDRAW, [kept])).length;
    },

    async retireViews(kept, now) {
      await client.query(RETIRE, [kept, now]);
    },

    async registerViews(views, now) {
      const stateIds = views.map(({ stateId }) => stateId);
      const joinPlans = views.map(({ joinPlan = null }) => joinPlan);
      const columns = [
        views.map(({ name }) => name),
        views.map(({ specHash }) => specHash),
        stateIds,
        views.map(({ spec }) => spec),
        views.map(({ entity }) => entity),
        joinPlans,
        now,
      ];
      await client.query(FORGET_STATES, [stateIds]);
      await client.batch([
        BE_BRIEF,
        { text: KEEP_COMMITS, params: [] },
        { text: RETIRE, params: [stateIds, now] },
        { text: RETURN, params: [stateIds, joinPlans] },
        { text: REGISTER, params: columns },
      ]);
      for (let forgotten = FORGOTTEN_AT_ONCE; forgotten === FORGOTTEN_AT_ONCE;) {
        forgotten = (await client.query(FORGET_JOINS, [FORGOTTEN_AT_ONCE])).length;
      }
      const known = new Map((await listViews()).map((view) => [view.stateId, view]));
      return stateIds.map((stateId) => {
        const view = known.get(stateId);
        if (view === undefined) throw new Error(`The view ${stateId} was not registered.`);
        return view;
      });
    },

    async readHistories(entity, after, most) {
      const cursor = [after?.tenant ?? "", after?.key ?? ""];
      const limits = [most.entities, most.events, most.bytes];
      const rows = await client.query(READ_HISTORIES, [entity, ...cursor, ...limits]);
      const histories: (EntityHistory & { readonly events: NumberedEvent[] })[] = [];
      let first: EntityVersion | null = null;
      for (const row of rows) {
        const [tenant, key] = [String(row["entity_tenant"]), String(row["entity_key"])];
        const ref = { tenant, entity, key, version: Number(row["version"]) };
        if (row["number"] === null) {
          first = ref;
          continue;
        }
        let history = histories.at(-1);
        if (history?.tenant !== tenant || history.key !== key) {
          history = { ...ref, events: [] };
          histories.push(history);
        }
        history.events.push(numberedEventFrom(row));
      }
      return { histories, tooLarge: histories.length === 0 ? first : null };
    },

    async readVersions({ tenant, entity, key }, versions, bytes) {
      const params = [tenant, entity, key, versions, bytes];
      const [about, ...rows] = await client.query(READ_VERSIONS, params);
      return {
        head: Number(about?.["head"] ?? 0),
        covered: Number(about?.["covered"] ?? versions.length),
        events: rows.map(numberedEventFrom),
      };
    },

    async putBuiltStates(states) {
      const rows = await client.query(PUT_STATES, [
        states.map(({ tenant }) => tenant),
        states.map(({ entity }) => entity),
        states.map(({ key }) => key),
        states.map(({ version }) => version),
        states.map(({ stateId }) => stateId),
        states.map(({ bytes }) => bytes),
      ]);
      const positions = new Set(rows.map((row) => row["position"]));
      return states.map((_, index) => positions.has(index + 1));
    },

    async readEvents(tenant, source, afterEventId, limit) {
      const rows = await client.query(READ_EVENTS, [tenant, source, afterEventId ?? "", limit]);
      return rows.map(logEventFrom);
    },

    async addContributions(missed, now) {
      const rows = await client.query(ADD_CONTRIBUTIONS, [
        ...contributionParams(missed),
        now,
        missed.map(({ knownAt }) => knownAt),
      ]);
      return rows.length;
    },

    async markComplete(stateId) {
      await client.query("UPDATE feature_views SET complete = true WHERE state_id = $1", [stateId]);
    },
  };
}

const numberedEventFrom = (row: SqlRow): NumberedEvent => ({
  ...logEventFrom(row),
  version: Number(row["number"]),
});

function registeredView(row: SqlRow): RegisteredView {
  return {
    name: String(row["name"]),
    version: Number(row["version"]),
    stateId: String(row["state_id"]),
    specHash: String(row["spec_hash"]),
    spec: String(row["spec"]),
    entity: String(row["entity"]),
    complete: row["complete"] === true,
    retired: row["retired"] === true,
    joinPlan: row["join_plan"] === null ? null : String(row["join_plan"]),
  };
}
