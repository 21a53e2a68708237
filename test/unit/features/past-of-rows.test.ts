import { describe, expect, it } from "vitest";
import { applyDefinitions } from "../../../src/features/apply-definitions.ts";
import { count, sum } from "../../../src/features/aggregation.ts";
import { featureView } from "../../../src/features/define.ts";
import { readOnline } from "../../../src/features/read-online.ts";
import { compileDefinitions } from "../../../src/features/registry.ts";
import { foldingOf } from "../../../src/ingest/fold-pending.ts";
import { sweep } from "../../../src/ingest/sweep.ts";
import { buyer, byBuyer, changeOf, order, orders, shop } from "../../support/table-rows.ts";
import { NOON, openFilledWorld } from "../../support/world.ts";
import { eventsMessage, vault } from "../../support/write-path.ts";

describe("a new kind of entity of rows that changed before it was given its past", () => {
  it.each([false, true])(
    "is right online, also when giving was interrupted: %s",
    async (killed) => {
      const first = compileDefinitions([buyer, orders, byBuyer]);
      const byShop = featureView("by_shop", {
        entity: shop,
        source: orders,
        features: { n: count(), total: sum("amount") },
      });
      const registry = compileDefinitions([buyer, shop, orders, byBuyer, byShop]);
      const world = await openFilledWorld(first);
      const at = (n: number, amount: string) =>
        changeOf("t", { id: "r1", order: n, row: order("r1", { amount }) });
      await world.consume([eventsMessage([await at(1, "1")])]);
      await world.consume([eventsMessage([await at(2, "2")])], { registry });
      const ctx = {
        ...world.ctx({ registry }),
        definitions: world.definitions,
        progress: () => undefined,
      };
      const folding = { ...ctx, ...foldingOf(ctx) };
      const dying = { ...folding, fold: () => Promise.reject(new Error("killed")) };
      if (killed) await applyDefinitions(dying).catch(() => undefined);
      await applyDefinitions(folding);
      await sweep(world.ctx({ registry, now: () => NOON + 86_400_000 }));
      const answer = await readOnline(
        { registry, online: world.online, vault, now: () => NOON, whenIncomplete: "unavailable" },
        { tenant: "t", features: ["by_shop"], entities: [{ shop: "s1" }] },
      );
      expect(answer.results[0]?.values).toEqual([1, "2"]);
    },
  );
});
