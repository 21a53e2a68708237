import { describe, expect, it } from "vitest";
import { compileDefinitions } from "../../../src/features/registry.ts";
import { buyer, byBuyer, byShop, changeOf, order, orders, shop } from "../../support/table-rows.ts";
import { openFilledWorld } from "../../support/world.ts";
import { eventsMessage, hashOf } from "../../support/write-path.ts";

describe("a change that conflicts with one in the log", () => {
  it("harms no batch where definitions of today refuse a key of the one in the log", async () => {
    const before = compileDefinitions([buyer, orders, byBuyer]);
    const now = compileDefinitions([buyer, shop, orders, byBuyer, byShop]);
    const world = await openFilledWorld(before);
    const short = await changeOf("t", { id: "r1", order: 1, row: order("r1") });
    const body = short.body.replace('"s1"', `"${"x".repeat(600)}"`);
    const long = { ...short, body, bodyHash: hashOf(body) };
    await world.consume([eventsMessage([long])]);
    const other = await changeOf("t", { id: "r1", order: 1, row: order("r1") });
    const neighbour = await changeOf("t", { id: "r2", order: 1, row: order("r2") });
    const [delivery] = await world.consume([eventsMessage([other, neighbour])], { registry: now });
    expect(delivery?.outcome()).toBe("acked");
    expect([...world.truth.quarantine.values()].map(({ reason }) => reason)).toEqual([
      "event_id_conflict",
    ]);
  });
});
