import { describe, expect, it } from "vitest";
import { count } from "../../../src/features/aggregation.ts";
import { featureView } from "../../../src/features/define.ts";
import { joined } from "../../../src/features/define-source.ts";
import { clicks, orders, shopper } from "../../support/paths.ts";
import { createTestApi, NOON } from "../../support/requests.ts";

const paths = joined("paths", clicks, orders, { on: { who: "buyer" }, within: "5s", fanOut: 3 });
const orders5s = featureView("orders_5s", {
  entity: shopper,
  source: paths,
  features: { n: count() },
});
const definitions = [shopper, clicks, orders, paths, orders5s];

describe("a joined source over HTTP", () => {
  it("shows its pairs at once to who waits for the events that make them", async () => {
    const api = await createTestApi({ definitions });
    const key = await api.key();
    api.whileWaiting(async () => void (await api.settle()));
    const click = { click_id: "c", who: "ada", shop: "x", ad: "a1", at: NOON - 2_000 };
    const order = { order_id: "o", buyer: "ada", shop: "x", amount: "2.5", at: NOON - 1_000 };
    for (const [source, json] of [
      ["clicks", click],
      ["orders", order],
    ] as const) {
      const answer = await api.call(`POST /v1/sources/${source}/events?wait=applied`, {
        key,
        json,
      });
      expect(await answer.json()).toMatchObject({ accepted: 1, applied: true });
    }
    const json = { features: ["orders_5s:n"], entities: [{ who: "ada" }] };
    const answer = await api.call("POST /v1/features/online", { key, json });
    expect(await answer.json()).toMatchObject({ results: [{ values: [1] }] });
  });

  it("takes neither events nor imports, and names where they go", async () => {
    const api = await createTestApi({ definitions });
    const key = await api.key();
    for (const path of ["events", "import"] as const) {
      const json = path === "events" ? {} : { events: [{ event: {}, known_at: NOON }] };
      const answer = await api.call(`POST /v1/sources/paths/${path}`, { key, json });
      expect([answer.status, (await answer.json<{ detail: string }>()).detail]).toEqual([
        404,
        '"paths" is made of pairs: send events to "clicks" and "orders"',
      ]);
    }
    expect((await api.call("POST /v1/sources/paths/events", { json: {} })).status).toBe(401);
  });

  it("is in the catalogue with what it pairs", async () => {
    const api = await createTestApi({ definitions });
    const answer = await api.call("GET /v1/catalog/sources/paths", { key: await api.key() });
    expect(await answer.json()).toMatchObject({
      kind: "source",
      left: "clicks",
      right: "orders",
      on: [{ left: "who", right: "buyer" }],
      within_ms: 5_000,
      fan_out: 3,
      accepts: [],
      event_time: "orders__at",
    });
  });
});
