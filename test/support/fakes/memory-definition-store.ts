import type {
  DefinitionStore,
  NumberedEvent,
  RegisteredView,
} from "../../../src/features/definition-store.ts";
import {
  checkDistinct,
  checkStorable,
  compareBytes,
  contribute,
  entitiesInOrder,
  entityKey,
  eventKey,
  type MemoryTruth,
} from "./memory-truth.ts";

export function createMemoryDefinitionStore(truth: MemoryTruth): DefinitionStore {
  const known = (stateId: string): RegisteredView | undefined =>
    truth.views.find((view) => view.stateId === stateId);

  return {
    async listViews() {
      return truth.views
        .map((view) => ({
          ...view,
          complete: view.complete && !truth.withdrawn.has(view.stateId),
          retired: truth.retired.has(view.stateId),
        }))
        .toSorted((a, b) => compareBytes(a.name, b.name) || a.version - b.version);
    },

    async registerFeeds(feeds) {
      checkStorable(feeds);
      for (const { name, source, isNew } of feeds) {
        const { complete = true } = truth.feeds.get(name) ?? {};
        truth.feeds.set(name, { source, complete: complete && !isNew });
      }
      return feeds.flatMap(({ name }) => (truth.feeds.get(name)?.complete === false ? [name] : []));
    },

    async completeFeeds(names) {
      for (const [name, { source }] of truth.feeds) {
        if (names.includes(name)) truth.feeds.set(name, { source, complete: true });
        else truth.feeds.delete(name);
      }
      for (const [key, feeds] of truth.missed) {
        const left = feeds.filter((name) => truth.feeds.has(name));
        if (left.length > 0) truth.missed.set(key, left);
        else truth.missed.delete(key);
      }
    },

    async withdrawViews(kept) {
      const isOther = ({ stateId }: RegisteredView): boolean =>
        !truth.retired.has(stateId) && !kept.includes(stateId);
      const others = truth.views.filter(isOther);
      for (const { stateId } of others) truth.withdrawn.add(stateId);
      return others.length;
    },

    async retireViews(kept) {
      for (const { stateId } of truth.views) {
        if (!kept.includes(stateId)) truth.retired.add(stateId);
      }
    },

    async registerViews(views) {
      checkStorable(views);
      retireAndReturn(truth, new Set(views.map(({ stateId }) => stateId)));
      for (const { name, stateId, specHash, spec, entity, joinPlan = null } of views) {
        const index = truth.views.findIndex((one) => one.stateId === stateId);
        const there = truth.views[index];
        if (there !== undefined) {
          truth.views[index] = { ...there, joinPlan: there.joinPlan ?? joinPlan };
          continue;
        }
        const version = 1 + truth.views.filter((view) => view.name === name).length;
        const complete = ![...truth.entities.values()].some(
          (record) => record.entity === entity && record.version > 0,
        );
        truth.views.push({
          name,
          version,
          stateId,
          specHash,
          spec,
          entity,
          complete,
          retired: false,
          joinPlan,
        });
      }
      forgetJoins(truth);
      return views.flatMap(({ stateId }) => known(stateId) ?? []);
    },

    async readHistories(entity, after, most) {
      const page = entitiesInOrder(truth, entity)
        .filter(({ version }) => version > 0)
        .filter(({ tenant, key }) => {
          if (after === null) return true;
          const order = compareBytes(tenant, after.tenant);
          return order > 0 || (order === 0 && compareBytes(key, after.key) > 0);
        })
        .slice(0, most.entities)
        .map(({ tenant, key, version, log }) => ({
          tenant,
          entity,
          key,
          version,
          events: log.flatMap((ref, i) => {
            const event = truth.events.get(eventKey({ tenant, ...ref }));
            return event === undefined ? [] : [{ ...event, version: i + 1 }];
          }),
        }));
      let [events, bytes] = [0, 0];
      const histories = page.filter((history) => {
        events += history.version;
        for (const { body } of history.events) bytes += bytesOf(body);
        return events <= most.events && bytes <= most.bytes;
      });
      const [first] = page;
      if (first === undefined || histories.length > 0) return { histories, tooLarge: null };
      const { tenant, key, version } = first;
      return { histories, tooLarge: { tenant, entity, key, version } };
    },

    async readVersions(ref, versions, bytes) {
      const { version: head, log } = truth.entities.get(entityKey(ref)) ?? { version: 0, log: [] };
      const events: NumberedEvent[] = [];
      let read = 0;
      for (const [covered, version] of versions.entries()) {
        const numbered = log[version - 1];
        const event = numbered && truth.events.get(eventKey({ tenant: ref.tenant, ...numbered }));
        if (event === undefined) continue;
        if (read >= bytes) return { head, covered, events };
        events.push({ ...event, version });
        read += bytesOf(event.body);
      }
      return { head, covered: versions.length, events };
    },

    async putBuiltStates(states) {
      checkDistinct(states.map((state) => `${entityKey(state)}\0${state.stateId}`));
      return states.map(({ version, stateId, bytes, ...ref }) => {
        const record = truth.entities.get(entityKey(ref));
        if (record === undefined || record.version !== version) return false;
        record.states.set(stateId, { version, bytes });
        record.builds += 1;
        return true;
      });
    },

    async markComplete(stateId) {
      const index = truth.views.findIndex((view) => view.stateId === stateId);
      const view = truth.views[index];
      if (view !== undefined) truth.views[index] = { ...view, complete: true };
    },

    async readEvents(tenant, source, afterEventId, limit) {
      return [...truth.events.values()]
        .filter((event) => event.tenant === tenant && event.source === source)
        .filter(({ eventId }) => compareBytes(eventId, afterEventId ?? "") > 0)
        .toSorted((a, b) => compareBytes(a.eventId, b.eventId))
        .slice(0, limit);
    },

    addContributions: async (missed, now) => contribute(truth, missed, now),
  };
}

const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

/** A view that returns starts anew, without the states that nobody folded into meanwhile. */
function retireAndReturn(truth: MemoryTruth, wanted: ReadonlySet<string>): void {
  for (const [index, view] of truth.views.entries()) {
    const { stateId } = view;
    if (wanted.has(stateId)) truth.withdrawn.delete(stateId);
    if (!wanted.has(stateId)) {
      truth.retired.add(stateId);
    } else if (truth.retired.delete(stateId)) {
      truth.views[index] = { ...view, complete: false };
      for (const { states } of truth.entities.values()) states.delete(stateId);
    }
  }
}

/** What waits for a join that no registered view reads. */
function forgetJoins(truth: MemoryTruth): void {
  const read = new Set(
    truth.views
      .filter(({ stateId }) => !truth.retired.has(stateId))
      .map(({ spec }) => (JSON.parse(spec) as { source?: { pairs?: string } }).source?.pairs),
  );
  for (const { entity, pending } of truth.entities.values()) {
    if (entity.includes("@") && !read.has(entity)) pending.clear();
  }
}
