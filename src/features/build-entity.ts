import type {
  BuiltState,
  DefinitionStore,
  EntityVersion,
  PageLimits,
  VersionsRead,
} from "./definition-store.ts";
import type { EntityRef } from "./event-log.ts";
import { GatheredState } from "./gathered-state.ts";
import type { ViewPlan } from "./plan.ts";

/** The building of a view, as far as one entity has part in it. */
export interface EntityBuilding {
  readonly definitions: Pick<DefinitionStore, "readVersions" | "putBuiltStates">;
  readonly plan: ViewPlan;
  readonly limits: PageLimits;
  /** Told of every page how many events it has. */
  readonly onRead: (events: number) => void;
}

/** Versions that are asked for where it is not known how many there are. */
const FIRST_ASKED = 200;

/** Its log in chunks that are small beside a page, but for an entity of millions of events. */
export const openGathering = (
  { plan, limits }: EntityBuilding,
  { key, version }: EntityVersion,
): GatheredState =>
  new GatheredState(plan, key, Math.ceil(Math.max(limits.events / 16, version / 2_000)));

const numbers = (from: number, count: number, step: 1 | -1): readonly number[] =>
  Array.from({ length: Math.max(0, count) }, (_, i) => from + i * step);

/** Reads versions until `next` has none any more; it is told how many were read, and how many to name. */
async function* readPages(
  { definitions, limits }: EntityBuilding,
  entity: EntityRef,
  next: (done: number, most: number) => readonly number[],
  first: number,
): AsyncGenerator<VersionsRead> {
  let [done, most] = [0, Math.min(first, limits.events)];
  for (;;) {
    const asked = next(done, most);
    if (asked.length === 0) return;
    const page = await definitions.readVersions(entity, asked, limits.bytes);
    yield page;
    done += page.covered;
    // Where few fit, to look at many more each time would be in vain.
    most = Math.min(limits.events, 2 * page.covered);
  }
}

/** Takes what came after a version; answers the version then, null where the entity began anew. */
async function takeNewer(
  building: EntityBuilding,
  entity: EntityRef,
  gathered: GatheredState,
  version: number,
): Promise<number | null> {
  let [head, reached] = [Number.POSITIVE_INFINITY, version];
  const next = (done: number, most: number): readonly number[] =>
    numbers(version + done + 1, Math.min(most, head - version - done), 1);
  for await (const page of readPages(building, entity, next, FIRST_ASKED)) {
    head = page.head;
    if (head < version) return null;
    reached = Math.min(head, reached + page.covered);
    gathered.take(page.events);
    building.onRead(page.events.length);
  }
  return reached;
}

/**
 * Puts the state of an entity that has moved on from the version of which it was gathered: reads and
 * adds what came meanwhile until a state is stored before the next commit. A round takes two requests,
 * and those for chunks that must be read again, whatever the length of the history; so that under a
 * steady load each round has a like chance, and the rounds end. Answers null where the entity is gone
 * or began anew: folds have put its states then.
 */
export async function catchUp(
  building: EntityBuilding,
  entity: EntityRef,
  gathered: GatheredState,
  version: number,
): Promise<BuiltState | null> {
  const { definitions, plan } = building;
  for (let at = version; ;) {
    const reached = await takeNewer(building, entity, gathered, at);
    if (reached === null) return null;
    at = reached;
    await gathered.settle(async function* read(versions) {
      const next = (done: number, most: number) => versions.slice(done, done + most);
      for await (const { events } of readPages(building, entity, next, Infinity)) yield events;
    });
    const { tenant, entity: kind, key } = entity;
    const state: BuiltState = {
      tenant,
      entity: kind,
      key,
      version: at,
      stateId: plan.stateId,
      bytes: gathered.encode(),
    };
    const [isWritten] = await definitions.putBuiltStates([state]);
    if (isWritten === true) return state;
  }
}

/**
 * Builds a view's state of an entity whose history is read in pages, newest first, in bounded memory;
 * where events may be taken back, that is some 40 bytes for each. Answers as catchUp does.
 */
export async function buildEntity(
  building: EntityBuilding,
  entity: EntityVersion,
): Promise<BuiltState | null> {
  const gathered = openGathering(building, entity);
  const { version } = entity;
  const next = (done: number, most: number): readonly number[] =>
    numbers(version - done, Math.min(most, version - done), -1);
  for await (const { events } of readPages(building, entity, next, Infinity)) {
    gathered.take(events);
    building.onRead(events.length);
  }
  return catchUp(building, entity, gathered, version);
}
