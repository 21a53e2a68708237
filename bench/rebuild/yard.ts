import { customer } from "../../definitions/entities.ts";
import { payments } from "../../definitions/sources.ts";
import { count } from "../../src/features/aggregation.ts";
import { applyDefinitions, type AppliedDefinitions } from "../../src/features/apply-definitions.ts";
import { featureView } from "../../src/features/define.ts";
import { compileDefinitions, type Registry } from "../../src/features/registry.ts";
import { foldingOf } from "../../src/ingest/fold-pending.ts";
import { createDefinitionStore } from "../../src/platform/neon/definition-store.ts";
import { createStateArchive } from "../../src/platform/neon/state-archive.ts";
import { readMeters, usedBetween, type Used } from "../consumer/meters.ts";
import { loadPayments, TENANT } from "../history/load.ts";
import { tenFeatures } from "../history/view.ts";
import { openEngine, openTenant, type Engine } from "../support/engine.ts";
import type { Stores } from "../support/stores.ts";
import { meterSql, trafficBetween, type Traffic } from "./metered.ts";

/** So many entities with so many events each. */
export interface Shape {
  readonly entities: number;
  readonly eventsEach: number;
}

/** What one `apply` came to. */
export interface Applied extends AppliedDefinitions {
  readonly ms: number;
  readonly used: Used;
  readonly traffic: Traffic;
}

/** A log that was there before its views, and what is done with it. */
export interface Yard {
  readonly engine: Engine;
  readonly events: number;
  /** Applies the definitions with the view of ten features of that round, new in each. */
  apply(round: number): Promise<Applied>;
  /** A text that is another one as soon as a state of the view that stays is written again. */
  fingerprint(): Promise<string>;
}

/** A view that stays as it is, and is there from the start. */
const steady = featureView("steady", {
  entity: customer,
  source: payments,
  features: { n: count() },
});

/** The definitions of a round; those of round −1 have the steady view alone. */
export const registryOf = (round: number): Registry =>
  compileDefinitions([
    customer,
    payments,
    steady,
    ...(round < 0 ? [] : [tenFeatures(`ten_${round}`)]),
  ]);

/** Fills stores with a log and applies the steady view. */
export async function openYard(stores: Stores, shape: Shape): Promise<Yard> {
  const engine = await openEngine(stores, registryOf(-1));
  const events = shape.entities * shape.eventsEach;
  await openTenant(engine, TENANT);
  await loadPayments(engine.sql, events, shape.eventsEach);
  const sql = meterSql(engine.sql);
  const definitions = createDefinitionStore(sql);
  const archive = createStateArchive(sql);

  async function apply(round: number): Promise<Applied> {
    const registry = registryOf(round);
    const before = { meters: await readMeters(engine.sql, stores), traffic: sql.traffic() };
    const begun = performance.now();
    const applied = await applyDefinitions({
      registry,
      definitions,
      archive,
      online: engine.online,
      now: engine.now,
      ...foldingOf({ ...engine, registry }),
      progress: () => undefined,
    });
    const ms = performance.now() - begun;
    const used = usedBetween(before.meters, await readMeters(engine.sql, stores));
    return { ...applied, ms, used, traffic: trafficBetween(before.traffic, sql.traffic()) };
  }

  await apply(-1);
  await engine.sql.query("VACUUM (ANALYZE) entity_heads, entity_states, entity_log, events", []);
  return {
    engine,
    events,
    apply,
    async fingerprint() {
      const [row] = await engine.sql.query(
        `SELECT md5(string_agg(concat(ctid, xmin, state_id, entity_key), ',' ORDER BY ctid)) AS text
           FROM entity_states WHERE tenant = $1 AND state_id = $2`,
        [TENANT, engine.registry.views.get("steady")?.stateId ?? ""],
      );
      return String(row?.["text"]);
    },
  };
}
