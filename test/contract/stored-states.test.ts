import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rebuildOnline } from "../../cli/rebuild-online.ts";
import type { EntityRef } from "../../src/features/event-log.ts";
import { consume } from "../../src/ingest/consume.ts";
import { createMemoryOnlineStore } from "../support/fakes/memory-online-store.ts";
import { contributionsOf, logEvent, newTenant } from "../support/log-events.ts";
import { applyAll, BASE, NOW, openPorts } from "../support/play.ts";
import { truths, type Truth } from "../support/stores.ts";
import {
  consumerOf,
  deliver,
  eventsMessage,
  logEventOf,
  readView,
  type Reading,
  type ViewName,
} from "../support/write-path.ts";

/** A reading now and then of twelve devices, corrected here and there. */
const readings: readonly Reading[] = Array.from({ length: 60 }, (_, i) => ({
  order: `e${i}`,
  time: BASE - i * 3_700_000,
  device: `d${i % 12}`,
  source: i % 5 === 0 ? "corrections" : "readings",
  fields: { price: `${i}.5`, level: i % 7, colour: i % 3 === 0 ? null : "red", on: i % 2 === 0 },
}));

const VIEWS: readonly ViewName[] = ["by_device", "by_colour", "corrected"];
const KEYS = [...Array.from({ length: 12 }, (_, i) => `d${i}`), "red", "nobody"];

describe.each(truths())("the stored states %s", (_name, open) => {
  let truth: Truth;
  beforeAll(async () => void (truth = await open()));
  afterAll(() => truth.close());

  /** A kind of entity with a complete view of its own, `{kind}@h`. */
  async function newKind(): Promise<{ readonly kind: string; readonly stateId: string }> {
    const kind = newTenant();
    const view = { name: kind, stateId: `${kind}@h`, specHash: "h", spec: "{}", entity: kind };
    const others = (await truth.definitionStore.listViews()).filter(({ retired }) => !retired);
    await truth.definitionStore.registerViews([...others, view], 1);
    return { kind, stateId: view.stateId };
  }

  async function fold(ref: EntityRef, eventId: string, stateId: string): Promise<void> {
    const events = [logEvent(ref.tenant, eventId)];
    const contributions = contributionsOf(events, [ref]);
    const input = { events, contributions, touched: [ref], stateIds: [], now: 1 };
    const { entities } = await truth.eventLog.append(input);
    const folded = [{ source: "payments", eventId }];
    const states = [{ stateId, bytes: btoa(`${ref.key} ${"\u00ff".repeat(100)} ${eventId}`) }];
    const readVersion = entities[0]?.version ?? 0;
    await truth.eventLog.commit(
      [{ ...ref, readVersion, builds: 0, folded, poisoned: [], states }],
      2,
    );
  }

  it("answer as the online store does once it is rebuilt", async () => {
    const tenant = newTenant();
    const ports = openPorts(truth, tenant);
    await applyAll(truth, ports, tenant);
    const events = readings.map((reading) => logEventOf(reading, tenant));
    await consume(
      consumerOf(ports, () => NOW),
      [deliver(eventsMessage(events), "m")],
    );
    const online = createMemoryOnlineStore();
    const done = await rebuildOnline({
      archive: ports.archive,
      online,
      tenants: [tenant],
      keepServing: false,
      total: null,
      screen: { tell: () => undefined },
      now: () => NOW,
      sleep: async () => undefined,
      hold: async () => undefined,
    });
    expect(done).toMatchObject({ tenants: 1, entities: 13, written: done.states });
    for (const view of VIEWS) {
      const stored = await readView(truth.storedStates, tenant, view, KEYS, NOW);
      expect(stored).toEqual(await readView(online, tenant, view, KEYS, NOW));
      const { results } = await readView(ports.online, tenant, view, KEYS, NOW);
      expect(stored.results.map(({ values }) => values)).toEqual(
        results.map(({ values }) => values),
      );
      expect(stored.results.some(({ statuses }) => statuses.includes("PRESENT"))).toBe(true);
    }
  });

  it("are read in the order of the keys, each of its own tenant and view", async () => {
    const [{ kind, stateId }, other] = [await newKind(), await newKind()];
    const [tenant, neighbour] = [newTenant(), newTenant()];
    await fold({ tenant, entity: kind, key: "a" }, "1", stateId);
    await fold({ tenant, entity: kind, key: "a" }, "2", stateId);
    await fold({ tenant, entity: kind, key: "é,%2C:" }, "3", stateId);
    await fold({ tenant: neighbour, entity: kind, key: "b" }, "4", stateId);
    await fold({ tenant, entity: other.kind, key: "c" }, "5", other.stateId);

    const key = (name: string, of = stateId) => ({ tenant, stateId: of, key: name });
    const asked = [key("b"), key("é,%2C:"), key("a"), key("c"), key("c", other.stateId)];
    const before = truth.requests() ?? 0;
    const { states } = await truth.storedStates.read(tenant, [...asked, key("a", "unknown@1")]);
    expect(truth.requests() ?? 1).toBe(before + 1);
    expect(states.map((state) => state?.version)).toEqual([
      undefined,
      1,
      2,
      undefined,
      1,
      undefined,
    ]);
    const archived = (await truth.stateArchive.readStates(tenant, null, 10)).states;
    const a = archived.find((state) => state.key === "a");
    expect(states[2]).toEqual({ kind: "state", version: 2, bytes: a?.bytes });
  });

  it("come with the meta that a filling would write, of known tenants and others", async () => {
    const { kind } = await newKind();
    const tenant = newTenant();
    await truth.keyStore.revoke(tenant, "key_1", 1);
    const latest = await truth.stateArchive.nextMeta(tenant);
    expect(latest.views[kind]).toEqual({ h: 1 });
    expect(await truth.storedStates.read(tenant, [])).toEqual({ meta: latest, states: [] });
    const { meta } = await truth.storedStates.read(newTenant(), []);
    expect(meta).toMatchObject({ revision: 0, views: latest.views, revokedKeys: [] });
  });

  it("say that an entity was erased, unless it began anew", async () => {
    const { kind, stateId } = await newKind();
    const tenant = newTenant();
    for (const key of ["gone", "back"]) await truth.putTombstone({ tenant, entity: kind, key }, 0);
    await fold({ tenant, entity: kind, key: "back" }, "1", stateId);
    const keys = ["gone", "back", "never"].map((key) => ({ tenant, stateId, key }));
    const { states } = await truth.storedStates.read(tenant, keys);
    expect(states).toMatchObject([{ kind: "erased" }, { kind: "state", version: 1 }, null]);
  });
});
