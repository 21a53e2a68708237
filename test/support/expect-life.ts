import { expect } from "vitest";
import { AppError } from "../../src/errors.ts";
import type { NumberedEvent } from "../../src/features/definition-store.ts";
import type { EntityRef } from "../../src/features/event-log.ts";
import { feedName } from "../../src/features/feeds.ts";
import type { StateReader } from "../../src/features/online-store.ts";
import type { ViewPlan } from "../../src/features/plan.ts";
import { readHistory } from "../../src/features/read-history.ts";
import { readOnline, type OnlineAnswer } from "../../src/features/read-online.ts";
import type { Registry } from "../../src/features/registry.ts";
import { withForeignViews } from "../../src/features/views-in-use.ts";
import { columnOf, isLater, LIFE_KEYS, type LifeView } from "./life-definitions.ts";
import { factsOf, lifeValues, netOfLog } from "./life-facts.ts";
import type { Life } from "./life.ts";
import { vault } from "./write-path.ts";

/** Whether a view of some deployment may be behind. */
type IsBehind = (plan: ViewPlan, key: string) => boolean;

/** Null where the read is refused, as it may be. */
function refused(error: unknown): null {
  if (error instanceof AppError && error.code === "dependency_unavailable") return null;
  throw error;
}

const keysOf = ({ name }: ViewPlan): readonly string[] => LIFE_KEYS[columnOf(name as LifeView)];

async function read(
  { tenant, now }: Life,
  online: StateReader,
  registry: Registry,
  plan: ViewPlan,
): Promise<OnlineAnswer | null> {
  const entities = keysOf(plan).map((key) => ({ [columnOf(plan.name as LifeView)]: key }));
  const ctx = { registry, online, vault, now: () => now, whenIncomplete: "unavailable" as const };
  return readOnline(ctx, { tenant, features: [plan.name], entities }).catch(refused);
}

/** The log of an entity, whose versions have no gaps. */
async function readLog({ truth }: Life, ref: EntityRef): Promise<readonly NumberedEvent[]> {
  const versions = Array.from({ length: 200 }, (_, i) => i + 1);
  const { head, events } = await truth.definitionStore.readVersions(ref, versions, 1e9);
  expect(events.map(({ version }) => version)).toEqual(versions.slice(0, head));
  return events;
}

/** Values are those of the log up to the version that is named, and where not behind, of all of it. */
async function expectLogged(
  life: Life,
  plan: ViewPlan,
  { results, asOf }: OnlineAnswer,
  isBehind: IsBehind,
): Promise<void> {
  for (const [i, key] of keysOf(plan).entries()) {
    const log = await readLog(life, { tenant: life.tenant, entity: plan.entity, key });
    const version = Number(results[i]?.version[plan.name]?.split(".")[1]);
    const what = `${plan.name} of ${key}, at version ${version} of ${log.length}`;
    for (const upTo of isBehind(plan, key) ? [version] : [version, log.length]) {
      const seen = netOfLog(plan, log.slice(0, upTo));
      const expected = { what, isKnown: true, values: lifeValues(plan, seen, asOf) };
      const isKnown = version <= log.length;
      expect({ what, isKnown, values: results[i]?.values }).toEqual(expected);
    }
  }
}

/** History says the same of the versions that were answered. */
async function expectInHistory(
  { truth, tenant, now }: Life,
  registry: Registry,
  { name }: ViewPlan,
  { results, asOf }: OnlineAnswer,
): Promise<void> {
  const { historyLog: history, definitionStore: definitions } = truth;
  const ctx = { registry, vault, history, definitions, now: () => now };
  const rows = results.map(({ entity, version }) => ({ entity, version, at: asOf }));
  const asked = { tenant, features: [name], rows };
  const again = await readHistory(ctx, asked).catch(refused);
  if (again === null) return;
  expect(again.rows.map(({ values }) => values)).toEqual(results.map(({ values }) => values));
}

const unfinishedOf = async ({ truth, tenant }: Life, joins?: readonly string[]) =>
  (await truth.eventLog.findUnfinished(Number.MAX_SAFE_INTEGER, 10_000, joins)).filter(
    (ref) => ref.tenant === tenant,
  );

/** Reads of the view are refused only where the online store was flushed. */
async function expectAnswered(
  { tenant, ports }: Life,
  { stateId }: ViewPlan,
  stored: OnlineAnswer | null,
  online: OnlineAnswer | null,
): Promise<void> {
  const { meta } = await ports.online.read(tenant, []);
  const isAnswered = { stored: stored !== null, online: online !== null || meta === null };
  expect({ stateId, ...isAnswered }).toEqual({ stateId, stored: true, online: true });
}

/**
 * Whatever any deployment is answered is right for the version that it names; and that is the latest,
 * where nothing is left to do for the entity.
 */
export async function expectRight(life: Life): Promise<void> {
  const unfinished = new Set((await unfinishedOf(life)).map(({ entity, key }) => entity + key));
  const registered = await life.truth.definitionStore.listViews();
  const inUse = new Set(
    registered.flatMap(({ stateId, complete, retired }) => (complete && !retired ? stateId : [])),
  );
  // What a filling began with is in the meta key for a moment, though it went out of use meanwhile.
  const isBehind: IsBehind = ({ stateId, entity }, key) =>
    unfinished.has(entity + key) || (life.wasFilled && !inUse.has(stateId));
  const seen = new Set<string>();
  for (const [by] of life.shapes.entries()) {
    const registry = life.registry(by);
    for (const plan of registry.views.values()) {
      if (seen.has(plan.stateId)) continue;
      seen.add(plan.stateId);
      const stored = await read(life, life.truth.storedStates, registry, plan);
      if (stored !== null) await expectLogged(life, plan, stored, () => false);
      const online = await read(life, life.ports.online, registry, plan);
      if (life.promised.has(plan.stateId)) await expectAnswered(life, plan, stored, online);
      if (online === null) continue;
      await expectLogged(life, plan, online, isBehind);
      await expectInHistory(life, registry, plan, online);
    }
  }
}

/** Kinds of entities that wait, since they have a view in use that no deployment understands. */
async function waitingForLater({ truth }: Life): Promise<ReadonlySet<string>> {
  const views = await truth.definitionStore.listViews();
  return new Set(
    views.filter((view) => isLater(view) && !view.retired).map(({ entity }) => entity),
  );
}

/**
 * After sweeps of a deployment nothing is left to do for views that are in use and understood, whoever
 * applied them and whatever was interrupted; and those that answer at any time have seen all facts.
 */
export async function expectSwept(life: Life, by: number): Promise<void> {
  const { eventLog, definitionStore } = life.truth;
  const { registry } = withForeignViews(life.registry(by), await definitionStore.listViews());
  const waiting = await waitingForLater(life);
  const left = await unfinishedOf(life, [...registry.joinsByEntity.keys()]);
  expect(left.filter(({ entity }) => !waiting.has(entity))).toEqual([]);
  const feeds = [...registry.feedsBySource.values()].flat().map(feedName);
  const missed = await eventLog.findMissed(feeds, 10_000);
  expect(missed.filter(({ event }) => event.tenant === life.tenant)).toEqual([]);
  for (const [of, shape] of life.shapes.entries()) {
    for (const plan of life.registry(of).views.values()) {
      if (!life.promised.has(plan.stateId) || waiting.has(plan.entity)) continue;
      const answer = await read(life, life.ports.online, life.registry(of), plan);
      for (const [i, key] of keysOf(plan).entries()) {
        const seen = factsOf(shape, plan.name as LifeView, key, life.facts);
        const expected = lifeValues(plan, seen, answer?.asOf ?? 0);
        const what = `${plan.name} of ${key}`;
        expect({ what, values: answer?.results[i]?.values }).toEqual({ what, values: expected });
      }
    }
  }
}

/** The deployment that was applied last has nothing left to apply, and nothing waits for others. */
export async function expectWhole(life: Life, by: number): Promise<void> {
  await expectSwept(life, by);
  await life.apply(by);
  const { backfilled, registered, built } = life.applied ?? {};
  expect([backfilled, registered, built?.size]).toEqual([0, [], 0]);
  expect(await unfinishedOf(life)).toEqual([]);
}
