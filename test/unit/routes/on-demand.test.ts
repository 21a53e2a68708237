import { describe, expect, it } from "vitest";
import { z } from "zod";
import { customer } from "../../../definitions/entities.ts";
import { payments } from "../../../definitions/sources.ts";
import { count } from "../../../src/features/aggregation.ts";
import { featureView, onDemand } from "../../../src/features/define.ts";
import { createTestApi, NOON } from "../../support/requests.ts";

const spend = featureView("spend", {
  entity: customer,
  source: payments,
  features: { n: count() },
});
const odd = onDemand("odd", {
  version: 1,
  request: z.object({}),
  from: [spend],
  features: {
    later: (async () => Promise.reject(new Error("nobody waits for it"))) as never,
    fine: ({ features }) => features.spend.n + 1,
  },
});

describe("an on-demand function that gives no plain value", () => {
  it("is null, named and noted once for an answer, online and in history alike", async () => {
    const api = await createTestApi({ definitions: [customer, payments, spend, odd] });
    const key = await api.key();
    const entities = [{ customer_id: "c1" }, { customer_id: "c2" }];
    const features = ["odd:later", "odd:fine"];
    const failed = { degraded: ["odd:later"] };
    const [values, statuses] = [
      [null, 1],
      ["NULL_VALUE", "PRESENT"],
    ];
    const rows = entities.map((entity) => ({ entity, at: NOON, request: {} }));
    const online = await api.call("POST /v1/features/online", {
      key,
      json: { features, entities, request: [{}, {}] },
    });
    expect(await online.json()).toMatchObject({
      ...failed,
      results: [
        { values, statuses },
        { values, statuses },
      ],
    });
    const history = await api.call("POST /v1/features/history", { key, json: { features, rows } });
    expect(await history.json()).toMatchObject({
      ...failed,
      rows: [
        { values, statuses },
        { values, statuses },
      ],
    });
    const lines = await api.call("POST /v1/features/history", {
      key,
      headers: { "content-type": "application/x-ndjson" },
      body: [{ features }, ...rows].map((line) => JSON.stringify(line)).join("\n"),
    });
    expect((await lines.text()).trim().split("\n").at(-1)).toBe(
      JSON.stringify({ done: { rows: 2, refused: 0 }, ...failed }),
    );
    const noted = api.lines.filter(({ message }) => message === "on-demand features failed");
    expect(noted.map((line) => line["features"])).toEqual([0, 1, 2].map(() => ["odd:later"]));
  });
});
