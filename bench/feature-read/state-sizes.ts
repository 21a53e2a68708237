import { encodeOnlineState } from "../../src/platform/upstash/online-values.ts";
import { median } from "../support/rounds.ts";
import type { Engine } from "../support/engine.ts";
import { VIEWS, type Shop } from "./shop.ts";

/** Bytes of a view's states: the Redis value, and the column in Postgres. */
export interface StateSize {
  readonly view: string;
  readonly redis: { readonly median: number; readonly largest: number };
  readonly postgres: { readonly median: number; readonly largest: number };
}

const PAGE = 1_000;

export async function stateSizes(
  { online, sql, registry }: Engine,
  { tenant, stateKeys }: Shop,
): Promise<readonly StateSize[]> {
  const sizes: StateSize[] = [];
  for (const view of VIEWS) {
    const stateId = registry.views.get(view)?.stateId ?? "";
    const keys = stateKeys.filter((key) => key.stateId === stateId).slice(0, PAGE);
    const { states } = await online.read(tenant, keys);
    const lengths = states.flatMap((state) =>
      state === null ? [] : encodeOnlineState(state).length,
    );
    const [row] = await sql.query(
      `SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY pg_column_size(bytes))::int AS median,
              max(pg_column_size(bytes))::int AS largest
         FROM entity_states WHERE tenant = $1 AND state_id = $2`,
      [tenant, stateId],
    );
    sizes.push({
      view,
      redis: { median: median(lengths), largest: Math.max(...lengths) },
      postgres: { median: Number(row?.["median"]), largest: Number(row?.["largest"]) },
    });
  }
  return sizes;
}
