import { describe, expect, it } from "vitest";
import { backfill } from "../../../src/features/backfill.ts";
import { feedsOfJoin } from "../../../src/features/feeds.ts";
import { logEvent } from "../../support/log-events.ts";
import { joinOf } from "../../support/search-pairs.ts";

describe("a backfill of joins", () => {
  it("gives left events before right ones, whichever source has both, and pairs last", async () => {
    const to = { ...joinOf(9, 1), sourceId: "to@1" };
    const back = { ...to, left: "orders", right: "clicks", sourceId: "back@1" };
    const feeds = [
      ...feedsOfJoin(to),
      ...feedsOfJoin(back),
      { entity: "person", source: "to@1", keyColumns: ["who"] },
      { entity: "person", source: "views", keyColumns: ["who"] },
      { entity: "person", source: "orders", keyColumns: ["who"] },
    ];
    const given: string[] = [];
    const body = '{"who":"w"}';
    await backfill(
      {
        definitions: {
          readEvents: async (tenant, source, after) =>
            after === null ? [logEvent(tenant, "e", { source, body })] : [],
          async addContributions(missed) {
            given.push(missed.map(({ source, entity }) => `${source}>${entity}`).join(" "));
            return missed.length;
          },
        },
        archive: { listTenants: async () => ["t"] },
        now: () => 5_000,
        fold: async () => undefined,
        progress: () => undefined,
      },
      feeds,
    );
    expect(given).toEqual([
      "clicks>to@1",
      "orders>back@1",
      "views>person",
      "orders>to@1 orders>person",
      "clicks>back@1",
      "to@1>person",
    ]);
  });
});
