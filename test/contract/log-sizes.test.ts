import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countEntities } from "../../src/platform/neon/count-entities.ts";
import { createLogSizes } from "../../src/platform/neon/log-sizes.ts";
import type { SqlClient } from "../../src/platform/neon/sql-client.ts";
import { newIndex, write } from "../support/document-calls.ts";
import { contributionsOf, logEvent, newTenant } from "../support/log-events.ts";
import { sqlTruths, truths, type SqlTruth, type Truth } from "../support/stores.ts";

/** Two entities of a new kind: one of three events, one of one; another event only waits. */
async function fill(truth: Truth, kind: string): Promise<void> {
  const give = async (key: string, ids: readonly string[], fold = true): Promise<void> => {
    const entity = { tenant: `${kind}${key}`, entity: kind, key };
    const events = ids.map((id) => logEvent(entity.tenant, id, { source: kind }));
    const contributions = contributionsOf(events, [entity]);
    const input = { events, contributions, touched: [entity], stateIds: [], now: 1 };
    const { entities } = await truth.eventLog.append(input);
    for (const { pending, version, builds } of fold ? entities : []) {
      const folded = pending.map(({ source, eventId }) => ({ source, eventId }));
      const commit = { ...entity, readVersion: version, builds, folded, poisoned: [], states: [] };
      await truth.eventLog.commit([commit], 2);
    }
  };
  await give("a", ["1", "2", "3"]);
  await give("b", ["1"]);
  await give("c", ["1"], false);
}

describe.each(truths())("the sizes of the log %s", (_name, open) => {
  let truth: Truth;
  beforeAll(async () => void (truth = await open()));
  afterAll(() => truth.close());

  it("counts entities with their events, events of a source, and documents", async () => {
    const kind = newTenant();
    await fill(truth, kind);
    const index = newIndex();
    await write(truth.documentIndex, index, { a: { chunks: ["x", "y"] }, b: { chunks: [] } });
    const nothing = newTenant();
    const sizes = await truth.logSizes.measure({
      entities: [kind, nothing],
      sources: [nothing, kind],
      collections: [index.collection, nothing],
    });
    expect(sizes.entities.get(kind)).toEqual({ entities: 2, events: 4, exact: true });
    expect(sizes.entities.get(nothing)).toEqual({ entities: 0, events: 0, exact: true });
    expect(sizes.sources.get(kind)).toEqual({ count: 5, exact: true });
    expect(sizes.collections.get(index.collection)).toEqual({ count: 2, exact: true });
    expect(sizes.collections.get(nothing)).toEqual({ count: 0, exact: true });
  });

  it("answers nothing where nothing is asked", async () => {
    const none = { entities: [], sources: [], collections: [] };
    const sizes = await truth.logSizes.measure(none);
    expect([sizes.entities.size, sizes.sources.size, sizes.collections.size]).toEqual([0, 0, 0]);
  });
});

describe.each(sqlTruths())("the sizes of a log that is large %s", (_name, open) => {
  let truth: SqlTruth;
  beforeAll(async () => void (truth = await open()));
  afterAll(() => truth.close());

  const client = (): SqlClient => ({
    query: (...args) => truth.query(...args),
    batch: (...args) => truth.batch(...args),
  });

  it("counts the entities of some tenants, up to a bound", async () => {
    const tenants = [newTenant(), newTenant(), newTenant()];
    const insert = `INSERT INTO entity_heads (tenant, entity, entity_key, previous, version, builds)
      SELECT t, 'e', 'k' || i, 0, i, 0 FROM unnest($1::text[]) t, generate_series(0, 3) i`;
    await truth.query(insert, [tenants]);
    const two = tenants.slice(0, 2);
    expect(await countEntities(client(), two)).toBe(6);
    expect(await countEntities(client(), [])).toBe(0);
    expect(await countEntities(client(), two, 7)).toBe(6);
    expect(await countEntities(client(), two, 6)).toBeNull();
  });

  it("are estimated from above, by what the database knows of the table", async () => {
    const kind = newTenant();
    await fill(truth, kind);
    await truth.query("ANALYZE events");
    const asked = { entities: [kind], sources: [kind], collections: [] };
    const sizes = await createLogSizes(client(), 2).measure(asked);
    expect(sizes.sources.get(kind)).toEqual({ count: 5, exact: false });
    const { entities = 0, events = 0, exact } = sizes.entities.get(kind) ?? {};
    expect([entities, exact]).toEqual([2, false]);
    expect(events).toBe(4);
  });
});
