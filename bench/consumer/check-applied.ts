import { readOnline } from "../../src/features/read-online.ts";
import type { Engine } from "../support/engine.ts";
import { KEYS } from "../support/payments.ts";

const PAGE = 1_000;

/** How many payments the online features of all customers show. */
async function countVisible(engine: Engine, tenant: string): Promise<number> {
  let visible = 0;
  for (let i = 0; i < KEYS; i += PAGE) {
    const entities = Array.from({ length: PAGE }, (_, j) => ({ customer_id: `c${i + j}` }));
    const { results } = await readOnline(
      { ...engine, whenIncomplete: "unavailable" },
      { tenant, features: ["customer_lifetime:payments"], entities },
    );
    visible += results.reduce((sum, { values }) => sum + Number(values[0]), 0);
  }
  return visible;
}

/** Throws unless so many events are stored, folded once for each of their two entities, and online. */
export async function checkApplied(engine: Engine, tenant: string, events: number): Promise<void> {
  const [row] = await engine.sql.query(
    `SELECT (SELECT count(*) FROM events)::int AS stored,
            (SELECT count(*) FROM pending)::int AS pending,
            (SELECT count(*) FROM entity_log)::int AS folded`,
    [],
  );
  const found = JSON.stringify({ ...row, visible: await countVisible(engine, tenant) });
  const wanted = JSON.stringify({
    stored: events,
    pending: 0,
    folded: 2 * events,
    visible: events,
  });
  if (found !== wanted) throw new Error(`the write path left ${found} instead of ${wanted}`);
}
