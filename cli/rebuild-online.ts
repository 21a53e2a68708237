import { rebuildTenant, type RebuildContext } from "./rebuild-tenant.ts";
import { counted } from "./support/number-text.ts";
import { startBar, type ProgressScreen } from "./support/rate-bar.ts";

export interface RebuildOnlineOptions extends Omit<RebuildContext, "tell"> {
  readonly tenants: readonly string[];
  readonly keepServing: boolean;
  /** How many entities there are; null where there are too many to count. */
  readonly total: number | null;
  readonly screen: ProgressScreen;
}

export interface RebuiltOnline {
  readonly tenants: number;
  readonly entities: number;
  readonly states: number;
  /** States that were missing online, or older. */
  readonly written: number;
  /** States that were there at their version, and not the same. */
  readonly mended: number;
}

/**
 * Rebuilds the online store of tenants, one after the other, showing how far it is. Nobody reads
 * from what is there of any of them before its turn is over, unless the options say so.
 */
export async function rebuildOnline(options: RebuildOnlineOptions): Promise<RebuiltOnline> {
  const { online, tenants, keepServing, total, screen } = options;
  const ctx: RebuildContext = { ...options, tell: screen.tell };
  let [entities, states, written, mended] = [0, 0, 0, 0];
  const beside = (): string => ` with ${counted(states, "state", "states")}`;
  const bar = startBar(screen, { word: "entities", total, beside });
  for (const tenant of keepServing ? [] : tenants) await online.dropMeta(tenant);
  for (const tenant of tenants) {
    const before = { entities, states };
    await rebuildTenant(ctx, {
      tenant,
      keepServing,
      onPage(page) {
        entities += page.entities;
        states += page.states.length;
        written += page.written;
        mended += page.mended;
        bar.add(page.entities);
      },
      onRestart() {
        bar.add(before.entities - entities);
        ({ entities, states } = before);
      },
    });
  }
  bar.end();
  return { tenants: tenants.length, entities, states, written, mended };
}
